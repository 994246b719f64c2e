"""Which studies a root or a table holds; none is passed over in silence."""

import pytest

from MedSegAILib.batch.record import content_sha256, stamp_of
from MedSegAILib.batch.studies import find_studies
from MedSegAILib.core.errors import UsageError
from Testing.makers.dicom_files import write_series

ROLES = ("T1", "T1ce", "T2", "FLAIR")


def put(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")


def found(source, tmp_path, **more):
    return {study.id: study for study in find_studies(source, ROLES, tmp_path / "out", **more)}


def test_folders_are_found_however_deep_and_empty_ones_are_told(tmp_path):
    root = tmp_path / "root"
    put(root / "site1" / "case1", "T1.nii.gz", "FLAIR.nii.gz")
    put(root / "case2", "T1.nii.gz", "seg.nii.gz")
    put(root / "case3")
    put(root / "case4", "notes.txt")
    put(root / ".hidden", "T1.nii.gz")
    studies = found(root, tmp_path)
    assert set(studies) == {"site1_case1", "case2", "case3", "case4"}
    assert set(studies["site1_case1"].inputs) == {"T1", "FLAIR"}
    assert studies["case3"].error.code == studies["case4"].error.code == "study.nothing_found"


def test_dicom_series_folders_make_one_study(tmp_path):
    put(tmp_path / "root" / "case1" / "T1", "1.dcm", "2.dcm")
    put(tmp_path / "root" / "case1" / "FLAIR", "1.dcm")
    studies = found(tmp_path / "root", tmp_path)
    assert set(studies["case1"].inputs) == {"T1", "FLAIR"}


def add_series(folder, number, study_uid, words):
    write_series(
        folder, number=number, names=[f"{number}_{k}" for k in range(5)], series=f"{study_uid}.{number}",
        StudyInstanceUID=study_uid, SeriesDescription=words, Modality="MR",
    )  # fmt: skip


def test_mixed_dicom_folders_are_one_study_each(tmp_path):
    for case in ("case1", "case2"):
        for number, words in ((1, "t1_tra"), (2, "flair_tra")):
            add_series(tmp_path / "root" / case / "DICOM", number, f"1.2.{case[-1]}", words)
    put(tmp_path / "root" / "case3", "T1.nii.gz")
    studies = found(tmp_path / "root", tmp_path)
    assert {name: set(study.inputs) for name, study in studies.items()} == {
        "case1": {"T1", "FLAIR"},
        "case2": {"T1", "FLAIR"},
        "case3": {"T1"},
    }


def test_two_patients_with_one_sequence_each_are_never_taken_for_one(tmp_path):
    add_series(tmp_path / "root" / "case1", 1, "1.2.1", "t1_tra")
    add_series(tmp_path / "root" / "case2", 2, "1.2.2", "flair_tra")
    studies = found(tmp_path / "root", tmp_path)
    assert {name: set(study.inputs) for name, study in studies.items()} == {"case1": {"T1"}, "case2": {"FLAIR"}}


def test_what_a_user_must_know_of_the_inputs_stays_with_the_study(tmp_path):
    add_series(tmp_path / "root" / "case1" / "T1", 1, "1.2.1", "t1_tra")
    add_series(tmp_path / "root" / "case1" / "FLAIR", 2, "1.2.1", "flair_tra")
    (tmp_path / "root" / "case1" / "FLAIR" / "9.dcm").write_bytes(b"x")
    assert [notice.code for notice in found(tmp_path / "root", tmp_path)["case1"].notices] == ["study.damaged_files"]


def test_a_file_of_the_table_settles_what_its_folder_leaves_in_doubt(tmp_path):
    put(tmp_path / "images", "T1.nii.gz", "t1w.nii.gz", "FLAIR.nii.gz")
    (tmp_path / "table.csv").write_text("study,folder,T1\ncase1,images,images/t1w.nii.gz\n", encoding="utf-8")
    study = found(tmp_path / "table.csv", tmp_path)["case1"]
    assert {role: path.name for role, path in study.inputs.items()} == {"T1": "t1w.nii.gz", "FLAIR": "FLAIR.nii.gz"}


def test_a_series_in_a_mixed_folder_is_stamped_with_all_its_files(tmp_path):
    add_series(tmp_path, 1, "1.2.1", "t1_tra")
    before = stamp_of(tmp_path / "1_0"), content_sha256(tmp_path / "1_0")
    assert before[0]["files"] == 5
    (tmp_path / "1_3").write_bytes((tmp_path / "1_3").read_bytes() + b"x")
    assert stamp_of(tmp_path / "1_0") != before[0]
    assert content_sha256(tmp_path / "1_0") != before[1]


def test_ambiguous_study_is_told_with_its_error(tmp_path):
    put(tmp_path / "root" / "case1", "T1.nii.gz", "t1w.nii.gz")
    assert found(tmp_path / "root", tmp_path)["case1"].error.code == "study.ambiguous"


def test_output_inside_the_root_is_not_searched(tmp_path):
    put(tmp_path / "case1", "T1.nii.gz")
    put(tmp_path / "out" / "studies" / "case1", "T1.nii.gz")
    assert set(found(tmp_path, tmp_path)) == {"case1"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table_names_files_by_role_or_folders(tmp_path, delimiter):
    put(tmp_path / "images", "T1.nii.gz", "FLAIR.nii.gz")
    lines = [
        ["study", "folder", "T1", "reference"],
        ["case1", "images", "", "FLAIR"],
        ["case2", "", "images/T1.nii.gz", ""],
        ["case3", "", "", ""],
    ]
    text = "\ufeff" + "\n".join(delimiter.join(line) for line in lines)
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    studies = found(tmp_path / "table.csv", tmp_path)
    assert set(studies["case1"].inputs) == {"T1", "FLAIR"}
    assert studies["case1"].reference == "FLAIR"
    assert studies["case2"].inputs == {"T1": tmp_path / "images" / "T1.nii.gz"}
    assert studies["case3"].error.code == "study.nothing_found"


@pytest.mark.parametrize("text", ["name,T1\na,b\n", "study\na\n", "study,T1\na,x\na,y\n", "study,T1\n,x\n", ""])
def test_table_that_cannot_be_used_is_refused(tmp_path, text):
    (tmp_path / "table.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        found(tmp_path / "table.csv", tmp_path)
    assert caught.value.code in {"batch.table", "batch.nothing"}


def test_missing_source_and_empty_root_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no folder or table"):
        found(tmp_path / "none", tmp_path)
    (tmp_path / "root").mkdir()
    with pytest.raises(UsageError, match="No study"):
        found(tmp_path / "root", tmp_path)
