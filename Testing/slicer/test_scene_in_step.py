"""Regions and labels are two views of one truth: offers after an edit, nothing in silence, everything undone again."""

from __future__ import annotations

import numpy as np
import pytest
from MedSegAISlicer.scene.in_step import bringInStep
from MedSegAISlicer.scene.label_view import labelMasks, labelsNodeOf, regionsNodeOf, showLabels
from MedSegAISlicer.scene.segmentations import maskFromSegment, showResult
from MedSegAISlicer.scene.story import storyOf
from MedSegAISlicer.scene.undo import UndoHistory
from MedSegAISlicer.scene.volumes import caseFromNodes

from MedSegAILib.core.errors import UsageError
from Testing.harness.edits import contents, paint
from Testing.harness.fake_worker import SCHEME, makeResult
from Testing.harness.mrml import addTransform, addVolume
from Testing.makers.phantoms import make_labels, oblique_grid

VALUES = {"NCR": 1, "ED": 2, "ET": 4}


@pytest.fixture
def volume(scene):
    grid = oblique_grid()
    return addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")


@pytest.fixture
def labels(volume):
    return make_labels(caseFromNodes({"T1": volume}).reference_grid()).array


@pytest.fixture
def result(scene, volume, labels):
    return showResult(scene, makeResult(caseFromNodes({"T1": volume}), labels), volume)


def box_at(labels, value):
    """A box of two voxels a side that lies within a label whole (0: outside of the tumor)."""
    inside = labels == value
    whole = np.logical_and.reduce(
        [np.roll(inside, (-dz, -dy, -dx), (0, 1, 2)) for dz in (0, 1) for dy in (0, 1) for dx in (0, 1)]
    )
    z, y, x = np.argwhere(whole)[0]
    return (slice(z, z + 2), slice(y, y + 2), slice(x, x + 2))


def masks(node, volume):
    ids = node.GetSegmentation().GetSegmentIDs()
    return {name: maskFromSegment(node, name, volume) for name in ids}


def assert_nested(node, volume):
    found = masks(node, volume)
    assert not (found["ET"] & ~found["TC"]).any()
    assert not (found["TC"] & ~found["WT"]).any()


def test_a_fresh_result_is_in_step(result):
    assert [bringInStep(result, name) for name in ("WT", "TC", "ET")] == [None] * 3


def test_enhancing_tumor_painted_in_edema_offers_to_grow_the_core_and_changes_nothing_before(result, volume, labels):
    paint(result, "ET", volume, box_at(labels, 2))
    before = contents(result, volume)
    offer = bringInStep(result, "ET")
    assert contents(result, volume) == before
    grown = masks(result, volume)["ET"] & ~masks(result, volume)["TC"]
    voxel_ml = abs(np.linalg.det(oblique_grid().ijk_to_ras[:3, :3])) / 1000
    (change,) = offer.changes
    assert (change.segmentId, change.title, change.lost_ml) == ("TC", "Tumor core", 0.0)
    assert change.gained_ml == pytest.approx(grown.sum() * voxel_ml)
    offer.apply()
    assert_nested(result, volume)
    assert contents(result, volume)["ET"] == before["ET"]
    assert bringInStep(result, "ET") is None
    assert storyOf(result)[0]["what"] == "brought in step with Enhancing tumor"
    UndoHistory.of(result).undo()
    assert contents(result, volume) == before


def test_enhancing_tumor_outside_of_all_offers_to_grow_core_and_whole(result, volume, labels):
    paint(result, "ET", volume, box_at(labels, 0))
    offer = bringInStep(result, "ET")
    assert {change.segmentId for change in offer.changes} == {"WT", "TC"}
    assert len({round(change.gained_ml, 9) for change in offer.changes}) == 1
    offer.apply()
    assert_nested(result, volume)


def test_a_hole_in_the_whole_offers_to_cut_what_lies_inside(result, volume, labels):
    hole = box_at(labels, 4)
    paint(result, "WT", volume, hole, isErased=True)
    before = contents(result, volume)
    offer = bringInStep(result, "WT")
    assert {change.segmentId for change in offer.changes} == {"TC", "ET"}
    assert all(change.gained_ml == 0 and change.lost_ml > 0 for change in offer.changes)
    offer.apply()
    assert contents(result, volume)["WT"] == before["WT"]
    assert not masks(result, volume)["ET"][hole].any()
    assert_nested(result, volume)


