"""Real MRML, the real worker process, the shipped package, the sample study: what a script does in Slicer."""

from __future__ import annotations

import itertools
import os
import signal
import time

import numpy as np
import pytest
import slicer
import slicer.util
import vtk
from MedSegAISlicer.scene.runner import Callbacks
from MedSegAISlicer.scene.segmentations import maskFromSegment, readPassport

from MedSegAILib.api import segment
from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import Cancelled, WorkerError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.metrics import dice
from MedSegAILib.image.resample import resample
from MedSegAILib.io import read_study
from Testing.harness.mrml import addCase, addTransform, addVolume, fingerprint

ROLES = ("T1", "T1ce", "T2", "FLAIR")
FAST = RunOptions(preset="fast")
TILT = np.array([[0.8, 0, 0.6, 40], [0, 1, 0, -20], [-0.6, 0, 0.8, 3], [0, 0, 0, 1]])


@pytest.fixture
def sample(scene, checkout):
    """The sample study, loaded by Slicer's own reader."""
    folder = checkout / "Resources" / "SampleData" / "brain-tumor"
    volumes = slicer.modules.volumes.logic()
    return {role: volumes.AddArchetypeVolume(str(folder / f"{role}.nii.gz"), role, 0) for role in ROLES}


@pytest.fixture
def tumor_box(scene, checkout):
    """The part of the sample around its tumor, as a case and as nodes: large enough for the network, quick to run."""
    case = read_study(checkout / "Resources" / "SampleData" / "brain-tumor", ROLES)
    box = np.s_[40:88, 35:98, 2:56]
    grid = case.volumes["T1ce"].grid
    matrix = np.array(grid.ijk_to_ras)
    matrix[:3, 3] = (matrix @ [box[2].start, box[1].start, box[0].start, 1])[:3]
    arrays = {role: volume.array[box] for role, volume in case.volumes.items()}
    smaller = Grid(arrays["T1"].shape, matrix)
    case = Case({role: Volume(array, smaller) for role, array in arrays.items()}, reference="T1ce")
    return case, addCase(case, "box")


def masks(segmentation, volume):
    return {name: maskFromSegment(segmentation, name, volume) for name in ("WT", "TC", "ET")}


def nodeIds(scene):
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]


def place(node):
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def copies(sample, order, signs):
    """The same scans with index axes permuted and flipped; voxels and places in the world stay what they are."""
    made = {}
    for role, node in sample.items():
        array = slicer.util.arrayFromVolume(node)
        ijk_to_ras = place(node)
        change = np.zeros((4, 4))
        change[3, 3] = 1
        shape_ijk = array.shape[::-1]
        for new, (old, sign) in enumerate(zip(order, signs, strict=True)):
            change[old, new] = sign
            if sign < 0:
                change[old, 3] = shape_ijk[old] - 1
        made[role] = addVolume(reordered(array, order, signs), ijk_to_ras @ change, f"{role} turned")
    return made


def reordered(array, order, signs):
    """An array ``[z, y, x]`` with its i, j, k axes taken in another order and direction."""
    axes = [2 - order[2 - axis] for axis in range(3)]
    turned = np.transpose(array, axes)
    return np.ascontiguousarray(turned[tuple(slice(None, None, signs[2 - axis]) for axis in range(3))])


def test_a_script_segments_the_sample_with_one_call(scene, logic, sample):
    before = {role: fingerprint(node) for role, node in sample.items()}
    steps = []
    segmentation = logic.segment(sample, options=FAST, progress=steps.append)
    volumes = {name: mask.sum() for name, mask in masks(segmentation, sample["T1ce"]).items()}
    assert volumes["WT"] > volumes["TC"] > volumes["ET"] > 0
    assert "predict" in {step.stage for step in steps}
    passport = readPassport(segmentation)
    assert (passport.task, passport.options["preset"]) == ("brain-tumor", "fast")
    assert {role: fingerprint(node) for role, node in sample.items()} == before


def test_the_scene_gives_the_labels_that_python_gives(scene, logic, sample, checkout):
    case = read_study(checkout / "Resources" / "SampleData" / "brain-tumor", ROLES)
    wanted = segment(case, options=FAST)
    segmentation = logic.segment(sample, options=FAST)
    reference = case.volumes["T1ce"]
    on_files_grid = addVolume(reference.array, reference.grid.ijk_to_ras, "as read from the file")
    for name, mask in masks(segmentation, on_files_grid).items():
        np.testing.assert_array_equal(mask, wanted.region_mask(name), err_msg=name)


def some_orders():
    """Every permutation and every flip at least once, both hands; all 48 run on a real study (shared data)."""
    flips = [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (-1, -1, 1), (-1, -1, -1)]
    return [*zip(itertools.permutations(range(3)), flips, strict=True), ((0, 1, 2), (-1, -1, -1))]


def test_axis_orders_and_left_handed_grids_give_the_same_labels_voxel_by_voxel(scene, logic, tumor_box):
    _, nodes = tumor_box
    wanted = masks(logic.segment(nodes, options=FAST), nodes["T1ce"])
    assert all(mask.any() for mask in wanted.values())
    for order, signs in some_orders():
        turned = copies(nodes, order, signs)
        segmentation = logic.segment(turned, options=FAST)
        for name, mask in masks(segmentation, turned["T1ce"]).items():
            same = reordered(wanted[name], order, signs)
            np.testing.assert_array_equal(mask, same, err_msg=f"{order} {signs} {name}")
        for node in [*turned.values(), segmentation]:
            scene.RemoveNode(node)


