"""Corrections on real MRML: a prompt changes its region, is one entry of the history, and survives the scene file."""

from __future__ import annotations

import numpy as np
import pytest
from MedSegAISlicer.scene.correct import correct, correctAsync, fillBetween
from MedSegAISlicer.scene.correct_before import labelsBefore
from MedSegAISlicer.scene.correct_export import exportCorrections
from MedSegAISlicer.scene.correct_preview import removePreview, showPreview
from MedSegAISlicer.scene.correct_prompts import drawPrompts, markupsOf, promptFromMarkup, promptsOf
from MedSegAISlicer.scene.locks import setLocked
from MedSegAISlicer.scene.review import decide, reviewOf
from MedSegAISlicer.scene.segment_mark import isSameMark, markOf
from MedSegAISlicer.scene.segmentations import maskFromSegment, showResult
from MedSegAISlicer.scene.statistics import keepInputs
from MedSegAISlicer.scene.story import storyOf
from MedSegAISlicer.scene.undo import UndoHistory
from MedSegAISlicer.scene.volumes import caseFromNodes, gridFromNode

from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.prompts import BoxPrompt, Click, Lasso, Scribble
from MedSegAILib.image.metrics import dice
from MedSegAILib.io import read_label_map
from MedSegAILib.io.datasets import find_layout
from MedSegAILib.io.datasets.corrections import corrected_studies
from Testing.harness.edits import contents, paint
from Testing.harness.fake_worker import SCHEME, FakeClient, makeResult
from Testing.harness.mrml import addCase, addTransform
from Testing.makers.phantoms import TUMOR_CENTER_RAS_MM, make_case, make_labels, oblique_grid
from Testing.makers.wrong_heads import cut_head

MISSING = (21.0, -7.0, 5.0)
TILT = np.array([[0.8, 0, 0.6, 40], [0, 1, 0, -20], [-0.6, 0, 0.8, 3], [0, 0, 0, 1]])


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def study(scene):
    """Volumes on an oblique grid under a transform, and a result that lacks the right part of the tumor."""
    _, cut, _ = cut_head(oblique_grid())
    nodes = addCase(make_case(cut.grid))
    parent = addTransform(scene, TILT)
    for node in nodes.values():
        node.SetAndObserveTransformNodeID(parent.GetID())
    result = showResult(scene, makeResult(caseFromNodes(nodes), cut.array), nodes["T1"], "Tumor")
    keepInputs(result, nodes)
    return result, nodes["T1"]


def agreement(result, volume):
    grid = gridFromNode(volume)
    return dice(maskFromSegment(result, "WT", volume), SCHEME.mask(make_labels(grid).array, "WT"))


def test_a_click_brings_back_what_is_missing_and_undo_takes_it_away(study, client):
    result, volume = study
    before, was = contents(result, volume), agreement(result, volume)
    done = correct(result, "WT", Click(MISSING), client)
    assert agreement(result, volume) > was + 0.02
    assert done.words.startswith("Include click in Whole tumor: +")
    assert "WT" in done.changed
    after = contents(result, volume)
    history = UndoHistory.of(result)
    assert [entry.name for entry in history.entries] == ["Include click in Whole tumor"]
    history.undo()
    assert contents(result, volume) == before
    assert promptsOf(result) == []
    assert drawPrompts(result) == []
    history.redo()
    assert contents(result, volume) == after
    assert [kept.prompt for kept in promptsOf(result, "WT")] == [Click(MISSING)]
    assert storyOf(result)[0]["what"].startswith("Include click in Whole tumor: +")


def test_regions_stay_nested_and_segments_of_others_untouched(study, client):
    result, volume = study
    own = result.GetSegmentation().AddEmptySegment("mine", "Mine")
    paint(result, own, volume, np.s_[3:9, 3:9, 3:9])
    mine = maskFromSegment(result, own, volume)
    correct(result, "ET", Click(MISSING), client)
    masks = {name: maskFromSegment(result, name, volume) for name in ("ET", "TC", "WT")}
    assert not (masks["ET"] & ~masks["TC"]).any()
    assert not (masks["TC"] & ~masks["WT"]).any()
    assert np.array_equal(maskFromSegment(result, own, volume), mine)


