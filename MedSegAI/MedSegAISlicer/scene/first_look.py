"""The first look at a result: the slices go to the middle of what was found. Ring 9 (scene); no Qt."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from .segment_box import boxOf


def middleOf(segmentationNode: Any, segmentId: str) -> tuple[float, float, float] | None:
    """Give a voxel of a segment near its center of mass, in the world, RAS mm; None for an empty segment.

    The center itself may lie outside of a bent or hollow segment.
    """
    box = boxOf(segmentationNode, segmentId)
    if not box.mask.size:
        return None
    voxels = np.argwhere(box.mask)
    nearest = voxels[np.argmin(np.linalg.norm(voxels - voxels.mean(axis=0), axis=1))]
    inParent = box.ijk_to_ras @ [*(nearest[::-1] + box.first_ijk), 1.0]
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(segmentationNode.GetParentTransformNode(), None, matrix)
    right, anterior, superior, _ = matrix.MultiplyPoint([float(value) for value in inParent])
    return float(right), float(anterior), float(superior)


def lookAtResult(segmentationNode: Any) -> bool:
    """Bring all slice views to the middle of the first region that is not empty; they are not panned.

    Returns:
        Whether there was something to look at.
    """
    for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
        middle = middleOf(segmentationNode, segmentId)
        if middle is not None:
            mode = slicer.vtkMRMLSliceNode.OffsetJumpSlice
            slicer.vtkMRMLSliceNode.JumpAllSlices(segmentationNode.GetScene(), *middle, mode)
            return True
    return False
