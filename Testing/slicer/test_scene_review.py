"""The review list on real MRML: states, places, jumps, the audit; all of it survives a saved scene."""

from __future__ import annotations

import csv
import json
import time
from datetime import datetime, timezone

import numpy as np
import pytest
import slicer
import slicer.util
from MedSegAISlicer.scene.audit import auditOf, writeAudit
from MedSegAISlicer.scene.places import currentPlace, jumpTo, placesOf, stepToPlace
from MedSegAISlicer.scene.review import decide, reviewOf
from MedSegAISlicer.scene.segment_mark import isTouched
from MedSegAISlicer.scene.segmentations import showResult
from MedSegAISlicer.scene.story import storyOf
from MedSegAISlicer.scene.volumes import caseFromNodes

from MedSegAILib.core.doubt import Doubt, Place
from MedSegAILib.core.errors import ResourceError, UsageError
from Testing.harness.edits import paint
from Testing.harness.fake_worker import makeResult
from Testing.harness.mrml import addTransform, addVolume
from Testing.makers.phantoms import make_labels, oblique_grid

BOX = (slice(2, 4), slice(2, 4), slice(2, 4))
DOUBT = Doubt(
    (
        Place("TC", "disagreement", (3.0, -4.0, 5.0), 2.5, 0.4),
        Place("WT", "island", (-30.0, 12.0, 7.5), 1.25),
        Place("WT", "image_edge", (20.0, 0.0, 44.0), 0.5),
    ),
    {"WT": 1.5, "TC": 2.5},
    pass_count=4,
    method="test",
)


def at_noon():
    return datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)


@pytest.fixture
def volume(scene):
    grid = oblique_grid()
    return addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")


@pytest.fixture
def result(scene, volume):
    case = caseFromNodes({"T1": volume})
    return showResult(scene, makeResult(case, make_labels(case.reference_grid()).array, doubt=DOUBT), volume)


def states(node):
    return {line.segmentId: line.state for line in reviewOf(node)}


def reloaded(scene, tmp_path, name):
    path = str(tmp_path / "scene.mrb")
    assert scene.WriteToMRB(path)
    scene.Clear(0)
    assert scene.ReadFromMRB(path)
    return scene.GetFirstNodeByName(name)


def test_a_fresh_result_is_to_do_with_its_volume_and_its_doubt(result):
    lines = {line.segmentId: line for line in reviewOf(result)}
    assert states(result) == {"WT": "to do", "TC": "to do", "ET": "to do"}
    assert lines["TC"].doubt_ml == 2.5
    assert lines["ET"].doubt_ml is None
    assert lines["WT"].volume_ml > lines["TC"].volume_ml > lines["ET"].volume_ml > 0
    assert all(line.isOurs for line in lines.values())


def test_a_decision_keeps_who_and_when_and_slicers_own_status(result):
    decide(result, "WT", "accepted", "AB", clock=at_noon)
    decide(result, "ET", "rejected", clock=at_noon)
    lines = {line.segmentId: line for line in reviewOf(result)}
    assert (lines["WT"].state, lines["WT"].reader, lines["WT"].time) == ("accepted", "AB", "2026-11-21T12:00:00+00:00")
    assert (lines["ET"].state, lines["ET"].reader) == ("rejected", "")
    assert lines["TC"].state == "to do"
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    assert logic.GetSegmentStatus(result.GetSegmentation().GetSegment("WT")) == logic.Completed
    decide(result, "WT", "to do", "AB", clock=at_noon)
    assert states(result)["WT"] == "to do"
    assert [event["what"] for event in storyOf(result)] == ["accepted", "rejected", "to do"]


def test_an_edit_after_the_decision_undoes_it_and_undoing_the_edit_brings_it_back(result, volume):
    decide(result, "WT", "accepted")
    paint(result, "WT", volume, BOX)
    assert states(result) == {"WT": "edited", "TC": "to do", "ET": "to do"}
    paint(result, "WT", volume, BOX, isErased=True)
    assert states(result)["WT"] == "accepted"
    paint(result, "WT", volume, BOX)
    decide(result, "WT", "accepted")
    assert states(result)["WT"] == "accepted"
    assert isTouched(result, "WT")


def test_a_segment_of_the_user_is_the_users(result, volume):
    result.GetSegmentation().AddEmptySegment("mine", "Mine", (1, 1, 0))
    assert isTouched(result, "mine")
    assert not isTouched(result, "WT")
    line = next(line for line in reviewOf(result) if line.segmentId == "mine")
    assert (line.state, line.isOurs) == ("edited", False)


def test_an_emptied_region_and_a_moved_one_are_seen_as_edited(result, volume):
    whole = tuple(slice(0, count) for count in volume.GetImageData().GetDimensions()[::-1])
    paint(result, "ET", volume, whole, isErased=True)
    assert states(result)["ET"] == "edited"


def test_what_is_no_decision_or_no_region_is_refused_in_words(result):
    with pytest.raises(UsageError, match="no decision 'perhaps'"):
        decide(result, "WT", "perhaps")
    with pytest.raises(UsageError, match="no region 'XX'"):
        decide(result, "XX", "accepted")
    assert storyOf(result) == []


