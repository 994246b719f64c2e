"""The labeled sets: what is known of each, and that test studies cannot train."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.errors import InputError, UsageError
from training import cache, datasets
from training.datasets import SETS, data_folder, find_studies, read_study, refuse_test, region_masks
from training.recipes import BRAIN_TUMOR_SMALL
from training.recipes.recipe import PhantomShare
from training.tasks.brain_tumor import BRAIN_TUMOR, CHANNELS

TUMOR_SETS = ("four_sequences", "more", "lgg")  # what is drawn here


def test_known_regions_and_sequences_come_with_each_study(drawn_sets: Path) -> None:
    found = {name: find_studies(name, "train", drawn_sets / "data")[0] for name in TUMOR_SETS}
    assert {name: study.known for name, study in found.items()} == {
        "four_sequences": CHANNELS, "more": CHANNELS, "lgg": ("WT",)
    }  # fmt: skip
    assert {name: tuple(study.files) for name, study in found.items()} == {
        "four_sequences": ("T1", "T1ce", "T2", "FLAIR"), "more": ("FLAIR",), "lgg": ("T1ce", "FLAIR")
    }  # fmt: skip


def test_a_test_study_is_refused_for_training_by_name(drawn_sets: Path) -> None:
    train = find_studies("more", "train", drawn_sets / "data")
    refuse_test(train)
    with pytest.raises(UsageError) as caught:
        refuse_test([*train, *find_studies("more", "test", drawn_sets / "data")])
    assert caught.value.code == "training.test_study"
    assert "three" in caught.value.message


def test_no_test_study_gets_into_what_trains(drawn_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(datasets.DATA_VARIABLE, str(drawn_sets))
    monkeypatch.setattr(cache, "CACHE_FOLDER", tmp_path)
    recipe = replace(BRAIN_TUMOR_SMALL, held_out=("two",), phantoms=PhantomShare(count=0))
    training, monitoring = cache.load_training(recipe)
    assert {(s.set_name, s.name) for s in training} == {(name, "one") for name in TUMOR_SETS}
    assert {(s.set_name, s.name) for s in monitoring} == {(name, "two") for name in TUMOR_SETS}
    again, _ = cache.load_training(recipe)  # now from the files
    for first, second in zip(training, again, strict=True):
        assert np.array_equal(first.image, second.image)
        assert np.array_equal(first.target, second.target)
        assert (first.roles, first.known) == (second.roles, second.known)


def test_a_sample_lies_on_the_working_grid_with_the_volume_of_the_reference(drawn_sets: Path) -> None:
    study = find_studies("four_sequences", "train", drawn_sets / "data")[0]
    case, labels = read_study(study, BRAIN_TUMOR)
    sample = cache.prepare_sample(case, labels, study.known, BRAIN_TUMOR_SMALL, study.set_name)
    assert sample.image.shape[1:] == sample.target.shape[1:]
    assert all(count % 8 == 0 for count in sample.target.shape[1:])
    # A rim as thin as the file's 4 mm voxels loses more by "half or more" than a compact region does.
    for mask, theirs, allowed in zip(
        sample.target, region_masks(labels.array, BRAIN_TUMOR, CHANNELS), (0.2, 0.08, 0.08), strict=True
    ):
        assert mask.sum() * 0.008 == pytest.approx(theirs.sum() * 0.064, rel=allowed)
    flair = sample.image[3].astype(np.float32)
    whole = sample.target[2] > 0
    assert flair[whole].mean() > 1.2 * flair[(flair > 0) & ~whole].mean()  # the mask lies on the bright lesion


def test_only_whole_tumor_is_known_of_the_heads(drawn_sets: Path) -> None:
    study = find_studies("lgg", "train", drawn_sets / "data")[0]
    sample = cache.prepare_sample(*read_study(study, BRAIN_TUMOR), study.known, BRAIN_TUMOR_SMALL, study.set_name)
    assert sample.known == (False, False, True)
    assert sample.roles == ("T1ce", "FLAIR")


def copied(drawn_sets: Path, tmp_path: Path) -> Path:
    place = tmp_path / "data" / "brain_tumor_more"
    shutil.copytree(drawn_sets / "data" / "brain_tumor_more", place)
    return place


def test_an_unknown_label_value_is_refused(drawn_sets: Path, tmp_path: Path) -> None:
    place = copied(drawn_sets, tmp_path)
    image = SimpleITK.ReadImage(str(place / "one" / "seg.nii.gz"))
    SimpleITK.WriteImage(image * 3, str(place / "one" / "seg.nii.gz"))
    with pytest.raises(InputError) as caught:
        read_study(find_studies("more", "train", tmp_path / "data")[0], BRAIN_TUMOR)
    assert caught.value.code == "data.labels"
    assert "12" in caught.value.message


def test_a_reference_on_another_grid_is_refused(drawn_sets: Path, tmp_path: Path) -> None:
    place = copied(drawn_sets, tmp_path)
    image = SimpleITK.ReadImage(str(place / "one" / "seg.nii.gz"))
    image.SetOrigin((3.0, 0.0, 0.0))
    SimpleITK.WriteImage(image, str(place / "one" / "seg.nii.gz"))
    with pytest.raises(InputError) as caught:
        read_study(find_studies("more", "train", tmp_path / "data")[0], BRAIN_TUMOR)
    assert caught.value.code == "data.grid"


def test_a_study_without_reference_is_refused(drawn_sets: Path, tmp_path: Path) -> None:
    place = copied(drawn_sets, tmp_path)
    (place / "two" / "seg.nii.gz").unlink()
    with pytest.raises(InputError) as caught:
        find_studies("more", "train", tmp_path / "data")
    assert caught.value.code == "data.study"
    assert "two" in caught.value.message


@pytest.mark.parametrize(("set_name", "part", "code"), [("lungs", "train", "data.set"), ("more", "all", "data.part")])
def test_an_unknown_set_or_part_is_refused(drawn_sets: Path, set_name: str, part: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_studies(set_name, part, drawn_sets / "data")
    assert caught.value.code == code


@pytest.mark.shared
def test_the_real_sets_have_the_splits_of_their_pages(shared_dir: Path) -> None:
    counts = {
        (name, part): len(find_studies(name, part, shared_dir / "data"))
        for name in TUMOR_SETS
        for part in ("train", "test")
    }
    assert list(counts.values()) == [8, 3, 24, 6, 71, 16]
    for name in SETS:
        splits = json.loads((shared_dir / "data" / SETS[name].folder / "splits.json").read_text(encoding="utf-8"))
        assert not set(splits["train"]) & set(splits["test"])


@pytest.mark.shared
def test_the_recipe_holds_out_train_studies_that_exist(shared_dir: Path) -> None:
    names = {study.name for name in TUMOR_SETS for study in find_studies(name, "train", shared_dir / "data")}
    assert set(BRAIN_TUMOR_SMALL.held_out) <= names


def test_the_variable_names_the_folder_of_the_data(drawn_sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(datasets.DATA_VARIABLE, str(drawn_sets))
    assert data_folder() == drawn_sets / "data"
