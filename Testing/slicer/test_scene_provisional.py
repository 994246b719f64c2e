"""A first look: marked, replaced in the same node; every other end leaves the scene as it was."""

from __future__ import annotations

import pytest
from MedSegAISlicer.scene.family import versionsOf
from MedSegAISlicer.scene.provisional import PROVISIONAL_ATTRIBUTE
from MedSegAISlicer.scene.runner import Callbacks
from MedSegAISlicer.scene.segmentations import readPassport
from MedSegAISlicer.scene.undo import UndoHistory

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.core.run import RunOptions
from Testing.harness.edits import contents
from Testing.harness.mrml import fingerprint, segmentationFingerprint


@pytest.fixture
def coarse(labels):
    array = labels.copy()
    array[array == 4] = 2
    return array


@pytest.fixture
def first(runner, client, nodes, labels):
    """A version that was there before."""
    handle = runner.start(nodes, "brain-tumor", RunOptions(), name="Tumor")
    client.jobs[0].sayResult(labels)
    runner.poll()
    return handle.segmentationNode


def begin(runner, nodes):
    shown = []
    handle = runner.start(
        nodes, "brain-tumor", RunOptions(), callbacks=Callbacks(onProvisional=shown.append), name="Tumor"
    )
    return handle, shown


def whole(scene, nodes, *segmentations):
    ids = [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]
    return (
        ids,
        [fingerprint(node) for node in nodes.values()],
        [segmentationFingerprint(node) for node in segmentations],
    )


def test_without_a_listener_none_is_computed(runner, client, nodes):
    runner.start(nodes, "brain-tumor", RunOptions())
    assert not client.jobs[0].wantsFirstLook


def test_it_is_marked_in_name_and_look_and_is_no_version(runner, client, nodes, first, coarse):
    _, shown = begin(runner, nodes)
    assert client.jobs[1].wantsFirstLook
    client.jobs[1].sayProvisional(coarse)
    runner.poll()
    (node,) = shown
    assert node.GetName() == "Tumor (provisional)"
    assert node.GetAttribute(PROVISIONAL_ATTRIBUTE) == "1"
    assert node.GetDisplayNode().GetOpacity2DFill() < 0.2
    assert readPassport(node) is None
    assert versionsOf(first) == [first]
    assert not first.GetDisplayNode().GetVisibility()


def test_the_result_replaces_it_in_the_same_node(runner, client, nodes, first, coarse, labels):
    before = contents(first, nodes["T1"])
    handle, shown = begin(runner, nodes)
    client.jobs[1].sayProvisional(coarse)
    client.jobs[1].sayResult(labels)
    runner.poll()
    assert handle.segmentationNode is shown[0]
    assert shown[0].GetName() == "Tumor (2)"
    assert shown[0].GetAttribute(PROVISIONAL_ATTRIBUTE) is None
    assert shown[0].GetDisplayNode().GetOpacity2DFill() == first.GetDisplayNode().GetOpacity2DFill()
    assert contents(shown[0], nodes["T1"]) == before
    assert versionsOf(first) == [first, shown[0]]
    UndoHistory.of(first).undo()
    assert versionsOf(first) == [first]


@pytest.mark.parametrize("end", ["cancelled", "failed", "dropped", "refused"])
def test_every_other_end_leaves_the_scene_as_it_was_to_the_byte(scene, runner, client, nodes, first, coarse, end):
    before = whole(scene, nodes, first)
    handle, shown = begin(runner, nodes)
    client.jobs[1].sayProvisional(coarse)
    runner.poll()
    assert shown
    if end == "cancelled":
        handle.cancel()
    elif end == "failed":
        client.jobs[1].sayError(ResourceError("worker.memory", "No memory is left.", "Choose fast."))
    elif end == "dropped":
        runner.drop()
    else:
        client.jobs[1].sayResult(coarse[:-1])
    if end == "refused":
        with pytest.raises(Exception, match=r"grid|shape"):
            runner.poll()
        runner.drop()
    runner.poll()
    assert whole(scene, nodes, first) == before


def test_it_may_be_deleted_by_hand_and_the_result_comes_all_the_same(scene, runner, client, nodes, coarse, labels):
    handle, shown = begin(runner, nodes)
    client.jobs[0].sayProvisional(coarse)
    runner.poll()
    scene.RemoveNode(shown[0])
    client.jobs[0].sayResult(labels)
    runner.poll()
    assert handle.state == "done"
    assert handle.segmentationNode.GetName() == "Tumor"
