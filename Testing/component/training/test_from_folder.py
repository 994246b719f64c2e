"""A folder of images and labels becomes a package by one command; folds and plan are made once and kept."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.report.dataset import look_at_dataset
from Testing.makers.shell import in_process
from training import cache, from_folder, planner
from training.__main__ import main
from training.cross_validate import FOLDS_FILE, Validation, cross_validate
from training.datasets import SETS
from training.folds import Folds, keep_folds, kfold, make_folds, read_folds
from training.from_folder import FolderOptions, open_project
from training.phantoms.sample import write_sample
from training.planner import CPU, crop_size_zyx, plan_task
from training.project import make_known, read_project
from training.recipes import RECIPES
from training.tasks import TASKS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn crops with two labels, as a folder of images and one of labels."""
    root = tmp_path_factory.mktemp("newcomer") / "Small Parts"
    for seed in (1, 2, 3):
        for path, kind in zip(write_sample("hippocampus", root / str(seed), seed), ("images", "labels"), strict=True):
            (root / kind).mkdir(exist_ok=True)
            path.rename(root / kind / f"case{seed}.nii.gz")
        (root / str(seed)).rmdir()
    return root


@pytest.fixture(autouse=True)
def small_and_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cache, "CACHE_FOLDER", tmp_path / "cache")
    monkeypatch.setattr(from_folder, "CPU", replace(CPU, width=4, whole_voxels=30_000, crop_voxels=24**3))
    before = [dict(table) for table in (TASKS, RECIPES, SETS)]
    yield
    for table, was in zip((TASKS, RECIPES, SETS), before, strict=True):
        table.clear()
        table.update(was)


def test_one_command_makes_a_package_that_segments_from_the_shell(folder: Path, tmp_path: Path) -> None:
    package = tmp_path / "packages" / "small-parts"
    done = in_process("train", "--data", folder, "--steps", 2, "--output", package)
    assert done.returncode == 0, done.stderr
    assert "medsegai segment --task small-parts --input image=IMAGE" in done.stdout
    image = folder / "images" / "case1.nii.gz"
    result = tmp_path / "result"
    ran = in_process("segment", "--task", "small-parts", "--input", f"image={image}", "--output", result,
                     packages=package)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert (result / "labels.nii.gz").is_file()
    listed = in_process("models", "list", packages=package)
    assert "small-parts" in listed.stdout
    (held_out,) = read_project(tmp_path / "packages" / "small-parts-run").recipe.held_out
    card = (package / "card.md").read_text(encoding="utf-8")
    assert f"| {held_out} | image |" in card
    command = next(line for line in card.splitlines() if "training evaluate" in line).split("`")[1]
    words = command.removeprefix("python -m training ").split()
    words[words.index("--project") + 1] = str(tmp_path / "packages" / words[words.index("--project") + 1])
    assert main(words) == 0


def test_a_held_out_study_never_trains(folder: Path, tmp_path: Path) -> None:
    project = open_project(FolderOptions(folder, tmp_path / "p"))
    make_known(project)
    training, held_out = cache.load_training(project.recipe)
    assert {sample.name for sample in held_out} == set(project.recipe.held_out)
    assert not {sample.name for sample in training} & set(project.recipe.held_out)


def test_plan_and_folds_are_read_back_as_they_were_written(folder: Path, tmp_path: Path) -> None:
    options = FolderOptions(folder, tmp_path / "p")
    first = open_project(options)
    assert read_project(options.run_folder) == first
    assert open_project(options) == first


def test_the_plan_fits_the_folder(folder: Path) -> None:
    task, recipe = plan_task(look_at_dataset(folder), "small", CPU)
    assert task.label_values == {0, 1, 2}
    assert task.roles == ("image",)
    assert recipe.activation == "softmax"
    assert recipe.arguments["out_channels"] == 3
    assert recipe.prepare[1]["spacing_mm"] == [1.0, 1.0, 1.0]
    assert recipe.crops[0].size_zyx == (40, 56, 40)  # the drawn crops are 36 x 52 x 36


