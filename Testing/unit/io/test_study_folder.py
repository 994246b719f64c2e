"""Names of files and folders to sequences."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.study_folder import find_inputs, role_of

ROLES = ("T1", "T1ce", "T2", "FLAIR")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("T1.nii.gz", "T1"),
        ("T1ce.nii.gz", "T1ce"),
        ("t2.NII", "T2"),
        ("FLAIR.nrrd", "FLAIR"),
        ("BraTS20_Training_001_t1.nii.gz", "T1"),
        ("BraTS20_Training_001_t1ce.nii.gz", "T1ce"),
        ("BraTS20_Training_001_flair.nii.gz", "FLAIR"),
        ("BraTS2021_00006_t2.nii.gz", "T2"),
        ("BraTS-GLI-00000-000-t1n.nii.gz", "T1"),
        ("BraTS-GLI-00000-000-t1c.nii.gz", "T1ce"),
        ("BraTS-GLI-00000-000-t2w.nii.gz", "T2"),
        ("BraTS-GLI-00000-000-t2f.nii.gz", "FLAIR"),
        ("sub-01_ses-1_T2w_FLAIR.nii.gz", "FLAIR"),
        ("patient_T1_Gd.nii.gz", "T1ce"),
        ("t1_ce", "T1ce"),
        ("T1+C axial", "T1ce"),
        ("ax t1 post contrast", "T1ce"),
        ("t1 pre contrast.mha", "T1"),
        ("t1_without_contrast.nii", "T1"),
        ("t1km.mhd", "T1ce"),
        ("seg.nii.gz", None),
        ("BraTS20_Training_001_seg.nii.gz", None),
        ("T1_mask.nii.gz", None),
        ("T1ce_label_map.nii.gz", None),
        ("auto_consensus_T1ce_grid.nii.gz", None),
        ("prediction_flair.nii.gz", None),
        ("T1_seg2.nii.gz", None),
        ("T1_T2_difference.nii.gz", None),
        ("T1_to_FLAIR.nii.gz", None),
        ("adc.nii.gz", None),
        ("patient1.nii.gz", None),
        ("TT1.nii.gz", None),
    ],
)
def test_name_tells_its_sequence(name: str, role: str | None) -> None:
    assert role_of(name, ROLES) == role


def test_other_roles_are_looked_for_as_words() -> None:
    assert role_of("abdomen_CT_venous.nii.gz", ["CT"]) == "CT"
    assert role_of("actor.nii.gz", ["CT"]) is None
    assert role_of("T1.nii.gz", ["CT"]) is None


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
