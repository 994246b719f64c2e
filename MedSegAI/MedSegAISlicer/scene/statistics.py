"""What the table of regions shows, read from the segmentation node itself, so that it is true after an edit.

Volumes are counted from voxels; Slicer's smoothed surfaces enclose less. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy


@dataclass(frozen=True)
class RegionRow:
    """One segment: id, name for people, color as red, green, blue from 0 to 1, volume in mL."""

    segmentId: str
    title: str
    color: tuple[float, float, float]
    volume_ml: float


def regionRows(segmentationNode: Any) -> list[RegionRow]:
    """Give a row for each segment of a node, in the order of the node; an empty segment has 0 mL."""
    segmentation = segmentationNode.GetSegmentation()
    scale = _scaleOfParent(segmentationNode)
    rows = []
    for segmentId in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segmentId)
        red, green, blue = segment.GetColor()
        volumeMl = _volumeMl(segmentationNode, segmentId) * scale
        rows.append(RegionRow(segmentId, segment.GetName(), (red, green, blue), volumeMl))
    return rows


def _volumeMl(segmentationNode: Any, segmentId: str) -> float:
    image = slicer.vtkOrientedImageData()
    segmentationNode.GetBinaryLabelmapRepresentation(segmentId, image)
    if image.IsEmpty():
        return 0.0
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    voxelMl = abs(np.linalg.det(slicer.util.arrayFromVTKMatrix(matrix)[:3, :3])) / 1000.0
    return float(np.count_nonzero(vtk_to_numpy(image.GetPointData().GetScalars())) * voxelMl)


def _scaleOfParent(segmentationNode: Any) -> float:
    """Give the factor by which the parent transform enlarges volumes; 1 for the usual rigid one."""
    parent = segmentationNode.GetParentTransformNode()
    if parent is None or not parent.IsTransformToWorldLinear():
        return 1.0
    matrix = vtk.vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(matrix)
    return float(abs(np.linalg.det(slicer.util.arrayFromVTKMatrix(matrix)[:3, :3])))
