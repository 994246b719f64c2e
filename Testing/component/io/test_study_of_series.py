"""A study of DICOM series: roles by their headers, several series in one folder too, and the samples at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.role_tags import claim_of_tags
from MedSegAILib.io import read_study, read_volume
from MedSegAILib.io.dicom_roles import series_in
from MedSegAILib.io.study_folder import find_study
from Testing.makers.dicom_files import voxels, write_series

ROLES = ("T1", "T1ce", "T2", "FLAIR")
SERIES = {
    2: {"SeriesDescription": "t1_se_tra", "EchoTime": 9, "RepetitionTime": 500},
    3: {"SeriesDescription": "t1_se_tra", "EchoTime": 9, "RepetitionTime": 500, "ContrastBolusAgent": "Gadovist"},
    4: {"SeriesDescription": "tra", "EchoTime": 98, "RepetitionTime": 4500},
    5: {"SeriesDescription": "tra", "EchoTime": 90, "RepetitionTime": 9000, "InversionTime": 2500},
    6: {"SeriesDescription": "localizer"},
}


def write_study(folder: Path, *, apart: bool = False) -> Path:
    for number, tags in SERIES.items():
        place = folder / f"S{number}" if apart else folder
        names = [f"{number}_{k}.dcm" for k in range(5)]
        write_series(place, array=voxels() + number, number=number, names=names, Modality="MR", **tags)
    return folder


@pytest.mark.parametrize("apart", [True, False], ids=["a folder a series", "all in one folder"])
def test_series_find_their_roles_by_their_headers(tmp_path, apart):
    found = find_study(write_study(tmp_path, apart=apart), ROLES)
    assert list(found.paths) == list(ROLES)
    assert "its DICOM header names a contrast agent" in found.guesses[1].reason
    case = read_study(tmp_path, ROLES)
    assert [int(case.volumes[role].array.min()) for role in ROLES] == [2 - 1024, 3 - 1024, 4 - 1024, 5 - 1024]


def test_several_series_in_a_subfolder_are_told_apart(tmp_path):
    write_study(tmp_path / "everything")
    paths = find_study(tmp_path, ROLES).paths
    assert [path.parent.name for path in paths.values()] == ["everything"] * 4


def test_two_series_of_one_kind_are_asked_for_by_number_and_never_by_description(tmp_path):
    for number in (2, 3):
        write_series(tmp_path / f"S{number}", number=number, Modality="MR", SeriesDescription="t2 Miller")
    with pytest.raises(InputError) as asked:
        find_study(tmp_path, ROLES)
    assert asked.value.code == "study.ambiguous"
    assert "S2 (its series description says T2" in asked.value.message
    assert "Miller" not in str(asked.value)


@pytest.mark.shared
def test_the_samples_at_hand_claim_what_their_headers_say(shared_dir):
    expected = {
        "ct_head_64": "other",
        "ct_jpeg2000_axial": "other",
        "mr_enhanced_multiframe": "other",  # resting state, its echo planar technique stands in its own element
        "mr_hippocampus_crop": "",
        "mr_implicit_vr": "",  # TE 12, TR 4000: proton density
        "mr_mixed_orientation": "T2",
        "mr_oblique_missing_slice": "other",  # diffusion
        "sc_rgb_jpeg2000": "T1",
    }
    folder = shared_dir / "data" / "dicom_samples"
    told = {name: claim_of_tags(series_in(folder / name)[0].tags, ROLES).role for name in expected}
    assert told == expected


def test_a_file_of_a_series_reads_the_whole_series(tmp_path):
    write_study(tmp_path)
    path = find_study(tmp_path, ROLES).paths["FLAIR"]
    assert path.is_file()
    assert read_volume(path).array.shape[0] == 5
