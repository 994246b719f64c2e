"""A real study on every grid it may be stored on: real MRML, the real worker, the shipped package."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from MedSegAISlicer.scene.logic import SegmentationLogic
from MedSegAISlicer.scene.segmentations import maskFromSegment

from MedSegAILib.api import segment
from MedSegAILib.core.case import Case
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.geometry import Reorientation
from MedSegAILib.image.metrics import dice
from MedSegAILib.io import read_study
from Testing.harness.mrml import addCase, addTransform
from Testing.makers.other_grids import OTHER_GRIDS, covering, regions_on, stored_on, turn

pytestmark = pytest.mark.shared

ROLES = ("T1", "T1ce", "T2", "FLAIR")
STUDY = "brain_tumor_four_sequences/BraTS2021_01479"
REGIONS = ("WT", "TC", "ET")
ORDERS = [
    Reorientation(order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product([False, True], repeat=3)
]


@pytest.fixture(scope="module")
def logic():
    """One logic, so that one worker serves all runs."""
    from Testing.harness.mrml import boot

    boot()
    made = SegmentationLogic()
    yield made
    made.close()


@pytest.fixture(scope="module")
def study(shared_dir):
    return read_study(shared_dir / "data" / STUDY, ROLES)


@pytest.fixture(scope="module")
def upright():
    """Masks of the study as it is stored, once for all tests of this file."""
    return {}


def masks_of(logic, case, name, preset="fast", parent=None):
    nodes = addCase(case, name)
    for node in nodes.values():
        node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
    segmentation = logic.segment(nodes, options=RunOptions(preset=preset))
    return {region: maskFromSegment(segmentation, region, nodes["T1ce"]) for region in REGIONS}


def upright_masks(upright, logic, study, preset):
    if preset not in upright:
        upright[preset] = masks_of(logic, study, "upright", preset)
    return upright[preset]


@pytest.mark.parametrize("move", ORDERS, ids=str)
def test_every_axis_order_gives_the_same_labels_voxel_by_voxel(scene, logic, study, upright, move):
    wanted = upright_masks(upright, logic, study, "fast")
    grid = move.grid(study.reference_grid())
    case = Case({role: Volume(np.ascontiguousarray(move.apply(v.array)), grid) for role, v in study.volumes.items()})
    found = masks_of(logic, case, "turned")
    for region in REGIONS:
        np.testing.assert_array_equal(found[region], move.apply(wanted[region]), err_msg=region)


@pytest.fixture(scope="module")
def upright_result(study):
    """With its probabilities: they place a border finer than the voxels of a mask do."""
    return segment(study, options=RunOptions(keep_probabilities=True))


@pytest.mark.parametrize("name", [name for name in OTHER_GRIDS if "3 mm" not in name])
def test_oblique_and_anisotropic_grids_give_the_same_whole_tumor(scene, logic, study, upright_result, name):
    grid = covering(study.reference_grid(), *OTHER_GRIDS[name])
    found = masks_of(logic, stored_on(study, grid), "resampled", "balanced")["WT"]
    assert dice(found, regions_on(upright_result, grid)["WT"]) >= 0.99


def test_a_parent_transform_changes_no_voxel(scene, logic, study, upright):
    wanted = upright_masks(upright, logic, study, "fast")
    matrix = np.eye(4)
    matrix[:3, :3] = turn(2, 25) @ turn(1, 10)
    matrix[:3, 3] = (30, -20, 10)
    found = masks_of(logic, study, "under a parent", parent=addTransform(scene, matrix))
    for region in REGIONS:
        np.testing.assert_array_equal(found[region], wanted[region], err_msg=region)