def test_without_probabilities_a_click_puts_nothing_into_the_core_unasked(study, client):
    """As after a reload: the worker knows nothing of the run."""
    result, volume = study
    before = {name: maskFromSegment(result, name, volume) for name in ("ET", "TC", "WT")}
    done = correct(result, "WT", Click(MISSING), client)
    assert not done.corrected.facts["from_probabilities"]
    assert (maskFromSegment(result, "WT", volume) & ~before["WT"]).any()
    for name in ("ET", "TC"):
        assert np.array_equal(maskFromSegment(result, name, volume), before[name])


@pytest.mark.parametrize("how", ["locked", "accepted"])
def test_what_is_locked_or_accepted_keeps_every_voxel(study, client, how):
    result, volume = study
    if how == "locked":
        setLocked(result, "WT", True)
    else:
        decide(result, "WT", "accepted", "AB")
    before = maskFromSegment(result, "WT", volume)
    correct(result, "TC", Click(TUMOR_CENTER_RAS_MM, False), client)
    correct(result, "ET", Click(MISSING), client)
    assert np.array_equal(maskFromSegment(result, "WT", volume), before)


def test_a_locked_region_is_not_corrected_itself(study, client):
    result, volume = study
    setLocked(result, "WT", True)
    before = contents(result, volume)
    with pytest.raises(UsageError) as caught:
        correct(result, "WT", Click(MISSING), client)
    assert caught.value.code == "segment.locked"
    assert contents(result, volume) == before


def test_a_corrected_region_counts_as_edited(study, client):
    result, _ = study
    decide(result, "WT", "accepted", "AB")
    correct(result, "WT", Click(MISSING), client)
    assert {line.segmentId: line.state for line in reviewOf(result)}["WT"] == "edited"


def test_a_preview_changes_nothing_until_it_is_applied(study, client):
    result, volume = study
    before = contents(result, volume)
    looking = correctAsync(result, "WT", Click(MISSING), client, isPreview=True)
    client.poll()
    assert looking.state == "done"
    assert contents(result, volume) == before
    looking.apply()
    assert contents(result, volume) != before
    looking.apply()
    assert len(UndoHistory.of(result).entries) == 1


def test_a_preview_shows_the_whole_region_as_it_will_be(study, client, scene):
    result, volume = study
    looking = correctAsync(result, "WT", Click(MISSING), client, isPreview=True)
    client.poll()
    shown = maskFromSegment(showPreview(looking), "preview", volume)
    removePreview(scene)
    looking.apply()
    np.testing.assert_array_equal(shown, maskFromSegment(result, "WT", volume))
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_a_stroke_during_the_computation_is_not_overwritten(study, client):
    result, volume = study
    running = correctAsync(result, "WT", Click(MISSING), client)
    k, j, i = np.argwhere(maskFromSegment(result, "WT", volume))[0]
    paint(result, "WT", volume, np.s_[k : k + 1, j : j + 1, i : i + 1], isErased=True)
    painted = contents(result, volume)
    client.poll()
    assert (running.state, running.error.code) == ("failed", "correct.changed")
    assert contents(result, volume) == painted


def test_every_kind_of_prompt_is_drawn_and_read_back(study, client):
    result, _ = study
    square = ((18.0, -12.0, 5.0), (26.0, -12.0, 5.0), (26.0, -4.0, 5.0), (18.0, -4.0, 5.0))
    prompts = [
        Click(MISSING),
        Scribble(((20.0, -14.0, 6.0), (20.0, -2.0, 6.0)), True, 2.0),
        Lasso(square, False),
        BoxPrompt(TUMOR_CENTER_RAS_MM, (12.0, 10.0, 8.0), False),
    ]
    for prompt in prompts:
        correct(result, "WT", prompt, client)
    markups = drawPrompts(result)
    assert len(markups) == len(markupsOf(result)) == 4
    for markup, prompt in zip(markups, prompts, strict=True):
        read = promptFromMarkup(markup, result, prompt.is_include, 2.0)
        assert type(read) is type(prompt)
        assert np.allclose(read.points_ras_mm, prompt.points_ras_mm, atol=1e-6)


