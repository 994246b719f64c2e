"""The section "Correct" by clicks and keys, on real MRML, in the stand-in for the desktop (not Slicer itself).

The mouse in a slice view is Slicer's own: a test puts the points into the markup that is being placed and ends the
placing, as the view does.
"""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from MedSegAISlicer.scene.correct_prompts import markupsOf, promptsOf
from MedSegAISlicer.scene.segmentations import maskFromSegment
from MedSegAISlicer.scene.volumes import gridFromNode

from MedSegAILib.core.doubt import Doubt, Place
from Testing.harness.edits import contents, paint
from Testing.harness.mrml import addCase
from Testing.makers.wrong_heads import cut_head

MISSING = (21.0, -7.0, 5.0)
EXTRA = (-15.0, 9.0, -9.0)  # a ball far from the tumor that the result has for nothing
DOUBT = Doubt((Place("WT", "island", EXTRA, 4.2),), {"WT": 1.0}, pass_count=2)
WHOLE_TUMOR = 0


@pytest.fixture
def shown(desktop, clients, tiny_case):
    """The segmentation node of a finished run that lacks a part of the tumor and has an island."""
    nodes = addCase(tiny_case)
    desktop.settle()
    desktop.click("segmentButton")
    labels = cut_head(tiny_case.reference_grid())[1].array.copy()
    k, j, i = near(tiny_case.reference_grid(), EXTRA)
    labels[k - 2 : k + 3, j - 2 : j + 3, i - 2 : i + 3] = 2
    clients[0].jobs[0].sayResult(labels, doubt=DOUBT)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    desktop.volume = nodes["T1"]
    desktop.find("regionTable").selectRow(WHOLE_TUMOR)
    return desktop.logicResult()


def near(grid, point):
    i, j, k = np.round(np.linalg.inv(grid.ijk_to_ras) @ [*point, 1.0])[:3].astype(int)
    return k, j, i


def place(desktop, *points):
    """Put points where the mouse would, and end the placing."""
    markup = tool(desktop).markup
    for point in points:
        markup.AddControlPoint(vtk.vtkVector3d(*point))
    interaction = desktop.scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)
    desktop.settle()
    panel = main(desktop).correct
    desktop.waitFor(lambda: panel.correcting is None or panel.correcting.state != "running")
    desktop.settle()


def main(desktop):
    return next(value for value in vars(desktop.widget).values() if type(value).__name__ == "MainPanel")


def tool(desktop):
    return main(desktop).correct.tool


def inside(node, desktop, point):
    return bool(maskFromSegment(node, "WT", desktop.volume)[near(gridFromNode(desktop.volume), point)])


def test_a_click_with_the_key_brings_back_what_is_missing(desktop, shown):
    assert not inside(shown, desktop, MISSING)
    desktop.press("I")
    assert tool(desktop).isPlacing
    assert desktop.text("statusLabel").startswith("Click into a slice view.")
    place(desktop, MISSING)
    assert inside(shown, desktop, MISSING)
    assert desktop.text("statusLabel").startswith("Include click in Whole tumor: +")
    assert not tool(desktop).isPlacing
    assert len(markupsOf(shown)) == 1


def test_a_look_first_changes_nothing_until_apply(desktop, shown):
    desktop.find("correctModeComboBox").setCurrentIndex(1)
    before = contents(shown, desktop.volume)
    desktop.click("includeButton")
    place(desktop, MISSING)
    assert contents(shown, desktop.volume) == before
    assert "preview" in desktop.text("statusLabel")
    assert desktop.scene.GetFirstNodeByName("Preview of the correction") is not None
    desktop.click("discardPreviewButton")
    assert desktop.scene.GetFirstNodeByName("Preview of the correction") is None
    assert contents(shown, desktop.volume) == before
    desktop.click("includeButton")
    place(desktop, MISSING)
    desktop.click("applyPreviewButton")
    assert inside(shown, desktop, MISSING)
    assert not desktop.find("applyPreviewButton").isVisible()


