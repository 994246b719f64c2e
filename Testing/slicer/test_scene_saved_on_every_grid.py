"""Labels in place after the scene was saved and opened again: every axis order, oblique grids, under transforms.

Each volume's voxels are its own labels, so after the reload the two must still agree voxel by voxel, whatever MRML made
of the axes (it turns left-handed volumes over); and the world says whether they lie where they lay. All in one scene.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import slicer
import slicer.util
import vtk
from MedSegAISlicer.scene.load import openScene, saveScene
from MedSegAISlicer.scene.segmentations import maskFromSegment, showResult
from MedSegAISlicer.scene.volumes import caseFromNodes

from MedSegAILib.core.volume import Grid
from MedSegAILib.image.geometry import Reorientation
from Testing.harness.fake_worker import SCHEME, makeResult
from Testing.harness.mrml import addTransform, addVolume, saveAsMrml
from Testing.makers.other_grids import turn

ORDERS = [
    Reorientation(order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product([False, True], repeat=3)
]
TURNS = [turn(axis, angle) @ turn(1, 35 - angle) for axis in (0, 2) for angle in (7, 16, 24, 41, 58)]
SAME_PLACE_MM = 0.01  # a saved grid comes back exact to about 1e-4 mm
SHAPE = (6, 7, 9)


def the_labels():
    """Three blocks, none like its mirror image."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:4, 2:6, 3:8] = 2
    labels[1:3, 2:5, 4:7] = 1
    labels[2, 3, 4:6] = labels[3, 2, 7] = 4
    return labels


def upright():
    matrix = np.diag([-1.0, -1.2, 2.0, 1.0])
    matrix[:3, 3] = 12.5, -30.0, 7.25
    return matrix


def grids():
    """Give name, voxels and matrix of each case."""
    for move in ORDERS:
        grid = move.grid(Grid(SHAPE, upright()))
        yield f"order {move}", np.ascontiguousarray(move.apply(the_labels())), np.array(grid.ijk_to_ras)
    for number, axes in enumerate(TURNS):
        matrix = upright()
        matrix[:3, :3] = axes @ matrix[:3, :3]
        if number % 2:
            matrix[:3, 0] *= -1.0  # left-handed
        yield f"oblique {number}", the_labels(), matrix


def centers(array, matrix):
    """Give the middle of the voxels of each label in the world, RAS mm."""
    return {value: (matrix @ [*np.argwhere(array == value).mean(axis=0)[::-1], 1.0])[:3] for value in (1, 2, 4)}


def world_matrix(node):
    own, parent = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(own)
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(node.GetParentTransformNode(), None, parent)
    return slicer.util.arrayFromVTKMatrix(parent) @ slicer.util.arrayFromVTKMatrix(own)


@pytest.mark.parametrize(
    ("isMoved", "isBundle"),
    [(False, True), (True, True), (True, False)],
    ids=["in the world, mrb", "under two transforms, mrb", "under two transforms, mrml"],
)
def test_labels_lie_where_they_lay_after_save_and_reload(scene, tmp_path, isMoved, isBundle):
    parent = None
    if isMoved:
        outer, inner = np.eye(4), np.eye(4)
        outer[:3, :3], outer[:3, 3] = turn(2, 25) @ turn(1, 10), (30, -20, 10)
        inner[:3, :3], inner[:3, 3] = turn(0, -12), (-4, 9, 3)
        parent = addTransform(scene, inner, parent=addTransform(scene, outer))
    wanted = {}
    for name, labels, matrix in grids():
        node = addVolume(labels.astype(np.int16), matrix, name)
        node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
        showResult(scene, makeResult(caseFromNodes({"T1": node}), labels), node, f"{name} found")
        wanted[name] = centers(labels, world_matrix(node))
    assert len(wanted) == 48 + 10
    path = saveScene(scene, tmp_path / "all.mrb") if isBundle else saveAsMrml(scene, tmp_path)
    openScene(scene, path)
    for name, places in wanted.items():
        node, found = (slicer.util.getNode(each) for each in (name, f"{name} found"))
        voxels = slicer.util.arrayFromVolume(node)
        now = centers(voxels, world_matrix(node))
        for value, place in places.items():
            np.testing.assert_allclose(now[value], place, atol=SAME_PLACE_MM, err_msg=name)
        for region in SCHEME.regions:
            mask = maskFromSegment(found, region.name, node)
            np.testing.assert_array_equal(mask, np.isin(voxels, region.labels), err_msg=f"{name} {region.name}")
