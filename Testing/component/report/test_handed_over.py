"""A looked-at result as files: edits and overlaps as handed over, all files or none, and DICOM told where it fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from MedSegAILib.core.errors import ResourceError, WorkerError
from MedSegAILib.core.handover import HandedSegment, Handover
from MedSegAILib.core.run import Cancel, ignore_progress
from MedSegAILib.io.read import read_volume
from MedSegAILib.io.segmentation_nrrd import read_segmentation
from MedSegAILib.report.handed_over import plain, write_handed_over
from MedSegAILib.worker.transfer_handover import read_handover, write_handover
from MedSegAILib.worker.verbs import answer
from Testing.makers.phantoms import oblique_grid

GRID = oblique_grid()
TERMS = "c~SCT^49755003^Lesion~SCT^108369006^Neoplasm~^^~r~SCT^12738006^Brain~^^"


@pytest.fixture
def handed() -> Handover:
    """Two segments that overlap, one empty, and labels in a box."""
    first = HandedSegment("WT", "Whole", (1.0, 0.5, 0.25), np.ones((3, 4, 5), bool), (1, 2, 3), TERMS)
    second = HandedSegment("a/b", "Mine", (0.0, 0.5, 1.0), np.ones((2, 2, 2), bool), (2, 3, 4))
    empty = HandedSegment("ET", "None", (0.0, 0.0, 1.0), np.zeros((0, 0, 0), bool), (0, 0, 0))
    labels = np.full((3, 4, 5), 2, np.uint8)
    return Handover(GRID, (first, second, empty), labels, (1, 2, 3), {"task": "t"}, {"note.txt": "é\n"})


def test_all_segments_overlaps_and_names_come_back(handed, tmp_path):
    paths, notices = write_handed_over(handed, tmp_path)
    assert [path.name for path in paths] == [
        "note.txt", "segmentation.seg.nrrd", "labels.nii.gz", "mask-WT.nii.gz", "mask-a_b.nii.gz", "mask-ET.nii.gz",
    ]  # fmt: skip
    assert notices == ()
    segments, grid = read_segmentation(tmp_path / "segmentation.seg.nrrd")
    assert grid.is_same_as(GRID)
    assert [(one.id, one.name, one.mask.sum()) for one in segments] == [
        ("WT", "Whole", 60),
        ("a/b", "Mine", 8),
        ("ET", "None", 0),
    ]
    assert segments[0].terminology.type.value == "108369006"
    assert (segments[0].mask & segments[1].mask).sum() == 8
    assert read_volume(tmp_path / "labels.nii.gz").array.sum() == 2 * 60
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "é\n"


def test_what_stands_against_dicom_is_told_and_the_other_files_are_written(handed, tmp_path):
    (tmp_path / "image.dcm").write_bytes(b"no DICOM")
    paths, (notice,) = write_handed_over(replace(handed, dicom=str(tmp_path / "image.dcm")), tmp_path / "out")
    assert len(paths) == 6
    assert notice.code == "dicom_seg.not_written"
    assert notice.message.startswith("No DICOM segmentation was written: ")


def test_nothing_is_left_where_it_cannot_be_written(handed, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="Nothing can be written to file"):
        write_handed_over(handed, tmp_path / "file")


def test_a_handover_survives_its_way_to_the_worker(handed, tmp_path):
    again = read_handover(write_handover(handed, tmp_path), tmp_path)
    assert again.grid.is_same_as(GRID)
    np.testing.assert_array_equal(again.labels, handed.labels)
    for one, other in zip(again.segments, handed.segments, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        assert vars(replace(one, mask=other.mask)) == vars(other)
    assert (again.passport, again.texts, again.is_edited) == ({"task": "t"}, {"note.txt": "é\n"}, False)


@pytest.mark.parametrize("harm", [{"shape_zyx": [1, 2]}, {"segments": [{}]}, {"labels_dtype": "nothing"}, {"texts": 3}])
def test_a_broken_handover_is_a_protocol_error(handed, tmp_path, harm):
    message = {**write_handover(handed, tmp_path), **harm}
    with pytest.raises(WorkerError, match="do not understand"):
        read_handover(message, tmp_path)


def test_an_unknown_verb_is_a_protocol_error_and_export_answers_with_the_files(handed, tmp_path):
    def ask(verb: str) -> dict[str, object]:
        arguments = {"handover": write_handover(handed, tmp_path), "output": str(tmp_path / "out")}
        return answer(verb, arguments, tmp_path, ignore_progress, Cancel())

    with pytest.raises(WorkerError, match="nothing is known of 'dance'"):
        ask("dance")
    assert Path(ask("export")["files"][0]).is_file()


def test_ids_of_segments_become_names_of_files():
    assert plain("my own/../é") == "my_own____é"
