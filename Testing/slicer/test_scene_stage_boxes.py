"""Boxes of a cascade as ROI nodes on real MRML: in place on every grid, dragged, given back to a run, saved."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.segmentations import showResult
from MedSegAISlicer.scene.stage_boxes import boxesNow, boxNodes, movedBoxes, runAgainFrom, showBoxes
from MedSegAISlicer.scene.statistics import keepInputs
from MedSegAISlicer.scene.volumes import caseFromNodes

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.errors import UsageError
from Testing.harness.fake_worker import makeResult
from Testing.harness.mrml import addTransform, addVolume
from Testing.makers.phantoms import make_labels, oblique_grid

AXES = oblique_grid().ijk_to_ras[:3, :3] / np.linalg.norm(oblique_grid().ijk_to_ras[:3, :3], axis=0)
OBLIQUE = tuple(tuple(float(value) for value in axis) for axis in AXES.T)
LEFT_HANDED = (OBLIQUE[0], OBLIQUE[1], tuple(-value for value in OBLIQUE[2]))


@pytest.fixture(params=["oblique", "left-handed", "under a transform"])
def result(scene, request):
    grid = oblique_grid()
    volume = addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")
    if request.param == "under a transform":
        shift = np.eye(4)
        shift[:3, 3] = 40, -3, 2
        volume.SetAndObserveTransformNodeID(addTransform(scene, shift).GetID())
    axes = LEFT_HANDED if request.param == "left-handed" else OBLIQUE
    box = StageBox("tumor", (3.0, -4.0, 5.0), (30.0, 20.0, 10.0), axes)
    found = makeResult(caseFromNodes({"T1": volume}), make_labels(grid).array, boxes=(box,))
    node = showResult(scene, found, volume, "Tumor")
    keepInputs(node, {"T1": volume})
    showBoxes(node, (box,))
    return node


def corners(box):
    return sorted(tuple(round(value, 6) for value in corner) for corner in box.corners_ras_mm())


def test_a_box_lies_where_the_stage_looked_and_is_not_moved(result):
    (box,) = boxesNow(result)
    wanted = StageBox("tumor", (3.0, -4.0, 5.0), (30.0, 20.0, 10.0), OBLIQUE)
    np.testing.assert_allclose(corners(box), corners(wanted), atol=1e-6)
    assert movedBoxes(result) == ()
    with pytest.raises(UsageError, match="No box was moved"):
        runAgainFrom(result)


def test_a_dragged_box_is_what_a_run_takes(result):
    node = boxNodes(result)["tumor"]
    assert node.GetDisplayNode().GetHandlesInteractive()
    node.SetSize(40.0, 20.0, 10.0)
    node.SetCenter(*np.add(node.GetCenter(), (1.0, 2.0, 3.0)))
    task, inputs, options = runAgainFrom(result)
    assert (task, list(inputs)) == ("brain-tumor", ["T1"])
    (box,) = options.boxes
    np.testing.assert_allclose(box.center_ras_mm, (4.0, -2.0, 8.0), atol=1e-6)
    np.testing.assert_allclose(box.size_mm, (40.0, 20.0, 10.0), atol=1e-6)


def test_a_box_moved_by_a_transform_of_its_own_is_read_in_the_frame_of_the_result(scene, result):
    node, shift = boxNodes(result)["tumor"], np.eye(4)
    parent = result.GetParentTransformNode()
    shift[:3, 3] = 5, 0, 0
    node.SetAndObserveTransformNodeID(addTransform(scene, shift, "moved", parent).GetID())
    (box,) = movedBoxes(result)
    np.testing.assert_allclose(box.center_ras_mm, (8.0, -4.0, 5.0), atol=1e-6)


def test_boxes_and_volumes_that_are_gone_are_told(scene, result):
    boxNodes(result)["tumor"].SetSize(40.0, 20.0, 10.0)
    scene.RemoveNode(result.GetNodeReference("MedSegAI.Input.T1"))
    with pytest.raises(UsageError, match="not in the scene any more: T1"):
        runAgainFrom(result)
    scene.RemoveNode(boxNodes(result)["tumor"])
    assert boxesNow(result) == ()


def test_a_box_survives_the_scene_being_saved(scene, result, tmp_path):
    (before,) = boxesNow(result)
    text = tmp_path / "scene.mrb"
    assert scene.WriteToMRB(str(text))
    scene.Clear(0)
    scene.ReadFromMRB(str(text))
    again = scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    (box,) = boxesNow(again)
    np.testing.assert_allclose(corners(box), corners(before), atol=1e-3)
    assert movedBoxes(again) == ()
    assert isinstance(boxNodes(again)["tumor"], slicer.vtkMRMLMarkupsROINode)
