"""Everything of a result as files, read back by our own readers and by Slicer; and a run as lines of Python."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.export import exportResult
from MedSegAISlicer.scene.logic import SegmentationLogic
from MedSegAISlicer.scene.python_line import pythonLines
from MedSegAISlicer.scene.review import decide
from MedSegAISlicer.scene.segmentations import maskFromSegment, readPassport, showResult
from MedSegAISlicer.scene.volumes import caseFromNodes

from MedSegAILib.core.errors import ResourceError, UsageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.io.read import read_volume
from Testing.harness.edits import paint
from Testing.harness.fake_worker import SCHEME, FakeClient, makeResult
from Testing.harness.mrml import addCase, addTransform, addVolume, segmentationFingerprint
from Testing.makers.phantoms import make_labels, oblique_grid

LEFT_HANDED = np.array([[-0.9, 0, 0, 31.5], [0, 1.1, 0, -12.25], [0, 0, 2.5, 7.75], [0, 0, 0, 1]])


@pytest.fixture(params=["oblique", "left-handed", "under a transform"])
def volume(scene, request):
    grid = oblique_grid()
    matrix = LEFT_HANDED if request.param == "left-handed" else grid.ijk_to_ras
    node = addVolume(np.zeros(grid.shape_zyx, np.float32), matrix, "reference")
    if request.param == "under a transform":
        shift = np.eye(4)
        shift[:3, 3] = 40, -3, 2
        node.SetAndObserveTransformNodeID(addTransform(scene, shift).GetID())
    return node


@pytest.fixture
def labels(volume):
    return make_labels(oblique_grid()).array


@pytest.fixture
def result(scene, volume, labels):
    return showResult(scene, makeResult(caseFromNodes({"T1": volume}), labels), volume, "Tumor")


def as_in(volume, path):
    """A file's voxels on the grid of a node without its parent; the file may hold them in another order."""
    read = read_volume(path)
    local = addVolume(np.zeros(read.array.shape, np.uint8), read.grid.ijk_to_ras, "grid of the file")
    back = np.linalg.inv(np.array(slicer.util.arrayFromVTKMatrix(local_matrix(volume)))) @ read.grid.ijk_to_ras
    slicer.mrmlScene.RemoveNode(local)
    where = np.argwhere(read.array)
    ijk = np.rint(where[:, ::-1] @ back[:3, :3].T + back[:3, 3]).astype(int)
    array = np.zeros(volume.GetImageData().GetDimensions()[::-1], read.array.dtype)
    array[tuple(ijk[:, ::-1].T)] = read.array[tuple(where.T)]
    return array


def local_matrix(volume):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return matrix