def test_large_volumes_get_coarser_voxels_finest_axes_first() -> None:
    study = planner.StudyFacts("s", "", upright_shape_zyx=(50, 400, 400), upright_spacing_zyx_mm=(4.0, 0.8, 0.8))
    spacing = planner.working_spacing_zyx_mm([study], 1_000_000)
    assert spacing[0] == 4.0
    assert spacing[1] == spacing[2] > 2.0
    assert 50 * (320 / spacing[1]) ** 2 <= 1_000_000


def test_a_crop_fits_the_budget_in_multiples_of_eight() -> None:
    assert crop_size_zyx((200, 200, 20), 64**3) == (104, 104, 24)


def test_a_test_part_of_the_set_stays_out(folder: Path, tmp_path: Path) -> None:
    root = tmp_path / "with-test"
    root.mkdir()
    for kind in ("images", "labels"):
        (root / kind).symlink_to(folder / kind)
    (root / "splits.json").write_text(json.dumps({"train": ["case1", "case2"], "test": ["case3"]}), encoding="utf-8")
    assert set(open_project(FolderOptions(root, tmp_path / "p")).data.splits["train"]) == {"case1", "case2"}


def test_one_labeled_study_is_too_few(folder: Path, tmp_path: Path) -> None:
    for kind in ("images", "labels"):
        (tmp_path / "one" / kind).mkdir(parents=True)
        (tmp_path / "one" / kind / "a.nii.gz").write_bytes((folder / kind / "case1.nii.gz").read_bytes())
    with pytest.raises(InputError) as caught:
        open_project(FolderOptions(tmp_path / "one", tmp_path / "p"))
    assert caught.value.code == "data.few"


def test_the_name_of_a_shipped_task_is_refused_and_a_folder_called_so_gets_another(
    folder: Path, tmp_path: Path
) -> None:
    project = open_project(FolderOptions(folder, tmp_path / "p", name="hippocampus"))
    with pytest.raises(UsageError) as caught:
        make_known(project)
    assert caught.value.code == "training.name"
    assert FolderOptions(tmp_path / "hippocampus").task == "my-hippocampus"


def test_neither_recipe_nor_folder_is_said_in_one_sentence() -> None:
    done = in_process("train")
    assert done.returncode == 2
    assert "--data FOLDER" in done.stderr


def test_without_the_folder_training_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("MedSegAILib.cli.train.TRAINING", "nowhere_training")
    done = in_process("train", "--data", "x")
    assert done.returncode == 6
    assert "not installed" in done.stderr


# --- folds ------------------------------------------------------------------------------------------------------


def test_five_folds_of_369_cases_are_the_published_ones() -> None:
    parts = kfold(369)
    assert [part[:6] for part in parts] == [
        [0, 4, 9, 35, 39, 47],
        [8, 11, 15, 22, 23, 25],
        [3, 7, 10, 16, 18, 19],
        [6, 13, 20, 21, 29, 31],
        [1, 2, 5, 12, 14, 17],
    ]
    assert [len(part) for part in parts] == [74, 74, 74, 74, 73]


def test_studies_of_one_patient_stay_in_one_fold() -> None:
    names = [f"p{patient}-{visit}" for patient in range(12) for visit in range(3)]
    folds = make_folds(names, {name: name.split("-")[0] for name in names})
    for fold in folds.folds:
        assert all(f"{name.split('-')[0]}-{visit}" in fold for name in fold for visit in range(3))
    assert sorted(name for fold in folds.folds for name in fold) == sorted(names)


def test_kept_folds_are_never_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    path.write_text(json.dumps({"folds": [["a", "c"], ["b"]]}), encoding="utf-8")
    assert keep_folds(path, ["a", "b", "c"]) == Folds((("a", "c"), ("b",)), {})
    with pytest.raises(InputError) as caught:
        keep_folds(path, ["a", "b", "c", "d"])
    assert caught.value.code == "folds.changed"
    assert "d" in caught.value.message


def test_a_patient_in_two_folds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    path.write_text(json.dumps({"folds": [["a"], ["b"]], "groups": {"a": "p", "b": "p"}}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_folds(path)
    assert caught.value.code == "folds.file"


def lines_of(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as stream:
        return sum(1 for _ in csv.reader(stream))


def test_cross_validation_scores_every_study_by_a_run_that_held_it_out(folder: Path, tmp_path: Path) -> None:
    project = open_project(FolderOptions(folder, tmp_path / "p"))
    make_known(project)
    recipe = project.recipe
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