def test_a_locked_region_is_refused_with_a_sentence(desktop, shown):
    desktop.tick(WHOLE_TUMOR, 4)
    before = contents(shown, desktop.volume)
    desktop.click("includeButton")
    place(desktop, MISSING)
    assert "locked" in desktop.text("statusLabel")
    assert contents(shown, desktop.volume) == before


def test_a_placing_is_given_up_with_the_key_and_with_another_module(desktop, shown):
    count = desktop.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsNode")
    desktop.click("excludeButton")
    desktop.press("Shift+X")
    assert not tool(desktop).isPlacing
    desktop.click("excludeButton")
    desktop.widget.exit()
    assert not tool(desktop).isPlacing
    assert desktop.scene.GetNumberOfNodesByClass("vtkMRMLMarkupsNode") == count
    desktop.widget.enter()


def test_doubt_of_a_run_that_the_worker_does_not_know_is_told(desktop, shown):
    desktop.click("doubtButton")
    assert "no longer known" in desktop.text("statusLabel")
    assert desktop.text("doubtButton") == "Show doubt"


def test_the_whole_correction_of_a_study(desktop, shown, tmp_path):
    """Next doubt, exclude click, undo, redo, scribble, brush, undo twice, accept, export, save, reload, click."""
    volume = desktop.volume
    states = [contents(shown, volume)]
    desktop.press("N")
    assert desktop.text("placeLabel").startswith("Place 1 of 1: Whole tumor, an island apart from the rest")
    desktop.press("X")
    place(desktop, EXTRA)
    states.append(contents(shown, volume))
    assert states[1] != states[0]
    assert not inside(shown, desktop, EXTRA)
    desktop.press("Ctrl+Z")
    assert contents(shown, volume) == states[0]
    assert promptsOf(shown) == markupsOf(shown) == []
    desktop.press("Ctrl+Y")
    assert contents(shown, volume) == states[1]
    assert len(promptsOf(shown)) == len(markupsOf(shown)) == 1
    desktop.find("correctToolComboBox").setCurrentIndex(1)
    desktop.press("I")
    place(desktop, (19.0, -11.0, 5.0), (19.0, -3.0, 5.0))
    states.append(contents(shown, volume))
    assert inside(shown, desktop, (19.0, -7.0, 5.0))
    paint(shown, "WT", volume, (slice(2, 5), slice(2, 5), slice(2, 5)))
    desktop.settle()
    desktop.click("undoButton")
    assert contents(shown, volume) == states[2]
    desktop.click("undoButton")
    assert contents(shown, volume) == states[1]
    desktop.find("regionTable").selectRow(WHOLE_TUMOR)
    desktop.click("acceptButton")
    assert desktop.states()[WHOLE_TUMOR] == "Accepted"
    desktop.find("exportDirectoryButton")._setDirectory(str(tmp_path))
    desktop.click("exportCorrectionsButton")
    assert (tmp_path / "corrections" / "study" / "prompts.json").is_file()
    file = str(tmp_path / "scene.mrb")
    assert desktop.scene.WriteToMRB(file)
    desktop.scene.Clear(0)
    desktop.settle()
    assert desktop.scene.ReadFromMRB(file)
    desktop.settle()
    back = desktop.logicResult()
    assert desktop.states()[WHOLE_TUMOR] == "Accepted"
    assert len(promptsOf(back)) == len(markupsOf(back)) == 1
    desktop.volume = back.GetNodeReference(back.GetReferenceImageGeometryReferenceRole())
    desktop.find("correctToolComboBox").setCurrentIndex(0)
    desktop.find("regionTable").selectRow(WHOLE_TUMOR)
    assert not inside(back, desktop, MISSING)
    desktop.click("includeButton")
    place(desktop, MISSING)
    assert inside(back, desktop, MISSING)
    assert desktop.states()[WHOLE_TUMOR] == "Edited"
