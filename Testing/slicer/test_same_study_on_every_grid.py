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
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import Reorientation
from MedSegAILib.image.metrics import dice
from MedSegAILib.image.resample import resample
from MedSegAILib.io import read_study
from Testing.harness.mrml import addCase, addTransform

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


def stored_on(study, grid):
    """The study as another scanner grid would hold it: linear interpolation, same place in the world."""
    return Case({role: Volume(resample(np.float32(v.array), v.grid, grid), grid) for role, v in study.volumes.items()})


def covering(grid, turn, spacing_mm):
    """A grid with the axes ``turn`` that covers another one."""
    axes = turn @ np.diag([-1.0, -1.0, 1.0]) @ np.diag(spacing_mm)
    corners = np.linalg.inv(axes) @ grid.corners_ras_mm()
    counts = np.ceil(np.ptp(corners, axis=1)).astype(int) + 1
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = axes @ corners.min(axis=1)
    return Grid((int(counts[2]), int(counts[1]), int(counts[0])), matrix)


def turn(axis, degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[[first, second], [first, second]] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


@pytest.mark.parametrize("move", ORDERS, ids=str)
def test_every_axis_order_gives_the_same_labels_voxel_by_voxel(scene, logic, study, upright, move):
    wanted = upright_masks(upright, logic, study, "fast")
    grid = move.grid(study.reference_grid())
    case = Case({role: Volume(np.ascontiguousarray(move.apply(v.array)), grid) for role, v in study.volumes.items()})
    found = masks_of(logic, case, "turned")
    for region in REGIONS:
        np.testing.assert_array_equal(found[region], move.apply(wanted[region]), err_msg=region)


OTHER_GRIDS = {
    "shifted by half a voxel": (np.eye(3), (1.0, 1.0, 1.0)),
    "turned by 10 degrees": (turn(2, 10), (1.0, 1.0, 1.0)),
    "turned by 20 and 15 degrees": (turn(2, 20) @ turn(0, 15), (1.0, 1.0, 1.0)),
    "0.7 x 0.7 x 2 mm": (np.eye(3), (0.7, 0.7, 2.0)),
    "turned, 1 x 1 x 2 mm": (turn(0, 17), (1.0, 1.0, 2.0)),
}


@pytest.fixture(scope="module")
def whole_tumor_probability(study):
    """Where the study as it is stored has its whole tumor, finer than its voxels: a mask alone is known to a voxel."""
    kept = segment(study, options=RunOptions(keep_probabilities=True)).probabilities
    channel = kept.array[kept.regions.index("WT")]
    return Volume(channel, Grid(channel.shape, kept.ijk_to_ras))


@pytest.mark.parametrize("name", OTHER_GRIDS)
def test_oblique_and_anisotropic_grids_give_the_same_whole_tumor(scene, logic, study, whole_tumor_probability, name):
    grid = covering(study.reference_grid(), *OTHER_GRIDS[name])
    found = masks_of(logic, stored_on(study, grid), "resampled", "balanced")["WT"]
    wanted = resample(whole_tumor_probability.array, whole_tumor_probability.grid, grid) > 0.5
    assert dice(found, wanted) >= 0.99


def test_a_parent_transform_changes_no_voxel(scene, logic, study, upright):
    wanted = upright_masks(upright, logic, study, "fast")
    matrix = np.eye(4)
    matrix[:3, :3] = turn(2, 25) @ turn(1, 10)
    matrix[:3, 3] = (30, -20, 10)
    found = masks_of(logic, study, "under a parent", parent=addTransform(scene, matrix))
    for region in REGIONS:
        np.testing.assert_array_equal(found[region], wanted[region], err_msg=region)
