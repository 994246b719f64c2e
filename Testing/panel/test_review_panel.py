"""The section "Review" by clicks and keys, on real MRML, in the stand-in for the desktop (not Slicer itself)."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

from MedSegAILib.core.doubt import Doubt, Place
from Testing.harness.edits import paint
from Testing.harness.mrml import addCase, addLayout
from Testing.makers.phantoms import make_labels

DOUBT = Doubt(
    (Place("TC", "disagreement", (3.0, -4.0, 5.0), 2.5, 0.4), Place("WT", "image_edge", (9.0, 0.0, 4.0), 0.5)),
    {"TC": 2.5},
    pass_count=2,
)
BOX = (slice(2, 5), slice(2, 5), slice(2, 5))


@pytest.fixture
def nodes(desktop, tiny_case):
    loaded = addCase(tiny_case)
    desktop.settle()
    return loaded


@pytest.fixture
def shown(desktop, nodes, clients, tiny_case):
    """The segmentation node of a finished run."""
    desktop.click("segmentButton")
    clients[0].jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array, doubt=DOUBT)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    return desktop.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")


@pytest.fixture
def view(desktop):
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(desktop.scene, True)
    node = desktop.scene.CreateNodeByClass("vtkMRMLSliceNode")
    node.UnRegister(None)
    node.SetLayoutName("Red")
    node = desktop.scene.AddNode(node)
    yield node
    desktop.scene.RemoveNode(node)


def center(view):
    return tuple(round(view.GetSliceToRAS().GetElement(row, 3), 3) for row in range(3))


def test_places_are_gone_through_by_button_and_by_key(desktop, shown, view):
    assert desktop.text("placeLabel") == "Places to look at: 2, the most volume at stake first."
    desktop.click("nextPlaceButton")
    assert desktop.text("placeLabel") == "Place 1 of 2: Tumor core, members or views disagree, 2.5 mL"
    assert center(view) == (3.0, -4.0, 5.0)
    assert desktop.find("regionTable").currentRow() == 1
    desktop.press("N")
    assert center(view) == (9.0, 0.0, 4.0)
    desktop.press("Shift+N")
    assert center(view) == (3.0, -4.0, 5.0)
    desktop.click("previousPlaceButton")
    assert desktop.text("placeLabel").startswith("Place 2 of 2: Whole tumor, touches the image edge")


def test_regions_are_accepted_and_rejected_one_after_the_other(desktop, shown):
    assert desktop.states() == ["To do", "To do", "To do"]
    desktop.find("readerLineEdit").setText(" AB ")
    desktop.click("acceptButton")
    desktop.press("Shift+A")
    desktop.press("Shift+R")
    assert desktop.states() == ["Accepted", "Accepted", "Rejected"]
    assert "by AB" in desktop.find("regionTable").item(0, 3).toolTip()
    assert "disagree about 2.5 mL" in desktop.find("regionTable").item(1, 3).toolTip()


def test_an_edit_is_seen_in_volume_and_state_when_the_brush_rests(desktop, shown, nodes):
    desktop.click("acceptButton")
    before = float(desktop.rows()[0][1])
    paint(shown, "WT", nodes["T1"], BOX)
    desktop.waitFor(lambda: desktop.states()[0] == "Edited", seconds=3)
    assert float(desktop.rows()[0][1]) > before
    assert desktop.states()[1:] == ["To do", "To do"]


def test_a_region_is_hidden_and_shown_and_slicers_own_eye_is_followed(desktop, shown):
    desktop.tick(1)
    display = shown.GetDisplayNode()
    assert [display.GetSegmentVisibility(name) for name in ("WT", "TC", "ET")] == [True, False, True]
    desktop.widget.exit()
    display.SetSegmentVisibility("ET", False)
    desktop.widget.enter()
    desktop.settle()
    boxes = [desktop.find("regionTable").item(row, 0).checkState().value > 0 for row in range(3)]
    assert boxes == [True, False, False]


def test_a_result_without_doubt_says_so_and_offers_no_step(desktop, nodes, clients, tiny_case):
    desktop.click("segmentButton")
    clients[0].jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    assert desktop.text("placeLabel") == "No doubtful places are known. Check the result slice by slice."
    assert not desktop.find("nextPlaceButton").isEnabled()
    desktop.press("N")


def test_keys_work_only_while_the_module_is_shown(desktop, shown, view):
    desktop.widget.exit()
    desktop.press("N")
    assert desktop.text("placeLabel").startswith("Places to look at")
    desktop.widget.enter()
    desktop.press("N")
    assert desktop.text("placeLabel").startswith("Place 1 of 2")


def test_an_edit_after_the_node_has_gone_does_nothing(desktop, shown, nodes):
    segmentation = shown.GetSegmentation()
    desktop.scene.RemoveNode(shown)
    desktop.settle()
    segmentation.GetSegment("WT").SetName("renamed")
    desktop.settle()
    assert desktop.rows() == []
    assert np.asarray(desktop.widget.panel.review.Observations).size == 0


@pytest.fixture
def second(desktop, shown, nodes, clients, tiny_case):
    """A second version, without any enhancing tumor, after a touch on the first."""
    paint(shown, "WT", nodes["T1"], BOX)
    array = make_labels(tiny_case.reference_grid()).array
    array[array == 4] = 1
    desktop.click("segmentButton")
    clients[0].jobs[1].sayResult(array)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    return desktop.logicResult()


def test_one_version_shows_no_choice_of_versions(desktop, shown):
    assert not desktop.find("versionComboBox").isVisible()
    assert not desktop.find("takeRegionButton").isVisible()


def test_a_second_run_is_a_second_version_told_apart_and_gone_back_from(desktop, shown, second):
    box = desktop.find("versionComboBox")
    assert [box.itemText(index) for index in range(box.count())] == [shown.GetName(), f"{shown.GetName()} (2)"]
    assert (shown.GetDisplayNode().GetVisibility(), second.GetDisplayNode().GetVisibility()) == (0, 1)
    assert desktop.text("changeLabel").startswith(f"Against {shown.GetName()}, in mL: WT +0.0 \N{MINUS SIGN}0.0")
    assert desktop.rows()[2] == ["Enhancing tumor", "0.0"]
    box.setCurrentIndex(0)
    desktop.settle()
    assert desktop.logicResult() is shown
    assert (shown.GetDisplayNode().GetVisibility(), second.GetDisplayNode().GetVisibility()) == (1, 0)
    assert desktop.states()[0] == "Edited"
    assert not desktop.find("takeRegionButton").isEnabled()
    assert not desktop.find("changeLabel").isVisible()


def test_a_region_is_taken_back_from_the_version_before(desktop, shown, second):
    desktop.click("takeRegionButton")
    assert desktop.text("statusLabel") == "Choose a region in the table first."
    desktop.find("regionTable").selectRow(2)
    desktop.click("takeRegionButton")
    assert desktop.text("statusLabel") == f"Taken from {shown.GetName()}."
    desktop.waitFor(lambda: desktop.states()[2] == "Edited", seconds=3)
    assert float(desktop.rows()[2][1]) > 0


def test_stroke_and_accept_are_undone_by_button_and_by_key_with_their_names(desktop, shown, nodes):
    before = desktop.rows()
    paint(shown, "WT", nodes["T1"], BOX)
    desktop.waitFor(lambda: desktop.states()[0] == "Edited", seconds=3)
    assert desktop.find("undoButton").toolTip().startswith("Undo: Brush in Whole tumor (+")
    desktop.find("regionTable").selectRow(1)
    desktop.click("acceptButton")
    assert desktop.find("undoButton").toolTip() == "Undo: Accept Tumor core. Key: Ctrl+Z"
    desktop.click("undoButton")
    assert desktop.states() == ["Edited", "To do", "To do"]
    assert desktop.text("statusLabel") == "Undone: Accept Tumor core."
    desktop.press("Ctrl+Z")
    assert (desktop.states(), desktop.rows()) == (["To do"] * 3, before)
    desktop.press("Ctrl+Y")
    assert desktop.states()[0] == "Edited"
    desktop.click("redoButton")
    assert desktop.states()[:2] == ["Edited", "Accepted"]
    assert not desktop.find("redoButton").isEnabled()


def test_clearing_a_segment_is_seen_and_undone(desktop, shown):
    slicer.vtkSlicerSegmentationsModuleLogic.ClearSegment(shown, "ET")
    desktop.waitFor(lambda: desktop.states()[2] == "Edited", seconds=3)
    assert desktop.rows()[2] == ["Enhancing tumor", "0.0"]
    desktop.click("undoButton")
    assert desktop.states()[2] == "To do"
    assert float(desktop.rows()[2][1]) > 0


def test_a_run_is_undone_to_the_version_before_and_the_first_to_nothing(desktop, shown, second):
    desktop.click("undoButton")
    assert desktop.logicResult() is shown
    assert shown.GetDisplayNode().GetVisibility()
    desktop.click("undoButton")  # the touch
    desktop.click("undoButton")
    assert (desktop.logicResult(), desktop.rows()) == (None, [])
    assert not desktop.find("undoButton").isEnabled()
    desktop.click("redoButton")
    assert desktop.logicResult() is shown
    assert desktop.states() == ["To do"] * 3


def test_a_closed_scene_leaves_nothing_to_undo(desktop, shown):
    assert desktop.find("undoButton").isEnabled()
    desktop.scene.Clear(0)
    desktop.settle()
    assert not desktop.find("undoButton").isEnabled()


def test_a_lock_is_a_click_and_a_stroke_into_it_is_told(desktop, shown, nodes):
    table = desktop.find("regionTable")
    desktop.tick(0, column=4)
    assert table.item(0, 4).checkState().value > 0
    assert desktop.find("undoButton").toolTip().startswith("Undo: Lock Whole tumor.")
    paint(shown, "WT", nodes["T1"], BOX)
    desktop.waitFor(lambda: desktop.states()[0] == "Edited", seconds=3)
    assert desktop.text("statusLabel").startswith("Whole tumor is locked, yet")
    desktop.click("undoButton")
    desktop.tick(0, column=4)
    assert desktop.find("undoButton").toolTip().startswith("Undo: Unlock Whole tumor.")


def test_sequences_are_put_side_by_side_and_back_by_one_button(desktop, shown):
    desktop.click("sideBySideButton")
    assert desktop.text("statusLabel").startswith("The volumes of this result are not in the scene")
    layout = addLayout(desktop.scene)
    desktop.click("sideBySideButton")
    assert layout.GetViewArrangement() == layout.SlicerLayoutCompareGridView
    desktop.press("Shift+S")
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpView
    desktop.scene.RemoveNode(layout)
