"""All sequences side by side on real MRML nodes; the views themselves are the application's."""

from __future__ import annotations

import pytest
from MedSegAISlicer.scene.segmentations import showResult
from MedSegAISlicer.scene.side_by_side import isSideBySide, showAsBefore, showSideBySide
from MedSegAISlicer.scene.statistics import inputsOf, keepInputs
from MedSegAISlicer.scene.volumes import caseFromNodes

from Testing.harness.fake_worker import makeResult
from Testing.harness.mrml import addCase, addLayout
from Testing.makers.phantoms import make_labels


@pytest.fixture
def result(scene, tiny_case):
    nodes = addCase(tiny_case)
    node = showResult(
        scene, makeResult(caseFromNodes(nodes), make_labels(tiny_case.reference_grid()).array), nodes["T1"]
    )
    keepInputs(node, nodes)
    return node


@pytest.fixture
def views(scene):
    """What the application makes: a layout, and the four compare views beside the red one."""
    layout = addLayout(scene)
    made = {}
    for name in ("Red", "Compare1", "Compare2", "Compare3", "Compare4"):
        node = scene.CreateNodeByClass("vtkMRMLSliceCompositeNode")
        node.UnRegister(None)
        node.SetLayoutName(name)
        made[name] = scene.AddNode(node)
    yield layout, made
    for node in [layout, *made.values()]:
        scene.RemoveNode(node)


def test_each_sequence_has_a_view_and_all_are_linked(scene, result, views):
    layout, made = views
    assert not isSideBySide(scene)
    assert showSideBySide(result) == 4
    assert isSideBySide(scene)
    assert (layout.GetNumberOfCompareViewRows(), layout.GetNumberOfCompareViewColumns()) == (2, 2)
    shown = [made[f"Compare{number}"].GetBackgroundVolumeID() for number in range(1, 5)]
    assert shown == [node.GetID() for node in inputsOf(result).values()]
    assert all(made[f"Compare{number}"].GetLinkedControl() for number in range(1, 5))
    assert not made["Red"].GetBackgroundVolumeID()


def test_the_layout_before_comes_back_also_after_two_calls(scene, result, views):
    layout, _ = views
    showSideBySide(result)
    showSideBySide(result)
    showAsBefore(scene)
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpView
    showAsBefore(scene)
    assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpView


def test_without_a_layout_nothing_happens(scene, result):
    assert showSideBySide(result) == 0
    showAsBefore(scene)
