"""Every task of the table becomes a package that runs, with what its manifest and card must say; weights by chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAILib import networks, segment
from MedSegAILib.core.case import Case
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Volume
from MedSegAILib.tasks.package import Package, read_package
from training import cache
from training.__main__ import main
from training.datasets import DATA_VARIABLE
from training.export import Run, export_runs
from training.phantoms.sample import write_sample
from training.phantoms.space import make_grid
from training.recipes import RECIPES, find_recipe
from training.tasks import TASKS
from training.tasks.task import NO_REFERENCE

OTHERS = ("hippocampus", "brain-tissue", "pancreas", "prostate", "hand-bones")
DRAWN_ONLY = {"pancreas", "prostate", "hand-bones"}


def random_run(name: str) -> Run:
    torch.manual_seed(3)
    recipe = find_recipe(name)
    recipe = replace(recipe, arguments={**recipe.arguments, "width": 4})
    network = networks.build(recipe.network, **dict(recipe.arguments))
    return Run(recipe, network.state_dict(), steps=5, hours=0.1)


@pytest.fixture(scope="module", params=OTHERS)
def package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return export_runs(TASKS[request.param], random_run, tmp_path_factory.mktemp("packages") / request.param)


def small_case(package: Package) -> Case:
    """A ball of tissue in air, 32 x 36 x 40 voxels of 4 mm."""
    grid = make_grid((160.0, 144.0, 128.0), (4.0, 4.0, 4.0))
    z, y, x = np.meshgrid(*(np.arange(count) - count / 2 for count in grid.shape_zyx), indexing="ij")
    ball = np.sqrt(z**2 + y**2 + x**2) < 14
    texture = np.random.default_rng(1).normal(0.0, 20.0, ball.shape)
    is_ct = package.inputs[0].modality == "CT"
    image = np.where(ball, 100.0 + texture, -1000.0 if is_ct else 0.0).astype(np.float32)
    (role,) = package.roles
    return Case({role: Volume(image, grid, name=role)}, reference=role, name="ball")


def test_it_runs_and_gives_its_own_labels_on_the_grid_of_the_input(package: Package) -> None:
    case = small_case(package)
    result = segment(case, package.task, options=RunOptions(preset="fast"), packages=[package.folder])
    assert result.labels.grid.is_same_as(case.reference_grid())
    assert set(np.unique(result.labels.array)) <= TASKS[package.task].label_values
    said = [notice.message for notice in result.notices if notice.code == "package.notice"]
    assert bool(said) == (package.task in DRAWN_ONLY)


def test_what_no_person_drew_is_said_in_the_first_line_of_the_card(package: Package) -> None:
    first = (package.folder / "card.md").read_text(encoding="utf-8").splitlines()[0]
    assert (NO_REFERENCE in first) == (package.task in DRAWN_ONLY)
    assert package.notice.startswith(NO_REFERENCE) == (package.task in DRAWN_ONLY)


def test_the_card_tells_every_run_and_what_it_learned_on(package: Package) -> None:
    card = (package.folder / "card.md").read_text(encoding="utf-8")
    for plan in TASKS[package.task].stages:
        for name in (name for ensemble in plan.ensembles for name in ensemble.recipes):
            assert f"`python -m training train {name}`: 5 steps" in card
    assert "Research use only" in card


def test_labels_and_regions_carry_codes(package: Package) -> None:
    assert all(label.terminology for label in package.scheme.labels)
    assert all(region.terminology for region in package.scheme.regions)


def test_every_recipe_belongs_to_a_task_and_gives_regions_of_it() -> None:
    for recipe in RECIPES.values():
        assert set(recipe.channels) <= set(TASKS[recipe.task].regions), recipe.name
        assert set(recipe.set_names) <= set(TASKS[recipe.task].card.learned_on), recipe.name


def test_every_stage_of_a_task_names_recipes_of_the_same_task() -> None:
    for task in TASKS.values():
        for plan in task.stages:
            names = [name for ensemble in plan.ensembles for name in ensemble.recipes]
            assert {find_recipe(name).task for name in names} == {task.name}
            assert len({str(dict(find_recipe(name).box)) for name in names}) == 1


@pytest.mark.parametrize("task", OTHERS)
def test_the_sample_of_a_task_lies_ready_with_its_labels(checkout: Path, task: str) -> None:
    folder = checkout / "Resources" / "SampleData" / task
    assert {path.name for path in folder.iterdir()} == {f"{TASKS[task].roles[0]}.nii.gz", "seg.nii.gz"}


def test_one_command_goes_from_studies_to_a_measured_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two drawn crops train two steps; the package runs, and its card holds the numbers of a third one."""
    for name, seed in (("h1", 1), ("h2", 2), ("h3", 3)):
        (image, labels) = write_sample("hippocampus", tmp_path / name, seed)
        for path, folder in ((image, "imagesTr"), (labels, "labelsTr")):
            (tmp_path / "data" / "hippocampus" / folder).mkdir(parents=True, exist_ok=True)
            path.rename(tmp_path / "data" / "hippocampus" / folder / f"{name}.nii.gz")
    (tmp_path / "data" / "hippocampus" / "splits.json").write_text('{"train": ["h1", "h2"], "test": ["h3"]}')
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "CACHE_FOLDER", tmp_path / "cache")
    arguments = {"width": 4, "norm": "instance", "in_channels": 1, "out_channels": 2}
    tiny = replace(find_recipe("hippocampus"), arguments=arguments, steps=2, start_from="")
    monkeypatch.setitem(RECIPES, "hippocampus", tiny)
    package = tmp_path / "packages" / "hippocampus"
    assert main(["package", "hippocampus", "--runs", str(tmp_path / "runs"), "--output", str(package)]) == 0
    card = (package / "card.md").read_text(encoding="utf-8")
    assert "| h3 | T1 |" in card
    assert "2 steps" in card
    assert set(read_package(package).manifest["expected"]["dice"]["hippocampus"]) == {
        "hippocampus", "anterior", "posterior"
    }  # fmt: skip
