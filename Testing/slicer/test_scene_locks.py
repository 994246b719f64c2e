"""What a person made, locked, accepted or touched stays through a re-run; every writer of ours heeds a lock."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.carry_over import whyKept
from MedSegAISlicer.scene.in_step import bringInStep
from MedSegAISlicer.scene.locks import isLocked, refuseLocked, setLocked
from MedSegAISlicer.scene.review import decide, reviewOf
from MedSegAISlicer.scene.runner import Runner
from MedSegAISlicer.scene.segmentations import STATEMENTS_ATTRIBUTE, maskFromSegment
from MedSegAISlicer.scene.story import storyOf
from MedSegAISlicer.scene.undo import UndoHistory
from MedSegAISlicer.scene.versions import takeRegion

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions
from Testing.harness.edits import contents, paint
from Testing.harness.fake_worker import FakeClient
from Testing.harness.mrml import segmentationFingerprint
from Testing.makers.phantoms import make_labels

BOX = (slice(2, 4), slice(2, 4), slice(2, 4))


@pytest.fixture
def run(scene, nodes, tiny_case):
    """Segments and gives the new version; the second run finds less enhancing tumor, and more edema."""
    client = FakeClient()
    runner = Runner(scene, client)
    grid = tiny_case.reference_grid()

    def segment():
        labels = make_labels(grid).array
        if client.jobs:
            labels[labels == 4] = 1
            labels[8:10, 8:10, 8:10] = 2
        handle = runner.start(nodes, "brain-tumor", RunOptions(), name="Tumor")
        client.jobs[-1].sayResult(labels)
        runner.poll()
        return handle.segmentationNode

    return segment


def mask(node, name, nodes):
    return maskFromSegment(node, name, nodes["T1"])


def test_an_untouched_version_leaves_everything_to_the_next(run, nodes):
    first, second = run(), run()
    assert whyKept(first) == {}
    assert list(second.GetSegmentation().GetSegmentIDs()) == ["WT", "TC", "ET"]
    assert not mask(second, "ET", nodes).any()


def test_touched_accepted_locked_and_own_segments_stay_and_the_earlier_version_is_untouched(run, nodes):
    first = run()
    paint(first, "WT", nodes["T1"], BOX)
    decide(first, "TC", "accepted", "AB")
    setLocked(first, "ET", True)
    first.GetSegmentation().AddEmptySegment("mine", "Mine", (0.1, 0.2, 0.3))
    paint(first, "mine", nodes["T1"], BOX)
    UndoHistory.of(first).noteEdits()
    assert whyKept(first) == {"WT": "edited", "TC": "accepted", "ET": "locked", "mine": "made by hand"}
    before, voxels = segmentationFingerprint(first), contents(first, nodes["T1"])
    second = run()
    assert segmentationFingerprint(first) == before
    kept = contents(second, nodes["T1"])
    assert {name: kept[name] for name in voxels} == voxels
    states = {line.segmentId: (line.state, line.reader, line.isLocked) for line in reviewOf(second)}
    assert states["WT"][0] == "edited"
    assert states["TC"] == ("accepted", "AB", False)
    assert states["ET"][2]
    assert second.GetSegmentation().GetSegment("mine").GetName() == "Mine"
    assert storyOf(second)[0]["what"] == "kept from Tumor: edited"
    said = json.loads(second.GetAttribute(STATEMENTS_ATTRIBUTE))
    assert "Whole tumor (edited) was kept as it is in Tumor." in said


def test_what_the_model_found_instead_lies_beside_it_and_is_not_kept_again(run, nodes):
    first = run()
    setLocked(first, "ET", True)
    second = run()
    names = list(second.GetSegmentation().GetSegmentIDs())
    assert names == ["WT", "TC", "ET", "ET-model"]
    assert mask(second, "ET", nodes).any()
    assert not mask(second, "ET-model", nodes).any()
    assert not second.GetDisplayNode().GetSegmentVisibility("ET-model")
    assert whyKept(second) == {"ET": "locked"}
    assert list(run().GetSegmentation().GetSegmentIDs()) == names


def test_a_rejected_region_is_what_a_run_is_repeated_for(run, nodes):
    first = run()
    decide(first, "ET", "rejected")
    assert whyKept(first) == {}
    assert not mask(run(), "ET", nodes).any()


def test_the_version_that_is_shown_counts(run, nodes):
    first = run()
    paint(first, "WT", nodes["T1"], BOX)
    second = run()
    paint(second, "TC", nodes["T1"], BOX)
    second.GetDisplayNode().SetVisibility(False)
    third = run()
    np.testing.assert_array_equal(mask(third, "WT", nodes), mask(first, "WT", nodes))
    assert not mask(third, "TC", nodes)[BOX].any()


def test_every_writer_of_ours_heeds_a_lock(run, nodes):
    first = run()
    second = run()
    setLocked(second, "TC", True)
    before = contents(second, nodes["T1"])["TC"]
    with pytest.raises(UsageError, match="Tumor core is locked") as refused:
        takeRegion(first, second, "TC")
    assert refused.value.code == "segment.locked"
    paint(second, "ET", nodes["T1"], BOX)
    offer = bringInStep(second, "ET")
    assert [change.segmentId for change in offer.changes] == ["WT"]
    offer.apply()
    assert contents(second, nodes["T1"])["TC"] == before
    setLocked(second, "TC", False)
    refuseLocked(second, "TC")


def test_a_lock_is_undone_saved_and_told(run, scene, tmp_path, nodes):
    first = run()
    setLocked(first, "ET", True)
    setLocked(first, "ET", True)
    assert UndoHistory.of(first).undoName == "Lock Enhancing tumor"
    UndoHistory.of(first).undo()
    assert not isLocked(first, "ET")
    UndoHistory.of(first).redo()
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetFileName(str(tmp_path / "tumor.seg.nrrd"))
    assert storage.WriteData(first)
    again = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "again")
    assert storage.ReadData(again)
    assert isLocked(again, "ET")
    with pytest.raises(UsageError, match="no region"):
        setLocked(first, "XX", True)
