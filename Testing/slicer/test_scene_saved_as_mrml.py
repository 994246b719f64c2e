"""What a person made is there again after the scene was saved as .mrml with its data files, moved, and opened."""

from __future__ import annotations

import numpy as np
import pytest
from MedSegAISlicer.scene.audit import auditOf
from MedSegAISlicer.scene.correct import correct
from MedSegAISlicer.scene.correct_before import labelsBefore
from MedSegAISlicer.scene.correct_prompts import promptsOf
from MedSegAISlicer.scene.family import versionsOf
from MedSegAISlicer.scene.load import openScene
from MedSegAISlicer.scene.locks import isLocked, setLocked
from MedSegAISlicer.scene.parameters import Parameters, parameterNode
from MedSegAISlicer.scene.places import placesOf
from MedSegAISlicer.scene.review import decide
from MedSegAISlicer.scene.segmentations import maskFromSegment
from MedSegAISlicer.scene.stage_boxes import boxesNow
from MedSegAISlicer.scene.statistics import inputsOf
from MedSegAISlicer.scene.volumes import gridFromNode

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.doubt import Doubt, Place
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.prompts import Click
from MedSegAILib.core.run import RunOptions
from Testing.harness.edits import contents, paint
from Testing.harness.mrml import addCase, addTransform, saveAsMrml
from Testing.makers.phantoms import make_case
from Testing.makers.wrong_heads import cut_head

MISSING = (21.0, -7.0, 5.0)
STROKE = (slice(2, 4), slice(2, 4), slice(2, 4))
TILT = np.array([[0.8, 0, 0.6, 40], [0, 1, 0, -20], [-0.6, 0, 0.8, 3], [0, 0, 0, 1]])
DOUBT = Doubt((Place("TC", "disagreement", (3.0, -4.0, 5.0), 2.5, 0.4),), {"TC": 2.5}, pass_count=4, method="test")
BOX = StageBox("tumor", (1.0, -2.0, 3.0), (40.0, 30.0, 20.0))


def story_of(node):
    """Everything that is told of a result, without the voxels."""
    return {
        "audit": auditOf(node),
        "locked": [name for name in ("WT", "TC", "ET") if isLocked(node, name)],
        "prompts": [(kept.segmentId, kept.prompt) for kept in promptsOf(node)],
        "places": placesOf(node),
        "inputs": {role: volume.GetName() for role, volume in inputsOf(node).items()},
    }


@pytest.fixture
def worked_on(scene, runner, client):
    """Two versions of a result under a transform: one corrected, painted, locked and accepted, and a segment drawn."""
    _, cut, _ = cut_head()
    nodes = addCase(make_case(cut.grid))
    parent = addTransform(scene, TILT)
    for node in nodes.values():
        node.SetAndObserveTransformNodeID(parent.GetID())
    remembered = Parameters(parameterNode(scene))
    for role, node in nodes.items():
        remembered.setInput(role, node)
    for _ in range(2):
        run = runner.start(nodes, "brain-tumor", RunOptions(), name="Tumor")
        client.jobs[-1].sayResult(cut.array, doubt=DOUBT, boxes=(BOX,))
        runner.poll()
    result = run.segmentationNode
    correct(result, "WT", Click(MISSING), client)
    result.GetSegmentation().AddEmptySegment("mine", "Cyst", (1.0, 0.0, 1.0))
    paint(result, "mine", nodes["T1"], STROKE)
    paint(result, "ET", nodes["T1"], STROKE)
    setLocked(result, "TC", True)
    decide(result, "WT", "accepted", "Dr. A")
    remembered.result = result
    return result, nodes["T1"]


def test_edits_decisions_prompts_and_audit_are_those_of_before(scene, worked_on, tmp_path):
    result, volume = worked_on
    voxels, told, names = contents(result, volume), story_of(result), [one.GetName() for one in versionsOf(result)]
    before, boxes = labelsBefore(result, gridFromNode(volume)), boxesNow(result)
    assert told["prompts"] == [("WT", Click(MISSING))]
    assert len(names) == 2
    (tmp_path / "there").mkdir()
    saveAsMrml(scene, tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "elsewhere")  # as on another computer

    openScene(scene, tmp_path / "elsewhere" / "scene.mrml")
    again = Parameters(parameterNode(scene)).result
    image = scene.GetFirstNodeByName("head_T1")
    assert again.GetName() == names[-1]
    assert [one.GetName() for one in versionsOf(again)] == names
    assert story_of(again) == told
    assert contents(again, image) == voxels
    assert np.array_equal(labelsBefore(again, gridFromNode(image)), before)
    assert maskFromSegment(again, "mine", image).sum() == 8
    for now, then in zip(boxesNow(again), boxes, strict=True):
        np.testing.assert_allclose(now.center_ras_mm, then.center_ras_mm, atol=1e-3)


def test_a_text_that_is_no_scene_is_refused_in_words(scene, tmp_path, complaints):
    (tmp_path / "scene.mrml").write_text("no scene", encoding="utf-8")
    with pytest.raises(InputError) as told:
        openScene(scene, tmp_path / "scene.mrml")
    assert told.value.code == "scene.file"
    complaints()
