"""Studies of many series, in folders and archives: sorted, listed, never chosen from in silence."""

import json
import tarfile
import zipfile

import numpy as np
import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.dicom_study import list_series, open_study
from MedSegAILib.io.read import read_volume
from MedSegAILib.io.study_series import find_study_inputs, sort_series
from Testing.makers.dicom_files import SLICES, upright_positions, voxels, write_series
from Testing.makers.shell import in_process

ROLES = ("T1", "T1ce", "T2", "FLAIR")


def add(folder, number, words, **more):
    names = [f"{number:02d}{k:03d}" for k in range(len(more.get("positions") or upright_positions()))]
    write_series(
        folder, number=number, names=names, SeriesDescription=words, Modality="MR", scale=(1.0, 0.0),
        array=voxels(len(names)) + number, **more,
    )  # fmt: skip


@pytest.fixture
def study(tmp_path):
    """Four sequences and a localizer in one folder, in files without suffix; a report and notes beside them."""
    folder = tmp_path / "study"
    for number, words in ((2, "t1_tse_tra"), (3, "t1_tse_tra_km"), (4, "t2_tse_tra"), (5, "flair_tra")):
        add(folder, number, words, EchoTime=10 * number, ProtocolName="head")
    add(folder, 1, "localizer", positions=[(0.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
    (folder / "notes.txt").write_text("not DICOM")
    return folder


def test_mixed_folder_is_sorted_into_series_with_their_tags(study):
    found = list_series(study).series
    assert [series.number for series in found] == ["1", "2", "3", "4", "5"]
    assert [series.image_count for series in found] == [2, SLICES, SLICES, SLICES, SLICES]
    assert found[0].problem.code == "series.same_position"
    assert (found[4].name, float(found[4].tags["EchoTime"])) == ("Series 5 (flair_tra)", 50.0)
    assert found[4].shape_zyx == voxels().shape
    assert not any("MARKED" in value for series in found for value in series.tags.values())


def test_each_role_gets_its_series_from_a_mixed_folder(study):
    paths, notices = find_study_inputs(study, ROLES)
    assert list(paths) == list(ROLES)
    assert notices == ()
    for number, role in ((2, "T1"), (3, "T1ce"), (4, "T2"), (5, "FLAIR")):
        np.testing.assert_array_equal(read_volume(paths[role]).array, voxels() + number)


def pack(study, kind, tmp_path):
    path = tmp_path / f"study.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in study.iterdir():
                archive.write(file, f"DICOM/A/{file.name}")
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.add(study, "export")
    return path


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_archive_is_unpacked_for_the_time_of_reading_only(kind, study, tmp_path):
    with open_study(pack(study, kind, tmp_path)) as folder:
        paths, _ = find_study_inputs(folder, ROLES)
        array = read_volume(paths["FLAIR"]).array
    np.testing.assert_array_equal(array, voxels() + 5)
    assert not folder.exists()


def test_two_candidates_for_a_role_are_asked_for(study):
    add(study, 6, "flair_cor")
    with pytest.raises(InputError) as caught:
        find_study_inputs(study, ROLES)
    assert caught.value.code == "study.ambiguous"
    assert caught.value.details["candidates"] == ["Series 5 (flair_tra)", "Series 6 (flair_cor)"]


def test_candidate_that_is_no_volume_is_left_aside_and_told(study):
    add(study, 6, "flair_loc", positions=[(0.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
    paths, notices = find_study_inputs(study, ROLES)
    assert paths["FLAIR"].name.startswith("05")
    assert [notice.code for notice in notices] == ["study.series_left_aside"]


def test_damaged_file_is_named_and_its_series_is_not_read_without_it(study):
    whole = (study / "05000").read_bytes()
    (study / "05000").write_bytes(whole[:200])
    paths, notices = find_study_inputs(study, ROLES)
    assert [notice.code for notice in notices] == ["study.damaged_files"]
    assert "05000" in notices[0].message
    with pytest.raises(InputError) as caught:
        read_volume(paths["FLAIR"])
    assert caught.value.code == "file.damaged"


def test_study_of_other_series_names_what_is_there(tmp_path):
    add(tmp_path / "study", 7, "dti_tra")
    with pytest.raises(InputError) as caught:
        find_study_inputs(tmp_path / "study", ROLES)
    assert caught.value.code == "study.nothing_found"
    assert "dti_tra" in caught.value.message


def test_series_in_several_folders_is_told_and_sorted_into_one(study, tmp_path):
    (study / "more").mkdir()
    (study / "05000").rename(study / "more" / "05000")
    assert list_series(study).series[4].problem.code == "series.scattered"
    places = sort_series(list_series(study).series, tmp_path / "sorted")
    assert sorted(path.name for path in places.values()) == [
        "1_localizer", "2_t1_tse_tra", "3_t1_tse_tra_km", "4_t2_tse_tra", "5_flair_tra",
    ]  # fmt: skip
    np.testing.assert_array_equal(read_volume(tmp_path / "sorted" / "5_flair_tra").array, voxels() + 5)


def test_archive_with_a_path_that_leads_out_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../evil.dcm", b"x")
    with pytest.raises(InputError) as caught, open_study(tmp_path / "evil.zip"):
        pass
    assert caught.value.code == "study.archive"
    assert not (tmp_path / "evil.dcm").exists()


def test_damaged_archive_and_plain_file_are_refused(study, tmp_path):
    path = pack(study, "zip", tmp_path)
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(content)
    (tmp_path / "plain.txt").write_text("text")
    for name, code in (("study.zip", "study.archive"), ("plain.txt", "study.not_a_folder"), ("none", "study.missing")):
        with pytest.raises(InputError) as caught, open_study(tmp_path / name):
            pass
        assert caught.value.code == code


def test_shell_lists_series_roles_and_candidates(study, tiny_package):
    add(study, 6, "flair_cor")
    done = in_process("dicom", "list", study, "--task", "brain-tumor", packages=tiny_package)
    assert done.returncode == 0, done.stderr
    assert "T1ce Series 3 (t1_tse_tra_km)" in " ".join(done.stdout.split())
    assert "choose: 2 series may be FLAIR" in done.stdout
    answer = json.loads(in_process("dicom", "list", study, "--json").stdout)
    assert answer["series"][4]["tags"]["ProtocolName"] == "head"
    assert "MARKED" not in json.dumps(answer)


def test_shell_sorts_an_archive(study, tmp_path):
    done = in_process("dicom", "sort", pack(study, "tgz", tmp_path), "--output", tmp_path / "sorted")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "sorted" / "2_t1_tse_tra").iterdir())) == SLICES


@pytest.mark.shared
def test_samples_of_many_scanners_are_sorted_into_their_series(shared_dir):
    found = list_series(shared_dir / "data" / "dicom_samples").series
    assert len(found) == 15
    volumes = {series.path.parent.name for series in found if series.problem is None}
    assert volumes == {
        "ct_gantry_tilt", "ct_gantry_tilt_real_pixels", "ct_head_64", "ct_jpeg2000_axial", "mr_hippocampus_crop",
        "mr_implicit_vr", "single_files",
    }  # fmt: skip
    assert all(series.problem is None or series.problem.hint.endswith(".") for series in found)
