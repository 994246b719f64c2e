"""Results to segmentation nodes on real MRML: right voxels in place for every orientation, saved and reloaded."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import slicer
import vtk
from MedSegAISlicer.scene.segmentations import maskFromSegment, readPassport, showResult, statements, terminologyTag
from MedSegAISlicer.scene.volumes import caseFromNodes

from MedSegAILib.core.errors import WorkerError
from MedSegAILib.core.result import Notice
from Testing.harness.fake_worker import SCHEME, makeResult
from Testing.harness.mrml import addTransform, addVolume
from Testing.makers.phantoms import aligned_grid, oblique_grid

TILT = np.array([[0.8, 0, 0.6, 40], [0, 1, 0, -20], [-0.6, 0, 0.8, 3], [0, 0, 0, 1]])
SHAPE = (14, 17, 20)


def axis_orders():
    """All 48 ways to lay the index axes along the patient axes; half of them are left-handed."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            matrix = np.zeros((4, 4))
            matrix[3, 3] = 1
            for column, (row, sign) in enumerate(zip(order, signs, strict=True)):
                matrix[row, column] = sign * (0.9, 1.1, 2.5)[column]
            matrix[:3, 3] = 31.5, -12.25, 7.75
            yield pytest.param(
                matrix, id="".join("RAS"[row] if s > 0 else "LPI"[row] for row, s in zip(order, signs, strict=True))
            )


def labels_with_a_mark(shape=SHAPE):
    """A tumor of random voxels with a lone voxel in one corner: no flip or shift can hide."""
    random = np.random.default_rng(3)
    labels = np.zeros(shape, np.uint8)
    labels[3:9, 4:12, 5:15] = random.choice(np.array([0, 1, 2, 4], np.uint8), (6, 8, 10))
    labels[0, 0, 0] = 4
    labels[-1, 1, 2] = 2
    return labels


def shown(scene, matrix, labels, parent=None, name="MedSegAI"):
    node = addVolume(np.zeros(labels.shape, np.float32), matrix, "reference")
    if parent is not None:
        node.SetAndObserveTransformNodeID(parent.GetID())
    result = makeResult(caseFromNodes({"T1": node}), labels)
    return node, showResult(scene, result, node, name)


def assert_in_place(segmentation, volume, labels):
    for region in SCHEME.regions:
        np.testing.assert_array_equal(
            maskFromSegment(segmentation, region.name, volume), np.isin(labels, region.labels), err_msg=region.name
        )


@pytest.mark.parametrize("matrix", list(axis_orders()))
def test_every_axis_order_gets_the_right_voxels_saved_and_reloaded(scene, tmp_path, matrix):
    labels = labels_with_a_mark()
    volume, segmentation = shown(scene, matrix, labels)
    assert_in_place(segmentation, volume, labels)
    assert_in_place(saved_and_reloaded(scene, segmentation, tmp_path), volume, labels)


@pytest.mark.parametrize(
    "grid", [aligned_grid(size=24), oblique_grid(), oblique_grid(41.0)], ids=["aligned", "20", "41"]
)
@pytest.mark.parametrize("depth", [0, 1, 2], ids=["no parent", "parent", "parent of parent"])
def test_oblique_grids_and_parents_get_the_right_voxels(scene, tmp_path, grid, depth):
    parent = None
    for _ in range(depth):
        parent = addTransform(scene, TILT, parent=parent)
    labels = labels_with_a_mark(grid.shape_zyx)
    volume, segmentation = shown(scene, grid.ijk_to_ras, labels, parent)
    assert segmentation.GetParentTransformNode() is parent
    assert_in_place(segmentation, volume, labels)


def test_the_world_position_is_that_of_the_volume_under_its_parent(scene):
    grid, parent = oblique_grid(), addTransform(scene, TILT)
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[5, 7, 11] = 4
    _, segmentation = shown(scene, grid.ijk_to_ras, labels, parent)
    wanted = (TILT @ grid.ijk_to_ras @ [11, 7, 5, 1])[:3]
    bounds = np.zeros(6)
    segmentation.GetRASBounds(bounds)
    centers = (bounds[::2] + bounds[1::2]) / 2
    np.testing.assert_allclose(centers, wanted, atol=1e-3)


def test_a_segmentation_can_be_read_on_a_volume_under_another_parent(scene):
    labels = labels_with_a_mark()
    parent = addTransform(scene, TILT)
    _, segmentation = shown(scene, np.diag([1.0, 1.5, 2.0, 1.0]), labels, parent)
    other = addVolume(np.zeros(SHAPE, np.int16), TILT @ np.diag([1.0, 1.5, 2.0, 1.0]), "same place, no parent")
    np.testing.assert_array_equal(maskFromSegment(segmentation, "TC", other), np.isin(labels, (1, 4)))


def saved_and_reloaded(scene, segmentation, folder):
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    segmentation.SetAndObserveStorageNodeID(storage.GetID())
    path = str(folder / "result.seg.nrrd")
    storage.SetFileName(path)
    assert storage.WriteData(segmentation)
    return slicer.modules.segmentations.logic().LoadSegmentationFromFile(path, True, "again")


