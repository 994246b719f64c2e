"""A cascade by clicks: a first look, the box, a run from where it was dragged (stand-in for the desktop)."""

from __future__ import annotations

import pytest
from MedSegAISlicer.scene.stage_boxes import boxNodes
from MedSegAISlicer.scene.undo import UndoHistory

from MedSegAILib.core.box import StageBox
from Testing.harness.mrml import addCase
from Testing.makers.phantoms import make_labels

BOX = StageBox("tumor", (3.0, -4.0, 5.0), (30.0, 20.0, 10.0))


@pytest.fixture
def labels(tiny_case):
    return make_labels(tiny_case.reference_grid()).array


@pytest.fixture
def running(desktop, tiny_case):
    addCase(tiny_case)
    desktop.settle()
    desktop.click("segmentButton")


def test_a_first_look_is_named_provisional_until_the_result_is_there(desktop, running, clients, labels):
    (job,) = clients[0].jobs
    assert job.wantsFirstLook
    job.sayProvisional(labels)
    job.sayProgress("predict", 1, 4)
    desktop.waitFor(lambda: desktop.text("statusLabel").startswith("Provisional"), seconds=5)
    assert desktop.rows() == []
    job.sayResult(labels)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=5)
    assert len(desktop.rows()) == 3
    assert desktop.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_a_cancelled_run_leaves_no_first_look(desktop, running, clients, labels):
    clients[0].jobs[0].sayProvisional(labels)
    desktop.waitFor(lambda: desktop.text("statusLabel").startswith("Provisional"), seconds=5)
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=5)
    assert desktop.text("statusLabel") == "Cancelled. Nothing was changed."
    assert desktop.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_result_without_boxes_shows_no_button(desktop, running, clients, labels):
    clients[0].jobs[0].sayResult(labels)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=5)
    assert not desktop.find("rerunBoxButton").isVisible()


def test_a_dragged_box_is_run_from_and_an_undo_takes_its_box_along(desktop, running, clients, labels):
    clients[0].jobs[0].sayResult(labels, boxes=(BOX,))
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=5)
    first = desktop.logicResult()
    assert desktop.text("boxLabel") == "Box of tumor: drag it in a view if it lies wrong."
    desktop.click("rerunBoxButton")
    assert desktop.messages[-1][1].startswith("No box was moved.")
    boxNodes(first)["tumor"].SetSize(40.0, 20.0, 10.0)
    desktop.click("rerunBoxButton")
    assert desktop.text("segmentButton") == "Cancel"
    job = clients[0].jobs[1]
    assert job.options.boxes[0].size_mm == (40.0, 20.0, 10.0)
    job.sayResult(labels, boxes=(job.options.boxes[0],))
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=5)
    second = desktop.logicResult()
    assert [boxNodes(node)["tumor"].GetDisplayNode().GetVisibility() for node in (first, second)] == [0, 1]
    UndoHistory.of(second).undo()
    assert desktop.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 1
