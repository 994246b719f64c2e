"""Cross-validation: every study is held out once, scored by a package that never saw it, and whole folds stay."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from MedSegAILib.core.errors import UsageError
from training import cache, from_folder
from training.cross_validate import FOLDS_FILE, Validation, cross_validate
from training.datasets import SETS
from training.folds import read_folds
from training.from_folder import FolderOptions, open_project
from training.phantoms.sample import write_sample
from training.planner import CPU
from training.project import make_known
from training.recipes import RECIPES, find_recipe
from training.recipes.recipe import Recipe
from training.tasks import TASKS


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """The recipe of a set of four drawn crops, three of them in its part train."""
    monkeypatch.setattr(cache, "CACHE_FOLDER", tmp_path / "cache")
    monkeypatch.setattr(from_folder, "CPU", replace(CPU, width=4, whole_voxels=30_000, crop_voxels=24**3))
    before = [dict(table) for table in (TASKS, RECIPES, SETS)]
    root = tmp_path / "parts"
    for seed in (1, 2, 3, 4):
        for path, kind in zip(write_sample("hippocampus", root / str(seed), seed), ("images", "labels"), strict=True):
            (root / kind).mkdir(exist_ok=True)
            path.rename(root / kind / f"case{seed}.nii.gz")
        (root / str(seed)).rmdir()
    project = open_project(FolderOptions(root, tmp_path / "package"))
    make_known(project)
    yield project.recipe
    for table, was in zip((TASKS, RECIPES, SETS), before, strict=True):
        table.clear()
        table.update(was)


def lines_of(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as stream:
        return sum(1 for _ in csv.reader(stream))


def test_every_study_is_scored_once_by_a_run_that_held_it_out(recipe: Recipe, tmp_path: Path) -> None:
    plan = Validation(recipe.name, tmp_path / "folds", folds=2, steps=2)
    scores = cross_validate(recipe, plan)
    folds = read_folds(plan.folder / FOLDS_FILE)
    trained = SETS[recipe.name].splits["train"]
    assert sorted(score.study for score in scores.studies) == sorted(trained)
    assert sorted(name for fold in folds.folds for name in fold) == sorted(trained)
    for number, names in enumerate(folds.folds):
        with (plan.folder / f"fold-{number}" / "monitor.csv").open(newline="", encoding="utf-8") as stream:
            assert {row["study"] for row in csv.DictReader(stream)} == set(names)
    logs = [plan.folder / f"fold-{number}" / "losses.csv" for number in range(len(folds.folds))]
    before = [lines_of(log) for log in logs]
    assert cross_validate(recipe, plan).means() == scores.means()
    assert [lines_of(log) for log in logs] == before


def test_a_set_that_does_not_train_the_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not train on 'ibsr18'"):
        cross_validate(find_recipe("hippocampus"), Validation("ibsr18", tmp_path))


def test_one_recipe_of_a_cascade_is_no_package(tmp_path: Path) -> None:
    recipe = replace(find_recipe("pancreas-organ-small"), crops=find_recipe("hippocampus").crops)
    with pytest.raises(UsageError, match="2 stages"):
        cross_validate(recipe, Validation("hippocampus", tmp_path))
