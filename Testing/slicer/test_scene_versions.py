"""A re-run makes a new version and leaves what people made to the byte; versions are compared and taken by region."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.family import versionsOf
from MedSegAISlicer.scene.review import decide, reviewOf
from MedSegAISlicer.scene.segment_mark import isTouched
from MedSegAISlicer.scene.segmentations import maskFromSegment
from MedSegAISlicer.scene.story import storyOf
from MedSegAISlicer.scene.undo import UndoHistory
from MedSegAISlicer.scene.versions import (
    compareVersions,
    nextVersionName,
    showOnly,
    takeRegion,
    versionBefore,
)

from MedSegAILib.core.errors import ResourceError, UsageError
from MedSegAILib.core.run import RunOptions
from Testing.harness.edits import contents, paint
from Testing.harness.mrml import addCase, addTransform, fingerprint, segmentationFingerprint

BOX = (slice(2, 4), slice(2, 4), slice(2, 4))


@pytest.fixture
def run(runner, client, nodes):
    """Make a version with these labels."""

    def start(array):
        handle = runner.start(nodes, "brain-tumor", RunOptions(), name="Tumor")
        client.jobs[-1].sayResult(array)
        runner.poll()
        return handle.segmentationNode

    return start


def smaller(labels):
    """The same tumor without its outermost slab."""
    array = labels.copy()
    where = np.argwhere(array)
    array[where[:, 0].min()] = 0
    return array


def everything(scene):
    """Fingerprints of all volumes and segmentations."""
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene)
    segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene)
    return {
        **{node.GetID(): fingerprint(node) for node in volumes},
        **{node.GetID(): segmentationFingerprint(node) for node in segmentations},
    }


@pytest.mark.parametrize("ending", ["done", "cancelled", "failed", "dropped"])
def test_what_people_made_is_byte_identical_after_every_end_of_a_run(scene, runner, client, nodes, labels, run, ending):
    first = run(labels)
    paint(first, "WT", nodes["T1"], BOX)
    first.GetSegmentation().AddEmptySegment("mine", "Mine", (0.1, 0.2, 0.3))
    paint(first, "mine", nodes["T1"], BOX)
    decide(first, "ET", "accepted", "AB")
    first.GetDisplayNode().SetSegmentVisibility("TC", False)
    users = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    users.CreateDefaultDisplayNodes()
    users.SetReferenceImageGeometryParameterFromVolumeNode(nodes["T1"])
    users.GetSegmentation().AddEmptySegment("lesion", "Lesion", (1, 0, 0))
    paint(users, "lesion", nodes["T1"], BOX)
    before = everything(scene)
    handle = runner.start(nodes, "brain-tumor", RunOptions(), name="Tumor")
    if ending == "done":
        client.jobs[-1].sayResult(smaller(labels))
    elif ending == "cancelled":
        handle.cancel()
    elif ending == "failed":
        client.jobs[-1].sayError(ResourceError("memory.gpu", "The GPU is full.", "Choose the CPU."))
    else:
        runner.drop()
    runner.poll()
    after = everything(scene)
    assert {key: after[key] for key in before} == before
    new = set(after) - set(before)
    assert len(new) == (1 if ending == "done" else 0)
    assert isTouched(first, "WT")
    assert isTouched(first, "mine")
    assert not isTouched(first, "TC")


def test_versions_are_numbered_and_belong_together(scene, runner, run, labels, nodes):
    made = [run(labels), run(smaller(labels)), run(labels)]
    assert [node.GetName() for node in made] == ["Tumor", "Tumor (2)", "Tumor (3)"]
    assert all(versionsOf(node) == made for node in made)
    assert [versionBefore(node) for node in made] == [None, made[0], made[1]]
    users = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Tumor (4)")
    assert versionsOf(users) == [users]
    assert nextVersionName(scene, "Tumor") == "Tumor (5)"


def test_a_result_on_another_volume_is_no_version(scene, runner, client, run, labels, nodes, tiny_case):
    first = run(labels)
    other = addCase(tiny_case, "second")
    handle = runner.start(other, "brain-tumor", RunOptions(), name="Tumor")
    client.jobs[-1].sayResult(labels)
    runner.poll()
    assert versionsOf(first) == [first]
    assert versionsOf(handle.segmentationNode) == [handle.segmentationNode]


def test_one_version_is_shown_at_a_time_and_nothing_else_changes(run, labels, nodes):
    first, second = run(labels), run(smaller(labels))
    before = contents(first, nodes["T1"])
    showOnly(second)
    assert [node.GetDisplayNode().GetVisibility() for node in (first, second)] == [0, 1]
    showOnly(first)
    assert [node.GetDisplayNode().GetVisibility() for node in (first, second)] == [1, 0]
    assert contents(first, nodes["T1"]) == before


def test_a_comparison_counts_what_was_gained_and_lost(run, labels, nodes):
    first, second = run(labels), run(smaller(labels))
    paint(second, "ET", nodes["T1"], BOX)
    voxel_ml = 0.008
    wanted = {}
    for name in ("WT", "TC", "ET"):
        a, b = maskFromSegment(first, name, nodes["T1"]), maskFromSegment(second, name, nodes["T1"])
        wanted[name] = [value * voxel_ml for value in (a.sum(), b.sum(), (b & ~a).sum(), (a & ~b).sum())]
    found = compareVersions(first, second)
    assert [change.segmentId for change in found] == ["WT", "TC", "ET"]
    for change in found:
        values = [change.before_ml, change.after_ml, change.gained_ml, change.lost_ml]
        np.testing.assert_allclose(values, wanted[change.segmentId], atol=1e-6)
    assert found[2].gained_ml == pytest.approx(8 * voxel_ml)
    assert found[0].lost_ml > 0


def test_an_empty_region_can_be_compared_and_taken(run, labels, nodes):
    array = labels.copy()
    array[array == 4] = 1
    first, second = run(array), run(labels)
    change = compareVersions(first, second)[2]
    assert (change.before_ml, change.lost_ml) == (0.0, 0.0)
    assert change.gained_ml == pytest.approx(change.after_ml)
    assert change.after_ml > 0
    takeRegion(first, second, "ET")
    assert not maskFromSegment(second, "ET", nodes["T1"]).any()


@pytest.mark.parametrize("hasOtherParent", [False, True])
def test_a_region_is_taken_from_an_earlier_version(scene, run, labels, nodes, hasOtherParent):
    first, second = run(labels), run(smaller(labels))
    paint(first, "WT", nodes["T1"], BOX)
    wanted = maskFromSegment(first, "WT", nodes["T1"])
    if hasOtherParent:
        shift = np.eye(4)
        shift[:3, 3] = 4, 6, -2  # whole voxels of 2 mm
        second.SetAndObserveTransformNodeID(addTransform(scene, shift).GetID())
    UndoHistory.of(first).noteEdits()  # told in its story
    before = segmentationFingerprint(first)
    assert takeRegion(first, second, "WT") == ""
    np.testing.assert_array_equal(maskFromSegment(second, "WT", nodes["T1"]), wanted)
    assert segmentationFingerprint(first) == before
    assert {line.segmentId: line.state for line in reviewOf(second)}["WT"] == "edited"
    assert storyOf(second)[-1]["what"] == "taken from Tumor"


def test_what_a_person_drew_is_kept_aside_when_a_region_is_taken(run, labels, nodes):
    first, second = run(labels), run(smaller(labels))
    paint(second, "TC", nodes["T1"], BOX)
    drawn = maskFromSegment(second, "TC", nodes["T1"])
    kept = takeRegion(first, second, "TC")
    assert second.GetSegmentation().GetSegment(kept).GetName() == "Tumor core (before)"
    np.testing.assert_array_equal(maskFromSegment(second, kept, nodes["T1"]), drawn)
    assert not second.GetDisplayNode().GetSegmentVisibility(kept)
    np.testing.assert_array_equal(maskFromSegment(second, "TC", nodes["T1"]), maskFromSegment(first, "TC", nodes["T1"]))


def test_a_region_that_one_version_lacks_is_refused_in_words(run, labels):
    first, second = run(labels), run(labels)
    first.GetSegmentation().RemoveSegment("ET")
    with pytest.raises(UsageError, match="has no region 'ET'"):
        takeRegion(first, second, "ET")
    assert [change.segmentId for change in compareVersions(first, second)] == ["WT", "TC"]
