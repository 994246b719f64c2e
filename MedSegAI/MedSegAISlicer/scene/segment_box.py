"""The voxels of one segment as the smallest box that holds them: cheap to compare, whatever the size of the study.

A whole head is 9 million voxels, a tumor a few thousand. A box does not depend on how MRML stores the voxels (layers,
margins, extents). Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from MedSegAILib.core.filled_box import filled_box

_SAME_PLACE_MM = 0.01  # a saved grid comes back exact to about 1e-4 mm


@dataclass(frozen=True, eq=False)
class SegmentBox:
    """Voxels of a segment.

    Args:
        mask: bool ``[z, y, x]``; every face holds a voxel of the segment. No voxel at all for an empty segment.
        first_ijk: index of the first voxel of the box on its grid.
        ijk_to_ras: 4x4 of the grid, in the frame of the node's parent.
    """

    mask: npt.NDArray[np.bool_]
    first_ijk: tuple[int, int, int]
    ijk_to_ras: npt.NDArray[np.float64]

    @property
    def first_ras_mm(self) -> npt.NDArray[np.float64]:
        """Center of the first voxel of the box, RAS mm; the origin for an empty one."""
        if not self.mask.size:
            return np.zeros(3)
        return np.asarray(self.ijk_to_ras @ [*self.first_ijk, 1.0])[:3]

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in mL."""
        return float(abs(np.linalg.det(self.ijk_to_ras[:3, :3]))) / 1000.0

    def isOnGridOf(self, other: SegmentBox) -> bool:
        """Whether both have the same axes and their voxels lie on one lattice, so that indices can be compared."""
        axes = self.ijk_to_ras[:3, :3]
        if not np.allclose(axes, other.ijk_to_ras[:3, :3], rtol=0.0, atol=1e-5):
            return False
        steps = np.linalg.solve(axes, other.ijk_to_ras[:3, 3] - self.ijk_to_ras[:3, 3])
        return bool(np.abs(axes @ (steps - np.round(steps))).max() <= _SAME_PLACE_MM)

    def onGridOf(self, other: SegmentBox) -> tuple[int, int, int]:
        """Give the index of the first voxel on the grid of another box (see :meth:`isOnGridOf`)."""
        steps = np.linalg.solve(other.ijk_to_ras[:3, :3], self.ijk_to_ras[:3, 3] - other.ijk_to_ras[:3, 3])
        i, j, k = (round(step) + first for step, first in zip(steps, self.first_ijk, strict=True))
        return i, j, k


def boxOf(segmentationNode: Any, segmentId: str) -> SegmentBox:
    """Give the box of a segment; an empty segment has a box without voxels."""
    image = slicer.vtkOrientedImageData()
    segmentationNode.GetBinaryLabelmapRepresentation(segmentId, image)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    ijkToRas = np.array(slicer.util.arrayFromVTKMatrix(matrix))
    if image.IsEmpty():
        return SegmentBox(np.zeros((0, 0, 0), bool), (0, 0, 0), ijkToRas)
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1) > 0
    part = filled_box(voxels)
    box = np.ascontiguousarray(voxels[part])
    if not box.size:
        return SegmentBox(np.zeros((0, 0, 0), bool), (0, 0, 0), ijkToRas)
    k, j, i = (side.start for side in part)
    return SegmentBox(box, (i0 + i, j0 + j, k0 + k), ijkToRas)


@dataclass(frozen=True, eq=False)
class Together:
    """Masks of several segments in one box.

    Args:
        masks: bool ``[z, y, x]`` each, all of one shape, in the order of the boxes that were given.
        first_ijk: index of the first voxel of the box.
        ijk_to_ras: 4x4 of the grid that they share.
    """

    masks: tuple[npt.NDArray[np.bool_], ...]
    first_ijk: tuple[int, int, int]
    ijk_to_ras: npt.NDArray[np.float64]

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in mL."""
        return float(abs(np.linalg.det(self.ijk_to_ras[:3, :3]))) / 1000.0


def together(*boxes: SegmentBox) -> Together | None:
    """Give the masks of boxes in one box that holds them all; None when their grids differ."""
    filled = [box for box in boxes if box.mask.size]
    if not filled:
        return Together(tuple(box.mask for box in boxes), (0, 0, 0), boxes[0].ijk_to_ras)
    base = filled[0]
    if not all(base.isOnGridOf(box) for box in filled):
        return None
    firsts = {id(box): np.array(box.onGridOf(base)) for box in filled}
    low = np.min(list(firsts.values()), axis=0)
    high = np.max([firsts[id(box)] + box.mask.shape[::-1] for box in filled], axis=0)
    masks = []
    for box in boxes:
        mask = np.zeros((high - low)[::-1], bool)
        if box.mask.size:
            i, j, k = firsts[id(box)] - low
            depth, height, width = box.mask.shape
            mask[k : k + depth, j : j + height, i : i + width] = box.mask
        masks.append(mask)
    first_i, first_j, first_k = (int(index) for index in low)
    return Together(tuple(masks), (first_i, first_j, first_k), base.ijk_to_ras)


def putMask(node: Any, segmentId: str, mask: npt.NDArray[np.bool_], place: Together) -> None:
    """Replace the voxels of a segment by a mask in the box of others; an empty mask empties it."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if not mask.any():
        logic.ClearSegment(node, segmentId)
        return
    depth, height, width = mask.shape
    i, j, k = place.first_ijk
    image = slicer.vtkOrientedImageData()
    image.SetExtent(i, i + width - 1, j, j + height - 1, k, k + depth - 1)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = np.ascontiguousarray(mask, np.uint8).ravel()
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(np.array(place.ijk_to_ras)))
    logic.SetBinaryLabelmapToSegment(image, node, segmentId, logic.MODE_REPLACE)