def test_a_region_drawn_on_two_slices_fills_between_them(study, client):
    result, volume = study
    shape = gridFromNode(volume).shape_zyx
    paint(result, "WT", volume, np.s_[:, :, :], isErased=True)
    for index in (4, 10):
        paint(result, "WT", volume, np.s_[index : index + 1, 8:16, 8:16])
    fillBetween(result, "WT", client)
    filled = maskFromSegment(result, "WT", volume)
    assert np.flatnonzero(filled.any(axis=(1, 2))).tolist() == list(range(4, 11))
    assert filled.sum() == 7 * 64, f"of {shape}"
    UndoHistory.of(result).undo()
    assert maskFromSegment(result, "WT", volume).sum() == 2 * 64


def test_labels_before_the_first_correction_are_kept(study, client):
    result, volume = study
    grid = gridFromNode(volume)
    assert labelsBefore(result, grid) is None
    cut = cut_head(grid)[1].array
    correct(result, "WT", Click(MISSING), client)
    correct(result, "ET", Click(TUMOR_CENTER_RAS_MM, True), client)
    assert np.array_equal(labelsBefore(result, grid), cut)


def test_corrections_are_exported_as_a_study_that_training_reads(study, client, tmp_path):
    result, volume = study
    with pytest.raises(UsageError) as caught:
        exportCorrections(result, tmp_path / "set" / "one", client)
    assert caught.value.code == "correct.none"
    correct(result, "WT", Click(MISSING), client)
    files = exportCorrections(result, tmp_path / "set" / "one", client)
    assert {path.name for path in files} >= {"T1.nii.gz", "FLAIR.nii.gz", "seg.nii.gz", "seg_before.nii.gz"}
    assert find_layout(tmp_path / "set") == "corrections"
    (found,) = corrected_studies(tmp_path / "set")
    grid = gridFromNode(volume)
    before, after = read_label_map(found.before), read_label_map(found.study.reference)
    assert before.grid.is_same_as(grid)
    assert np.array_equal(before.array, cut_head(grid)[1].array)
    assert np.array_equal(SCHEME.mask(after.array, "WT"), maskFromSegment(result, "WT", volume))
    assert found.prompts == (("WT", Click(MISSING)),)
    assert found.facts["task"] == "brain-tumor"


def test_prompts_come_back_with_the_scene(study, client, scene, tmp_path):
    result, _ = study
    correct(result, "WT", Click(MISSING), client)
    after = {name: markOf(result, name) for name in ("WT", "TC", "ET")}
    file = str(tmp_path / "scene.mrb")
    assert scene.WriteToMRB(file)
    scene.Clear(0)
    assert scene.ReadFromMRB(file)
    loaded = scene.GetFirstNodeByName("Tumor")
    assert all(isSameMark(mark, markOf(loaded, name)) for name, mark in after.items())
    assert [kept.prompt for kept in promptsOf(loaded)] == [Click(MISSING)]
    assert len(drawPrompts(loaded)) == len(markupsOf(loaded)) == 1
    correct(loaded, "WT", Click(TUMOR_CENTER_RAS_MM, False), client)
    assert len(promptsOf(loaded)) == 2


def test_what_cannot_be_corrected_is_refused(study, client, scene):
    result, volume = study
    other = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Foreign")
    for node, segment, prompt, error, code in (
        (other, "WT", Click(MISSING), UsageError, "correct.not_ours"),
        (result, "XX", Click(MISSING), UsageError, "labels.region"),
        (result, "WT", Click((900.0, 0.0, 0.0)), InputError, "prompt.outside"),
    ):
        with pytest.raises(error) as caught:
            correct(node, segment, prompt, client)
        assert caught.value.code == code
    scene.RemoveNode(volume)
    with pytest.raises(UsageError) as caught:
        correct(result, "WT", Click(MISSING), client)
    assert caught.value.code == "correct.reference_gone"