@pytest.fixture
def views(scene):
    """Three slice views and a crosshair; slice nodes outlive the closing of a scene, so they are taken out again."""
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    made = []
    for orientation in ("Axial", "Sagittal", "Coronal"):
        node = scene.CreateNodeByClass("vtkMRMLSliceNode")
        node.UnRegister(None)
        node.SetLayoutName(orientation)
        made.append(scene.AddNode(node))
        node.SetOrientation(orientation)
    made.append(scene.AddNewNodeByClass("vtkMRMLCrosshairNode"))
    yield made[:3]
    for node in made:
        scene.RemoveNode(node)


def centers(nodes):
    matrices = [slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()) for node in nodes]
    return np.array([matrix[:3, 3] for matrix in matrices])


@pytest.mark.parametrize("hasParent", [False, True])
def test_one_step_brings_every_view_and_the_crosshair_to_the_place_in_the_world(
    scene, volume, result, views, hasParent
):
    shift = np.eye(4)
    if hasParent:
        shift[:3, 3] = 100, -20, 3
        parent = addTransform(scene, shift)
        volume.SetAndObserveTransformNodeID(parent.GetID())
        result.SetAndObserveTransformNodeID(parent.GetID())
    for index in (0, 1, 2, 0):
        began = time.perf_counter()
        place = stepToPlace(result, 1)
        assert time.perf_counter() - began < 0.1
        assert place == DOUBT.places[index]
        assert currentPlace(result) == index
        wanted = np.array(place.position_ras_mm) + shift[:3, 3]
        np.testing.assert_allclose(centers(views), [wanted] * 3, atol=1e-6)
        crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        np.testing.assert_allclose(crosshair.GetCrosshairRAS(), wanted, atol=1e-6)
    assert stepToPlace(result, -1) == DOUBT.places[2]


def test_the_first_step_back_leads_to_the_last_place(scene, result):
    assert stepToPlace(result, -1) == DOUBT.places[2]


def test_without_doubt_there_is_nowhere_to_go(scene):
    users = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    assert placesOf(users) == ()
    assert stepToPlace(users, 1) is None
    jumpTo(users, DOUBT.places[0])  # no view yet: nothing happens, nothing is said


def test_review_and_places_survive_a_saved_scene(scene, volume, result, tmp_path):
    decide(result, "WT", "accepted", "AB", clock=at_noon)
    paint(result, "TC", volume, BOX)
    stepToPlace(result, 1)
    stepToPlace(result, 1)
    before, story = reviewOf(result), storyOf(result)
    again = reloaded(scene, tmp_path, result.GetName())
    assert [(x.segmentId, x.state, x.reader, x.time, x.isOurs) for x in reviewOf(again)] == [
        (x.segmentId, x.state, x.reader, x.time, x.isOurs) for x in before
    ]
    assert states(again) == {"WT": "accepted", "TC": "edited", "ET": "to do"}
    assert storyOf(again) == story
    assert placesOf(again) == DOUBT.places
    assert currentPlace(again) == 1


def test_marks_hold_for_left_handed_grids_through_a_saved_scene(scene, tmp_path):
    matrix = np.diag([-0.9, 1.1, 2.5, 1.0])
    matrix[:3, 3] = 31.5, -12.25, 7.75
    node = addVolume(np.zeros((14, 17, 20), np.float32), matrix, "left-handed")
    labels = np.zeros((14, 17, 20), np.uint8)
    labels[3:9, 4:12, 5:15] = np.random.default_rng(0).choice(np.array([0, 1, 2, 4], np.uint8), (6, 8, 10))
    shown = showResult(scene, makeResult(caseFromNodes({"T1": node}), labels), node)
    again = reloaded(scene, tmp_path, shown.GetName())
    assert states(again) == {"WT": "to do", "TC": "to do", "ET": "to do"}


def test_the_audit_tells_the_whole_story_as_json_and_csv(result, volume, tmp_path):
    decide(result, "WT", "accepted", "AB", clock=at_noon)
    paint(result, "TC", volume, BOX)
    files = writeAudit(result, tmp_path / "new folder")
    assert sorted(path.name for path in files) == ["audit.csv", "audit.json"]
    audit = json.loads(files[0].read_text(encoding="utf-8"))
    assert audit == json.loads(json.dumps(auditOf(result)))
    assert audit["use"].startswith("Research use only")
    assert audit["passport"]["task"] == "brain-tumor"
    assert [place["words"] for place in audit["places"]][1] == "an island apart from the rest"
    rows = list(csv.DictReader(files[1].read_text(encoding="utf-8").splitlines()))
    assert [(row["region"], row["state"], row["reader"]) for row in rows] == [
        ("WT", "accepted", "AB"),
        ("TC", "edited", ""),
        ("ET", "to do", ""),
    ]
    assert float(rows[0]["volume_ml"]) == pytest.approx(reviewOf(result)[0].volume_ml, abs=1e-4)
    assert "reference" not in files[0].read_text(encoding="utf-8")  # the name of the volume


def test_an_audit_that_cannot_be_written_says_so_and_leaves_nothing(result, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match=r"audit\.json could not be written"):
        writeAudit(result, tmp_path / "file")
    (tmp_path / "audit.json").mkdir()
    with pytest.raises(ResourceError, match="could not be written"):
        writeAudit(result, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.json", "file"]
