"""Names of files and folders to sequences."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.study_folder import find_inputs, find_study

ROLES = ("T1", "T1ce", "T2", "FLAIR")


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def test_study_gives_one_path_a_role_in_the_order_of_the_roles(tmp_path: Path) -> None:
    touch(
        tmp_path, "x_flair.nii.gz", "x_t1.nii.gz", "x_seg.nii.gz", "notes.txt", "meta.json", "._x_t2.nii.gz", "t2.png"
    )
    (tmp_path / "T1_CE").mkdir()
    touch(tmp_path / "T1_CE", "0001.dcm")
    (tmp_path / "T2").mkdir()  # an empty folder is no series
    found = find_inputs(tmp_path, ROLES)
    assert list(found) == ["T1", "T1ce", "FLAIR"]
    assert [path.name for path in found.values()] == ["x_t1.nii.gz", "T1_CE", "x_flair.nii.gz"]


def test_two_names_for_one_role_are_listed_not_chosen(tmp_path: Path) -> None:
    touch(tmp_path, "T1.nii.gz", "T1_registered.nii.gz", "T2.nii.gz")
    with pytest.raises(InputError) as caught:
        find_inputs(tmp_path, ROLES)
    assert caught.value.code == "study.ambiguous"
    assert caught.value.details == {"role": "T1", "candidates": ["T1.nii.gz", "T1_registered.nii.gz"]}
    assert "T1_registered.nii.gz" in caught.value.message


def test_folder_without_inputs_and_no_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_inputs(touch(tmp_path, "seg.nii.gz"), ROLES)
    assert caught.value.code == "study.nothing_found"
    with pytest.raises(InputError) as caught:
        find_inputs(tmp_path / "not_there", ROLES)
    assert caught.value.code == "study.missing"


def test_a_given_input_settles_what_is_in_doubt(tmp_path: Path) -> None:
    touch(tmp_path, "T1.nii.gz", "T1_registered.nii.gz", "FLAIR.nii.gz")
    found = find_study(tmp_path, ROLES, {"T1": tmp_path / "T1_registered.nii.gz"})
    assert {role: path.name for role, path in found.paths.items()} == {
        "T1": "T1_registered.nii.gz",
        "FLAIR": "FLAIR.nii.gz",
    }
    assert found.notices == ()


def test_how_each_role_was_found_is_told(tmp_path: Path) -> None:
    found = find_study(touch(tmp_path, "x_flair.nii.gz", "x_t1c.nii.gz", "x_adc.nii.gz", "x_t1.nii.gz"), ROLES)
    told = {entry["image"]: (entry["role"], entry["reason"], entry["source"]) for entry in found.to_json()}
    assert told["x_t1c.nii.gz"] == ("T1ce", "Its name says T1ce.", "words")
    assert told["x_adc.nii.gz"] == (None, "Its name says another kind of picture.", None)
    assert all(0.0 <= entry["confidence"] <= 1.0 for entry in found.to_json())


def test_an_image_that_cannot_be_read_is_no_input_unless_its_name_says_so(tmp_path: Path) -> None:
    assert list(find_inputs(touch(tmp_path, "flair.nii.gz", "scan.nii.gz"), ROLES)) == ["FLAIR"]