def test_an_edit_of_edema_alone_needs_no_offer(result, volume, labels):
    paint(result, "WT", volume, box_at(labels, 0))
    assert bringInStep(result, "WT") is None


def test_the_labels_are_those_of_the_result_and_exclude_each_other(result, volume, labels):
    node = showLabels(result)
    assert node.GetName() == f"{result.GetName()} (labels)"
    for name, value in VALUES.items():
        np.testing.assert_array_equal(maskFromSegment(node, name, volume), labels == value, err_msg=name)
    assert node.GetSegmentation().GetSegment("ED").GetName() == "Edema"
    assert labelsNodeOf(result) is node
    assert regionsNodeOf(node) is result
    assert showLabels(result) is node


def test_drawn_labels_are_never_overwritten_before_the_regions_are_in_step(result, volume, labels):
    node = showLabels(result)
    paint(node, "NCR", volume, box_at(labels, 2))
    before = contents(node, volume)
    with pytest.raises(UsageError, match="labels were edited"):
        showLabels(result)
    assert contents(node, volume) == before
    bringInStep(node, "NCR").apply()
    showLabels(result)
    assert masks(node, volume)["NCR"][box_at(labels, 2)].all()


def test_labels_follow_the_regions_when_shown_again(result, volume, labels):
    node = showLabels(result)
    painted = box_at(labels, 2)
    paint(result, "ET", volume, painted)  # not brought in step: the innermost region counts
    showLabels(result)
    found = masks(node, volume)
    assert found["ET"][painted].all()
    assert sum(mask.astype(int) for mask in found.values()).max() == 1


def test_a_painted_label_takes_from_the_others_and_the_regions_follow(result, volume, labels):
    node = showLabels(result)
    painted = box_at(labels, 2)
    paint(node, "ET", volume, painted)
    before = contents(result, volume)
    offer = bringInStep(node, "ET")
    assert contents(result, volume) == before
    assert {(change.node is node, change.segmentId) for change in offer.changes} >= {(True, "ED"), (False, "ET")}
    offer.apply()
    found = masks(node, volume)
    assert sum(mask.astype(int) for mask in found.values()).max() == 1
    wanted = labels.copy()
    wanted[painted] = 4
    for region in SCHEME.regions:
        np.testing.assert_array_equal(maskFromSegment(result, region.name, volume), np.isin(wanted, region.labels))
    assert bringInStep(node, "ET") is None
    assert_nested(result, volume)


def test_an_erased_label_leaves_the_regions(result, volume, labels):
    node = showLabels(result)
    hole = box_at(labels, 4)
    paint(node, "ET", volume, hole, isErased=True)
    bringInStep(node, "ET").apply()
    wanted = maskFromSegment(node, "ET", volume)
    np.testing.assert_array_equal(maskFromSegment(result, "ET", volume), wanted)


def test_a_result_under_a_transform_keeps_its_labels_there(scene, volume, labels):
    shift = np.eye(4)
    shift[:3, 3] = 40, -3, 2
    volume.SetAndObserveTransformNodeID(addTransform(scene, shift).GetID())
    result = showResult(scene, makeResult(caseFromNodes({"T1": volume}), labels), volume)
    node = showLabels(result)
    assert node.GetParentTransformNode() is volume.GetParentTransformNode()
    np.testing.assert_array_equal(maskFromSegment(node, "NCR", volume), labels == 1)


def test_segments_and_nodes_of_others_are_left_alone(scene, result, volume):
    result.GetSegmentation().AddEmptySegment("mine", "Mine", (1, 1, 0))
    assert bringInStep(result, "mine") is None
    users = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "by hand")
    assert bringInStep(users, "WT") is None
    with pytest.raises(UsageError, match="no run of ours has made it"):
        showLabels(users)


def test_an_empty_result_has_empty_labels(scene, volume, labels):
    empty = showResult(scene, makeResult(caseFromNodes({"T1": volume}), np.zeros_like(labels)), volume)
    node = showLabels(empty)
    assert not any(mask.any() for mask in masks(node, volume).values())
    assert bringInStep(empty, "ET") is None


def test_labels_of_every_consistent_map_are_found_again():
    labels = np.random.default_rng(5).choice(np.array([0, 1, 2, 4]), (4, 5, 6))
    regions = {region.name: SCHEME.mask(labels, region.name) for region in SCHEME.regions}
    for name, mask in labelMasks(SCHEME, regions).items():
        np.testing.assert_array_equal(mask, labels == VALUES[name])