@pytest.mark.parametrize("spacing_mm", [(1.6, 1.6, 1.6), (1.2, 1.2, 3.0)], ids=["isotropic", "anisotropic"])
@pytest.mark.parametrize("has_parent", [False, True], ids=["no parent", "parent"])
def test_an_oblique_left_handed_study_gives_what_the_library_gives(scene, logic, tumor_box, spacing_mm, has_parent):
    case, _ = tumor_box
    grid = turned_grid(case.reference_grid(), spacing_mm)
    oblique = Case(
        {role: Volume(resample(np.float32(v.array), v.grid, grid), grid) for role, v in case.volumes.items()},
        reference="T1ce",
    )
    nodes = addCase(oblique, "oblique")
    parent = addTransform(scene, TILT) if has_parent else None
    for node in nodes.values():
        node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
    wanted = segment(oblique, options=FAST)
    found = masks(logic.segment(nodes, options=FAST), nodes["T1ce"])
    assert found["WT"].any()
    for name, mask in found.items():
        np.testing.assert_array_equal(mask, wanted.region_mask(name), err_msg=name)


def turned_grid(grid, spacing_mm, degrees=20.0):
    """A left-handed grid that covers another one, turned by ``degrees`` about two axes."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_k = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    about_i = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    axes = about_k @ about_i @ np.diag([1.0, 1.0, -1.0]) @ np.diag(spacing_mm)
    corners = np.linalg.inv(axes) @ grid.corners_ras_mm()
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = axes @ corners.min(axis=1)
    counts = np.ceil(np.ptp(corners, axis=1)).astype(int) + 1
    return Grid((int(counts[2]), int(counts[1]), int(counts[0])), matrix)


def test_a_parent_transform_moves_the_result_and_changes_no_voxel(scene, logic, tumor_box):
    _, nodes = tumor_box
    wanted = masks(logic.segment(nodes, options=FAST), nodes["T1ce"])
    parent = addTransform(scene, TILT)
    for node in nodes.values():
        node.SetAndObserveTransformNodeID(parent.GetID())
    segmentation = logic.segment(nodes, options=FAST)
    assert segmentation.GetParentTransformNode() is parent
    for name, mask in masks(segmentation, nodes["T1ce"]).items():
        np.testing.assert_array_equal(mask, wanted[name], err_msg=name)


def test_a_registration_kept_as_a_transform_is_honored(scene, logic, sample):
    """FLAIR is stored elsewhere and brought back by its own transform, as a registration leaves it."""
    wanted = masks(logic.segment(sample, options=FAST), sample["T1ce"])
    moved = np.linalg.inv(TILT) @ place(sample["FLAIR"])
    sample["FLAIR"].SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(moved))
    sample["FLAIR"].SetAndObserveTransformNodeID(addTransform(scene, TILT).GetID())
    segmentation = logic.segment(sample, options=FAST)
    assert dice(masks(segmentation, sample["T1ce"])["WT"], wanted["WT"]) >= 0.99


def waitUntil(logic, is_true, seconds=120.0):
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        logic.runner.poll(0.02)


def test_the_worker_killed_in_a_job_leaves_the_scene_as_before_and_the_next_job_works(scene, logic, sample):
    before, steps, errors = nodeIds(scene), [], []
    run = logic.segmentAsync(
        sample, options=RunOptions(preset="best"), callbacks=Callbacks(steps.append, onError=errors.append)
    )
    waitUntil(logic, lambda: any(step.stage == "predict" for step in steps))
    os.kill(logic.runner.client.worker_pid, signal.SIGKILL)
    waitUntil(logic, lambda: run.state != "running")
    assert run.state == "failed"
    assert isinstance(errors[0], WorkerError)
    assert errors[0].code == "worker.died"
    assert nodeIds(scene) == before
    assert logic.segment(sample, options=FAST) is not None


def test_cancel_during_the_prediction_is_idle_within_two_seconds(scene, logic, sample):
    before, steps = nodeIds(scene), []
    run = logic.segmentAsync(sample, options=RunOptions(preset="best"), callbacks=Callbacks(steps.append))
    waitUntil(logic, lambda: any(step.stage == "predict" and step.done for step in steps))
    began = time.monotonic()
    run.cancel()
    waitUntil(logic, lambda: not logic.needsPoll)
    assert time.monotonic() - began < 2.0
    assert run.state == "cancelled"
    assert isinstance(run.error, Cancelled)
    assert nodeIds(scene) == before


def test_the_scene_closed_in_a_job_stops_the_worker_and_stays_empty(scene, logic, sample):
    steps = []
    run = logic.segmentAsync(sample, options=RunOptions(preset="best"), callbacks=Callbacks(steps.append))
    waitUntil(logic, lambda: any(step.stage == "predict" for step in steps))
    logic.runner.drop()
    scene.Clear(0)
    waitUntil(logic, lambda: not logic.needsPoll, seconds=2.5)
    assert run.state == "cancelled"
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
