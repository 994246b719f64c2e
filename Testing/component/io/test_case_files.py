"""Several files to one case, and label maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.io import read_case, read_label_map, read_study
from MedSegAILib.io.case_files import read_case_with_notices
from Testing.makers.nifti_files import nifti_raw, ramp, write
from Testing.makers.phantoms import write_study


def test_case_holds_each_role_under_its_name(tiny_case: Any, tmp_path: Path) -> None:
    paths = write_study(tiny_case, tmp_path / "Größe 標本 (1)")
    case = read_case(paths, reference="T2", name="phantom")
    assert (list(case.volumes), case.reference, case.name) == (["T1", "T1ce", "T2", "FLAIR"], "T2", "phantom")
    for role, volume in case.volumes.items():
        assert volume.name == role
        np.testing.assert_array_equal(volume.array, tiny_case.volumes[role].array)


def test_study_folder_becomes_the_case_of_what_is_there(tiny_case: Any, tmp_path: Path) -> None:
    write_study(tiny_case, tmp_path)
    (tmp_path / "T2.nii.gz").unlink()
    case = read_study(tmp_path, ["T1", "T1ce", "T2", "FLAIR"])
    assert list(case.volumes) == ["T1", "T1ce", "FLAIR"]
    assert case.name == "case"  # a folder may be called after a patient


def test_one_file_for_two_roles_is_refused_also_through_a_link(tiny_case: Any, tmp_path: Path) -> None:
    paths = write_study(tiny_case, tmp_path)
    (tmp_path / "link.nii.gz").symlink_to(paths["T1"])
    for same in (paths["T1"], tmp_path / ".." / tmp_path.name / "T1.nii.gz", tmp_path / "link.nii.gz"):
        with pytest.raises(InputError) as caught:
            read_case({"T1": paths["T1"], "T2": same})
        assert caught.value.code == "case.same_file"


def test_missing_file_and_no_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_case({"T1": tmp_path / "not_there.nii.gz"})
    assert caught.value.code == "file.missing"
    with pytest.raises(UsageError):
        read_case({})


def test_notices_of_all_files_come_together(tmp_path: Path) -> None:
    paths = {role: write(tmp_path / f"{role}.nii", nifti_raw(forms=(0, 0))) for role in ("T1", "T2")}
    _, notices = read_case_with_notices(paths)
    assert [notice.code for notice in notices] == ["volume.no_orientation"] * 2


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (ramp("f4") % 5, np.uint8),
        (ramp("i4") % 300, np.uint8),
        (ramp("i4") * 500, np.uint16),
        (ramp("u1") * 0, np.uint8),
    ],
)
def test_label_map_gets_the_smallest_whole_type(array: np.ndarray, dtype: type, tmp_path: Path) -> None:
    labels = read_label_map(write(tmp_path / "seg.nii", nifti_raw(array))).array
    assert labels.dtype == dtype
    np.testing.assert_array_equal(labels, array)


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (ramp("f4") * 0.5, "labels.not_whole"),
        (ramp("f4") * np.nan, "labels.not_whole"),
        (ramp("f4") + np.inf, "labels.not_whole"),
        (ramp("i2") - 1, "labels.negative"),
        (ramp("i4") * 600, "labels.too_large"),
    ],
)
def test_what_is_no_label_map_is_refused(array: np.ndarray, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_label_map(write(tmp_path / "seg.nii", nifti_raw(array)))
    assert caught.value.code == code
    assert caught.value.hint


def test_text_in_place_of_a_mask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_label_map(write(tmp_path / "seg.nii.gz", b"a report about a tumor\n"))
    assert caught.value.code == "file.not_an_image"


def test_unreadable_file_is_told_with_the_reason(tmp_path: Path) -> None:
    loop = tmp_path / "loop.nii.gz"
    loop.symlink_to(loop)  # root may read every file; nobody can open this one
    for path in (loop, tmp_path / ("x" * 300)):
        with pytest.raises(InputError) as caught:
            read_label_map(path)
        assert caught.value.code == "file.unreadable"
