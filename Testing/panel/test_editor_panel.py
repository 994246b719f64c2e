"""The embedded Segment Editor: made on demand, on the right segment, nothing overwritten (stand-in for the desktop)."""

from __future__ import annotations

import pytest
import slicer
from MedSegAISlicer.scene.locks import setLocked

from Testing.harness.mrml import addCase
from Testing.harness.segment_editor import qMRMLSegmentEditorWidget
from Testing.makers.phantoms import make_labels


@pytest.fixture
def shown(desktop, clients, tiny_case):
    addCase(tiny_case)
    desktop.settle()
    desktop.click("segmentButton")
    clients[0].jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    return desktop.logicResult()


def editors(desktop):
    return desktop.root.findChildren(qMRMLSegmentEditorWidget)


@pytest.fixture
def editor(desktop, shown):
    desktop.find("editorCollapsibleButton").setProperty("collapsed", False)
    desktop.settle()
    return editors(desktop)[0]


def test_without_a_result_there_is_no_editor_and_none_is_made(desktop):
    assert not desktop.find("editorCollapsibleButton").isVisible()
    assert editors(desktop) == []


def test_it_is_made_when_its_section_is_opened(desktop, shown):
    assert desktop.find("editorCollapsibleButton").isVisible()
    assert editors(desktop) == []


def test_it_works_on_the_result_and_the_chosen_region_and_overwrites_nothing(desktop, shown, editor):
    assert editor.segmentation is shown
    assert editor.volume is shown.GetNodeReference(shown.GetReferenceImageGeometryReferenceRole())
    assert editor.segmentId == "WT"
    node = editor.parameterNode
    assert node.GetOverwriteMode() == slicer.vtkMRMLSegmentEditorNode.OverwriteNone
    assert (editor.undoEnabled, editor.segmentationNodeSelectorVisible) == (False, False)
    desktop.find("regionTable").selectRow(2)
    desktop.settle()
    assert editor.segmentId == "ET"


def test_a_locked_region_cannot_be_painted(desktop, shown, editor):
    setLocked(shown, "TC", True)
    desktop.find("regionTable").selectRow(1)
    desktop.settle()
    assert not editor.isEnabled()
    desktop.find("regionTable").selectRow(2)
    desktop.settle()
    assert editor.isEnabled()


def test_the_views_are_let_go_when_the_section_closes_or_the_module_is_left(desktop, editor):
    assert editor.isObserving
    desktop.find("editorCollapsibleButton").setProperty("collapsed", True)
    assert not editor.isObserving
    desktop.find("editorCollapsibleButton").setProperty("collapsed", False)
    assert editor.isObserving
    desktop.widget.exit()
    assert not editor.isObserving
    desktop.widget.enter()
    assert editor.isObserving


def test_a_closed_scene_and_the_next_result_find_a_fresh_parameter_node(desktop, editor, clients, tiny_case):
    desktop.scene.Clear(0)
    desktop.settle()
    assert not editor.isObserving
    addCase(tiny_case)
    desktop.settle()
    desktop.click("segmentButton")
    clients[0].jobs[-1].sayResult(make_labels(tiny_case.reference_grid()).array)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    assert editor.segmentation is desktop.logicResult()
    assert editor.parameterNode.GetScene() is desktop.scene
    assert editor.isObserving