def test_regions_overlap_and_carry_name_color_and_code_through_a_file(scene, tmp_path):
    labels = labels_with_a_mark()
    volume, segmentation = shown(scene, np.eye(4), labels)
    again = saved_and_reloaded(scene, segmentation, tmp_path)
    for node in (segmentation, again):
        inner = node.GetSegmentation()
        assert list(inner.GetSegmentIDs()) == ["WT", "TC", "ET"]
        assert inner.GetNumberOfLayers() == 3
        for region in SCHEME.regions:
            segment = inner.GetSegment(region.name)
            assert segment.GetName() == region.title
            np.testing.assert_allclose(segment.GetColor(), region.color, atol=1e-6)
            assert not segment.GetNameAutoGenerated()
            assert not segment.GetColorAutoGenerated()
        assert_in_place(node, volume, labels)
        assert code_of(inner.GetSegment("WT")) == "Neoplasm"


def code_of(segment):
    value = vtk.reference("")
    assert segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), value)
    entry = slicer.vtkSlicerTerminologyEntry()
    assert slicer.modules.terminologies.logic().DeserializeTerminologyEntry(str(value), entry)
    assert entry.GetRegionObject().GetCodeMeaning() == "Brain"
    assert entry.GetCategoryObject().GetCodeValue() == "49755003"
    return entry.GetTypeObject().GetCodeMeaning()


def test_a_region_without_a_code_gets_no_tag():
    assert terminologyTag(SCHEME.region("TC")) == ""


def test_the_reference_geometry_is_that_of_the_volume(scene):
    volume, segmentation = shown(scene, np.diag([1.0, 1.5, 2.0, 1.0]), labels_with_a_mark())
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    assert segmentation.GetNodeReference(role) is volume
    segmentation.GetSegmentation().RemoveAllSegments()
    segmentation.GetSegmentation().AddEmptySegment("drawn", "drawn")
    import slicer.util as util

    assert util.arrayFromSegmentBinaryLabelmap(segmentation, "drawn", volume).shape == SHAPE


def test_an_empty_region_stays_a_named_segment_that_can_be_painted_and_is_told_in_words(scene):
    labels = labels_with_a_mark()
    labels[labels == 4] = 1
    volume, segmentation = shown(scene, np.eye(4), labels)
    assert segmentation.GetSegmentation().GetSegment("ET").GetName() == "Enhancing tumor"
    assert not maskFromSegment(segmentation, "ET", volume).any()
    assert json.loads(segmentation.GetAttribute("MedSegAI.Statements")) == ["No enhancing tumor was found."]
    editor = slicer.vtkSlicerSegmentEditorLogic()
    editor.SetMRMLScene(scene)
    editor.SetSegmentEditorNode(scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode"))
    editor.SetSegmentationNode(segmentation)
    editor.SetSourceVolumeNode(volume)
    editor.SetCurrentSegmentID("ET")
    editor.UpdateReferenceGeometryImage()
    editor.ResetModifierLabelmapToDefault()
    painted = editor.GetModifierLabelmap()
    from vtk.util.numpy_support import vtk_to_numpy

    vtk_to_numpy(painted.GetPointData().GetScalars()).reshape(painted.GetDimensions()[::-1])[2:4, 3:5, 4:6] = 1
    painted.Modified()
    editor.ModifySegmentByLabelmap(segmentation, "ET", painted, editor.ModificationModeAdd, False, False)
    assert maskFromSegment(segmentation, "ET", volume).sum() == 8


def test_notices_follow_the_empty_regions(scene):
    node = addVolume(np.zeros(SHAPE, np.float32), np.eye(4), "reference")
    notice = Notice("case.missing_role", "T2 is missing.", "Add it.")
    result = makeResult(caseFromNodes({"T1": node}), np.zeros(SHAPE, np.uint8), (notice,))
    assert statements(result)[0] == "No whole tumor was found."
    assert statements(result)[-1] == "T2 is missing. Add it."


def test_the_passport_travels_with_the_node(scene):
    node = addVolume(np.zeros(SHAPE, np.float32), np.eye(4), "reference")
    result = makeResult(caseFromNodes({"T1": node}), labels_with_a_mark())
    segmentation = showResult(scene, result, node)
    assert readPassport(segmentation) == result.passport
    assert readPassport(scene.AddNewNodeByClass("vtkMRMLSegmentationNode")) is None


def test_each_run_makes_a_new_node_with_its_own_name(scene):
    volume, first = shown(scene, np.eye(4), labels_with_a_mark())
    second = showResult(scene, makeResult(caseFromNodes({"T1": volume}), labels_with_a_mark()), volume)
    assert first is not second
    assert first.GetName() != second.GetName()


def test_a_result_on_another_grid_is_refused_and_leaves_nothing(scene):
    node = addVolume(np.zeros(SHAPE, np.float32), np.eye(4), "reference")
    result = makeResult(caseFromNodes({"T1": node}), labels_with_a_mark())
    moved = vtk.vtkMatrix4x4()
    moved.SetElement(0, 3, 5.0)
    node.SetIJKToRASMatrix(moved)
    with pytest.raises(WorkerError, match="does not lie on the grid"):
        showResult(scene, result, node)
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
