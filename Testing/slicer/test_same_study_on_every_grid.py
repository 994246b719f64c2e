"""One study on every grid it may be stored on: real MRML, the real worker.

All 48 axis orders go through a package of a few kB: scene, worker, checks, preparation and the way back are the real
ones, and a network never learns in which order its input was stored. The shipped package runs a real study on some.
"""

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
from MedSegAILib.image.geometry import Reorientation, crop_grid
from MedSegAILib.image.metrics import dice
from MedSegAILib.io import read_study
from Testing.harness.mrml import addCase, addTransform, boot
from Testing.makers.other_grids import OTHER_GRIDS, covering, regions_on, stored_on, turn
from Testing.makers.tiny_package import make_tiny_package

ROLES = ("T1", "T1ce", "T2", "FLAIR")
STUDY = "brain_tumor_four_sequences/BraTS2021_01479"
REGIONS = ("WT", "TC", "ET")
FAST = RunOptions(preset="fast")
# Compiling for OpenVINO takes longer than all the rest of a run with so small a network.
TINY = RunOptions(preset="fast", backend="torch", threads=1)
# With these random weights the three regions are nested, none empty and none the whole head.
TINY_SEED = 2
ORDERS = [
    Reorientation(order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product([False, True], repeat=3)
]
# An even and an odd permutation, no flip and all flips, both hands.
SOME_ORDERS = [
    Reorientation((1, 2, 0), (True, False, True)),
    Reorientation((2, 1, 0), (False, False, False)),
    Reorientation((0, 1, 2), (True, True, True)),
]


def logic_with(packages):
    """One logic, so that one worker serves all runs."""
    boot()
    made = SegmentationLogic(packages=packages)
    yield made
    made.close()


@pytest.fixture(scope="module")
def logic():
    yield from logic_with(())


@pytest.fixture(scope="module")
def tiny_logic(tmp_path_factory):
    yield from logic_with([make_tiny_package(tmp_path_factory.mktemp("packages") / "brain-tumor", seed=TINY_SEED)])


def masks_of(logic, case, name, options=FAST, parent=None):
    nodes = addCase(case, name)
    for node in nodes.values():
        node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
    segmentation = logic.segment(nodes, options=options)
    return {region: maskFromSegment(segmentation, region, nodes["T1ce"]) for region in REGIONS}


def turned(case, move):
    """The same voxels, stored in another axis order."""
    grid = move.grid(case.reference_grid())
    return Case({role: Volume(np.ascontiguousarray(move.apply(v.array)), grid) for role, v in case.volumes.items()})


def parent_of(scene):
    matrix = np.eye(4)
    matrix[:3, :3] = turn(2, 25) @ turn(1, 10)
    matrix[:3, 3] = (30, -20, 10)
    return addTransform(scene, matrix)


def assert_same(found, wanted, move=None):
    for region in REGIONS:
        same = move.apply(wanted[region]) if move else wanted[region]
        np.testing.assert_array_equal(found[region], same, err_msg=region)


@pytest.fixture(scope="module")
def part(checkout):
    """The sample study around its tumor, longer along one axis than along another."""
    case = read_study(checkout / "Resources" / "SampleData" / "brain-tumor", ROLES)
    box = (slice(48, 80), slice(45, 87), slice(12, 48))
    grid = crop_grid(case.volumes["T1ce"].grid, box)
    return Case({role: Volume(volume.array[box], grid) for role, volume in case.volumes.items()}, reference="T1ce")


@pytest.fixture(scope="module")
def upright_part(tiny_logic, part):
    return masks_of(tiny_logic, part, "upright", TINY)


def test_the_part_looks_different_in_every_axis_order(upright_part):
    """Otherwise the agreement below would say little."""
    for mask in upright_part.values():
        assert 0.02 < mask.mean() < 0.9
    looks = {(move.apply(upright_part["TC"]).shape, move.apply(upright_part["TC"]).tobytes()) for move in ORDERS}
    assert len(looks) == len(ORDERS) == 48


@pytest.mark.parametrize("move", ORDERS, ids=str)
def test_every_axis_order_gives_the_same_labels_voxel_by_voxel(scene, tiny_logic, part, upright_part, move):
    assert_same(masks_of(tiny_logic, turned(part, move), "turned", TINY), upright_part, move)


@pytest.mark.parametrize("move", [None, *SOME_ORDERS], ids=str)
def test_a_parent_transform_changes_no_voxel(scene, tiny_logic, part, upright_part, move):
    case = turned(part, move) if move else part
    assert_same(masks_of(tiny_logic, case, "under a parent", TINY, parent_of(scene)), upright_part, move)


@pytest.fixture(scope="module")
def study(shared_dir):
    return read_study(shared_dir / "data" / STUDY, ROLES)


@pytest.fixture(scope="module")
def upright(logic, study):
    """Masks of the study as it is stored, once for all tests of this file."""
    return masks_of(logic, study, "upright")


@pytest.mark.shared
@pytest.mark.parametrize("move", SOME_ORDERS, ids=str)
def test_shipped_package_gives_the_same_labels_of_a_turned_study(scene, logic, study, upright, move):
    assert_same(masks_of(logic, turned(study, move), "turned"), upright, move)


@pytest.mark.shared
def test_shipped_package_heeds_no_parent_transform(scene, logic, study, upright):
    assert_same(masks_of(logic, study, "under a parent", parent=parent_of(scene)), upright)


@pytest.fixture(scope="module")
def upright_result(study):
    """With its probabilities: they place a border finer than the voxels of a mask do."""
    return segment(study, options=RunOptions(keep_probabilities=True))


@pytest.mark.shared
@pytest.mark.parametrize("name", [name for name in OTHER_GRIDS if "3 mm" not in name])
def test_oblique_and_anisotropic_grids_give_the_same_whole_tumor(scene, logic, study, upright_result, name):
    grid = covering(study.reference_grid(), *OTHER_GRIDS[name])
    found = masks_of(logic, stored_on(study, grid), "resampled", RunOptions(preset="balanced"))["WT"]
    assert dice(found, regions_on(upright_result, grid)["WT"]) >= 0.99