def test_all_files_hold_the_result_in_place(result, volume, labels, tmp_path):
    decide(result, "WT", "accepted", "AB")
    before = segmentationFingerprint(result)
    files = {path.name: path for path in exportResult(result, tmp_path / "out", FakeClient())}
    assert list(files) == [
        "volumes.csv",
        "passport.json",
        "audit.json",
        "audit.csv",
        "statistics.csv",
        "segmentation.seg.nrrd",
        "labels.nii.gz",
        "mask-WT.nii.gz",
        "mask-TC.nii.gz",
        "mask-ET.nii.gz",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(files)
    np.testing.assert_array_equal(as_in(volume, files["labels.nii.gz"]), labels)
    for region in SCHEME.regions:
        found = as_in(volume, tmp_path / "out" / f"mask-{region.name}.nii.gz")
        np.testing.assert_array_equal(found > 0, np.isin(labels, region.labels), err_msg=region.name)
    rows = list(csv.DictReader(files["volumes.csv"].read_text(encoding="utf-8").splitlines()))
    assert [(row["region"], row["state"]) for row in rows] == [("WT", "accepted"), ("TC", "to do"), ("ET", "to do")]
    passport = json.loads(files["passport.json"].read_text(encoding="utf-8"))
    assert passport == json.loads(json.dumps(readPassport(result).to_json()))
    assert passport["use"].startswith("Research use only")
    assert segmentationFingerprint(result) == before


def test_slicer_reads_the_segmentation_back(scene, result, volume, labels, tmp_path):
    exportResult(result, tmp_path, FakeClient())
    again = slicer.modules.segmentations.logic().LoadSegmentationFromFile(
        str(tmp_path / "segmentation.seg.nrrd"), True, "again"
    )
    again.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    np.testing.assert_array_equal(maskFromSegment(again, "TC", volume), np.isin(labels, (1, 4)))
    assert result.GetStorageNode() is None


def test_edits_and_segments_of_the_user_are_exported_too_and_the_volume_may_be_gone(scene, result, volume, tmp_path):
    box = (slice(1, 3), slice(1, 3), slice(1, 3))
    paint(result, "ET", volume, box)
    result.GetSegmentation().AddEmptySegment("my own/../segment", "Mine", (1, 1, 0))
    wanted = maskFromSegment(result, "ET", volume)
    files = exportResult(result, tmp_path, FakeClient())
    assert (tmp_path / "mask-my_own____segment.nii.gz") in files
    np.testing.assert_array_equal(as_in(volume, tmp_path / "mask-ET.nii.gz") > 0, wanted)
    assert as_in(volume, tmp_path / "labels.nii.gz")[box].tolist() == np.full((2, 2, 2), 4).tolist()
    scene.RemoveNode(volume)
    assert len(exportResult(result, tmp_path / "again", FakeClient())) == len(files)


def test_an_empty_result_is_exported_whole(scene, volume, labels, tmp_path):
    empty = showResult(scene, makeResult(caseFromNodes({"T1": volume}), np.zeros_like(labels)), volume)
    exportResult(empty, tmp_path, FakeClient())
    assert not read_volume(tmp_path / "labels.nii.gz").array.any()


def test_a_segmentation_of_others_and_a_place_that_cannot_be_written_are_told(scene, result, tmp_path):
    users = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    with pytest.raises(UsageError, match="not made by a run of ours"):
        exportResult(users, tmp_path, FakeClient())
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="Nothing can be written to file"):
        exportResult(result, tmp_path / "file", FakeClient())


class AnsweringClient(FakeClient):
    """A worker that answers each job at once, so that a script may wait for it."""

    def segment_async(self, case, task, options, **more):
        job = super().segment_async(case, task, options, **more)
        job.sayResult(make_labels(case.reference_grid()).array)
        return job


@pytest.mark.parametrize("options", [RunOptions(), RunOptions(preset="fast", repair=("resample",))])
@pytest.mark.parametrize("names", ["plain", "same", "odd"])
def test_the_lines_of_python_repeat_the_run(scene, tiny_case, monkeypatch, options, names):
    import sys
    import types

    nodes = addCase(tiny_case)
    if names == "same":
        nodes["T2"].SetName(nodes["T1"].GetName())
    elif names == "odd":
        nodes["T1"].SetName("a 'quoted' [name]*")
        nodes["T2"].SetName("")
    client = AnsweringClient()
    module = types.ModuleType("MedSegAI")
    module.MedSegAILogic = lambda: SegmentationLogic(client)
    monkeypatch.setitem(sys.modules, "MedSegAI", module)
    text = pythonLines({**nodes, "FLAIR": None}, "brain-tumor", options)
    space = {"slicer": slicer}
    exec(text, space)  # the point of the test
    assert space["segmentation"].IsA("vtkMRMLSegmentationNode")
    (job,) = client.jobs
    assert (job.task, job.options) == ("brain-tumor", options)
    assert sorted(job.case.volumes) == ["T1", "T1ce", "T2"]
    for role, found in job.case.volumes.items():
        np.testing.assert_array_equal(found.array, tiny_case.volumes[role].array)
    assert ("RunOptions" in text) == (options != RunOptions())
