"""One undo history on real MRML: named entries, every voxel and decision back, strokes of others noticed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from MedSegAISlicer.scene import undo
from MedSegAISlicer.scene.family import versionsOf
from MedSegAISlicer.scene.in_step import bringInStep
from MedSegAISlicer.scene.label_view import showLabels
from MedSegAISlicer.scene.review import decide, reviewOf
from MedSegAISlicer.scene.segmentations import showResult
from MedSegAISlicer.scene.story import storyOf
from MedSegAISlicer.scene.undo import UndoHistory
from MedSegAISlicer.scene.versions import nextVersionName, takeRegion
from MedSegAISlicer.scene.volumes import caseFromNodes

from Testing.harness.edits import contents, paint
from Testing.harness.fake_worker import makeResult
from Testing.harness.mrml import addVolume
from Testing.makers.phantoms import make_labels, oblique_grid

BOX = (slice(2, 5), slice(3, 6), slice(4, 8))


@pytest.fixture
def volume(scene):
    grid = oblique_grid()
    return addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")


def run_again(scene, volume):
    """Put a result into the scene as the runner does."""
    case = caseFromNodes({"T1": volume})
    labels = make_labels(case.reference_grid()).array
    name = nextVersionName(scene, "Tumor")
    node = showResult(scene, makeResult(case, labels), volume, name)
    UndoHistory.of(node).added(node, f"Model run {name}")
    return node


@pytest.fixture
def result(scene, volume):
    return run_again(scene, volume)


def whole(node, volume):
    """Everything that an undo must bring back: voxels, order, tags, decisions, marks."""
    states = [(line.segmentId, line.title, line.color, line.state, line.reader) for line in reviewOf(node)]
    return contents(node, volume), states, node.GetAttribute("MedSegAI.Marks")


def test_a_stroke_of_the_segment_editor_is_one_named_entry(result, volume):
    history = UndoHistory.of(result)
    before = whole(result, volume)
    paint(result, "WT", volume, BOX)
    entry = history.noteEdits()
    assert entry.name == "Brush in Whole tumor"
    assert entry.words.startswith("Brush in Whole tumor (+")
    assert entry.byteCount < 100  # the stroke, and not the head
    assert history.noteEdits() is None
    after = whole(result, volume)
    assert history.undo() is entry
    assert whole(result, volume) == before
    assert history.redoName == entry.words
    assert history.redo() is entry
    assert whole(result, volume) == after
    assert [line["what"].split(" (")[0] for line in storyOf(result)] == [
        "by hand: ",
        "undone: Brush in Whole tumor",
        "done again: Brush in Whole tumor",
    ]


def test_a_decision_is_undone_and_the_story_stays(result, volume):
    before = whole(result, volume)
    decide(result, "TC", "accepted", "AB")
    history = UndoHistory.of(result)
    assert history.undoName == "Accept Tumor core"
    history.undo()
    assert whole(result, volume) == before
    assert [line["what"] for line in storyOf(result)] == ["accepted", "undone: Accept Tumor core"]


def test_an_offer_is_one_entry_over_both_views(result, volume):
    labels = showLabels(result)
    history = UndoHistory.of(labels)
    assert history is UndoHistory.of(result)
    paint(labels, "ET", volume, BOX)
    history.noteEdits()
    before = whole(result, volume), contents(labels, volume)
    bringInStep(labels, "ET").apply()
    assert history.undoName.startswith("In step with Enhancing tumor")
    history.undo()
    assert (whole(result, volume), contents(labels, volume)) == before


def test_segments_that_were_added_and_removed_come_and_go(result, volume):
    history = UndoHistory.of(result)
    before = whole(result, volume)
    result.GetSegmentation().AddEmptySegment("mine", "Mine", (0.1, 0.2, 0.3))
    paint(result, "mine", volume, BOX)
    assert history.noteEdits().name == "New segment Mine"
    after = whole(result, volume)
    result.GetSegmentation().RemoveSegment("TC")
    assert history.noteEdits().name == "Removed Tumor core"
    history.undo()
    assert whole(result, volume) == after
    history.undo()
    assert whole(result, volume) == before


def test_a_model_run_is_taken_out_of_the_scene_and_put_back(scene, result, volume):
    history = UndoHistory.of(result)
    second = run_again(scene, volume)
    paint(second, "WT", volume, BOX)
    history.noteEdits()
    assert [entry.name for entry in history.entries] == [
        "Model run Tumor",
        "Model run Tumor (2)",
        "Brush in Whole tumor",
    ]
    painted = whole(second, volume)
    history.undo()
    history.undo()
    assert versionsOf(result) == [result]
    history.undo()
    assert result.GetScene() is None
    assert history.undoName == ""
    for _ in range(3):
        history.redo()
    assert versionsOf(result) == [result, second]
    assert second.GetDisplayNode() is not None
    assert whole(second, volume) == painted


def test_a_region_taken_from_another_version_is_undone_with_the_drawing_kept_aside(scene, result, volume):
    second = run_again(scene, volume)
    paint(second, "TC", volume, BOX)
    UndoHistory.of(second).noteEdits()
    before = whole(second, volume)
    takeRegion(result, second, "TC")
    assert UndoHistory.of(second).undoName.startswith("Tumor core of Tumor")
    UndoHistory.of(second).undo()
    assert whole(second, volume) == before


def test_what_fails_within_an_entry_changes_nothing(result, volume):
    history = UndoHistory.of(result)
    before, entries = whole(result, volume), history.entries

    def fail():
        with history.entry("Exclude click in WT"):
            paint(result, "WT", volume, BOX, isErased=True)
            raise ValueError("click")

    with pytest.raises(ValueError, match="click"):
        fail()
    assert whole(result, volume) == before
    assert history.entries == entries


def test_nothing_happens_without_a_change(result):
    history = UndoHistory.of(result)
    entries = history.entries
    with history.entry("Nothing"):
        pass
    assert history.entries == entries
    assert history.redo() is None


def test_memory_is_bounded_and_the_oldest_goes_first(result, volume, monkeypatch):
    monkeypatch.setattr(undo, "MOST_ENTRIES", 3)
    history = UndoHistory.of(result)
    for number in range(5):
        paint(result, "WT", volume, (slice(number, number + 1),) * 3)
        history.noteEdits()
    assert len(history.entries) == 3
    monkeypatch.setattr(undo, "MOST_BYTES", 1)
    paint(result, "WT", volume, BOX)
    history.noteEdits()
    assert len(history.entries) == 1


def test_a_node_that_someone_removed_is_passed_over(scene, result, volume):
    history = UndoHistory.of(result)
    decide(result, "WT", "accepted")
    second = run_again(scene, volume)
    decide(second, "WT", "accepted")
    scene.RemoveNode(second)
    assert history.undo().name == "Accept Whole tumor"
    assert reviewOf(result)[0].state == "to do"


def test_a_closed_scene_has_no_history(scene, result, volume):
    assert UndoHistory.of(result).entries
    scene.Clear(0)
    grid = oblique_grid()
    fresh = addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")
    node = showResult(scene, makeResult(caseFromNodes({"T1": fresh}), np.zeros(grid.shape_zyx, np.uint8)), fresh)
    assert UndoHistory.of(node).entries == ()


def test_a_segmentation_of_the_user_has_a_history_too(scene, volume):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mine")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.GetSegmentation().AddEmptySegment("a", "A", (1.0, 0.0, 0.0))
    history = UndoHistory.of(node)
    paint(node, "a", volume, BOX)
    history.undo()
    assert not any(np.frombuffer(contents(node, volume)["a"], np.uint8))


ACTS = st.tuples(
    st.sampled_from(["paint", "erase", "accept", "reject", "add", "remove", "follow", "undo", "redo"]),
    st.sampled_from(["WT", "TC", "ET", "mine"]),
    st.integers(0, 9),
)


def act(node, volume, what, segmentId, place):
    """One thing that a person might do."""
    segmentation, box = node.GetSegmentation(), (slice(place, place + 3),) * 3
    if what in ("undo", "redo"):
        getattr(UndoHistory.of(node), what)()
    elif what == "add" and segmentation.GetSegment("mine") is None:
        segmentation.AddEmptySegment("mine", "Mine", (0.1, 0.2, 0.3))
    elif segmentation.GetSegment(segmentId) is None:
        return
    elif what in ("paint", "erase"):
        paint(node, segmentId, volume, box, isErased=what == "erase")
    elif what in ("accept", "reject"):
        decide(node, segmentId, f"{what}ed")
    elif what == "remove":
        segmentation.RemoveSegment(segmentId)
    elif what == "follow" and segmentId != "mine":
        offer = bringInStep(node, segmentId)
        if offer is not None:
            offer.apply()
    UndoHistory.of(node).noteEdits()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, min_size=1, max_size=12))
def test_undoing_all_and_redoing_all_give_the_same_bytes(scene, acts):
    scene.Clear(0)
    grid = oblique_grid()
    volume = addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")
    node = run_again(scene, volume)
    history, first = UndoHistory.of(node), whole(node, volume)
    for what, segment_id, place in acts:
        act(node, volume, what, segment_id, place)
        if node.GetScene() is None:  # the run itself was undone
            history.redo()
    last, count = whole(node, volume), len(history.entries)
    for _ in range(count - 1):
        history.undo()
    assert whole(node, volume) == first
    for _ in range(count - 1):
        history.redo()
    assert whole(node, volume) == last
