"""The numbers of a region, read from the segmentation node itself, so that they are true after an edit.

Volumes are counted from voxels; Slicer's smoothed surfaces enclose less. Intensities are those of the volumes that the
run was given, as they are in the scene. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .segment_box import SegmentBox, boxOf
from .segmentations import maskFromSegment

_INPUTS = "MedSegAI.Input."  # node references from a result to the volumes that its run was given
_DIRECTIONS = 400  # in which the ends of a region are looked for; they stand 6 degrees apart


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


@dataclass(frozen=True)
class RegionStatistics:
    """The numbers of one segment.

    Args:
        segmentId: its id.
        title: its name for people.
        volume_ml: counted from voxels.
        largest_diameter_mm: between the centers of the two voxels that lie farthest apart; 0 for an empty one.
        mean_intensity: of each sequence within it, by role; a role is left out when its volume is gone, or when the
            segment is empty.
    """

    segmentId: str
    title: str
    volume_ml: float
    largest_diameter_mm: float
    mean_intensity: Mapping[str, float] = field(default_factory=dict)


def keepInputs(segmentationNode: Any, inputs: Mapping[str, Any]) -> None:
    """Remember which volume of the scene was which sequence of a run."""
    for role, node in inputs.items():
        if node is not None:
            segmentationNode.SetNodeReferenceID(_INPUTS + role, node.GetID())


def inputsOf(segmentationNode: Any) -> dict[str, Any]:
    """Give the volume of each sequence of a result; those that are gone are left out."""
    roles: list[str] = []
    segmentationNode.GetNodeReferenceRoles(roles)
    found = {
        role[len(_INPUTS) :]: segmentationNode.GetNodeReference(role) for role in roles if role.startswith(_INPUTS)
    }
    return {role: node for role, node in found.items() if node is not None}


def regionStatistics(segmentationNode: Any) -> Iterator[RegionStatistics]:
    """Give the numbers of each segment, one at a time: some hundredths of a second each."""
    inputs = inputsOf(segmentationNode)
    for row in regionRows(segmentationNode):
        box = boxOf(segmentationNode, row.segmentId)
        means = (
            {role: meanIntensity(segmentationNode, row.segmentId, box, node) for role, node in inputs.items()}
            if box.mask.size
            else {}
        )
        scale = _scaleOfParent(segmentationNode) ** (1 / 3)  # exact for the rigid and the evenly scaling ones
        yield RegionStatistics(row.segmentId, row.title, row.volume_ml, largestDiameterMm(box) * scale, means)


def largestDiameterMm(box: SegmentBox) -> float:
    """Give the largest distance between two voxels of a box, center to center, in mm; 0 without a voxel.

    Ends are looked for in some hundred directions, then compared with each other, so that the answer is at most
    0.2 % too small; comparing all pairs of a large region would take minutes.
    """
    if not box.mask.size:
        return 0.0
    z, y = np.nonzero(box.mask.any(axis=2))  # of each row only the first and the last voxel can be an end
    rows = box.mask[z, y]
    first, last = rows.argmax(axis=1), rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    indices = np.concatenate([np.stack([first, y, z]), np.stack([last, y, z])], axis=1)
    points = box.ijk_to_ras[:3, :3] @ indices  # [3, point] in mm
    along = _directions() @ points
    ends = points[:, np.unique(np.concatenate([along.argmax(axis=1), along.argmin(axis=1)]))]
    squares = (ends**2).sum(axis=0)
    distances = squares[:, None] + squares[None, :] - 2.0 * ends.T @ ends
    return float(np.sqrt(max(distances.max(), 0.0)))


def meanIntensity(segmentationNode: Any, segmentId: str, box: SegmentBox, volumeNode: Any) -> float:
    """Give the mean of a volume within a segment; NaN where the two do not meet.

    Args:
        segmentationNode: of the segment.
        segmentId: its id.
        box: its voxels.
        volumeNode: any scalar volume; on another grid the segment is brought there, nearest voxel.
    """
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    voxels = slicer.util.arrayFromVolume(volumeNode)
    whole = SegmentBox(
        np.broadcast_to(np.True_, voxels.shape), (0, 0, 0), np.array(slicer.util.arrayFromVTKMatrix(matrix))
    )
    isSameParent = volumeNode.GetParentTransformNode() is segmentationNode.GetParentTransformNode()
    if isSameParent and whole.isOnGridOf(box):
        low = np.array(box.onGridOf(whole))[::-1]
        if (low >= 0).all() and (low + box.mask.shape <= voxels.shape).all():
            part = tuple(slice(int(a), int(a) + count) for a, count in zip(low, box.mask.shape, strict=True))
            return float(voxels[part][box.mask].mean(dtype=np.float64))
    inside = voxels[maskFromSegment(segmentationNode, segmentId, volumeNode)]
    return float(inside.mean(dtype=np.float64)) if inside.size else float("nan")


def statisticsText(found: list[RegionStatistics]) -> str:
    """Give the numbers as CSV, one line a region."""
    roles = list(dict.fromkeys(role for line in found for role in line.mean_intensity))
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["region", "title", "volume_ml", "largest_diameter_mm", *(f"mean_{role}" for role in roles)])
    for line in found:
        means = [f"{line.mean_intensity[role]:.4g}" if role in line.mean_intensity else "" for role in roles]
        numbers = [f"{line.volume_ml:.4f}", f"{line.largest_diameter_mm:.1f}"]
        writer.writerow([line.segmentId, line.title, *numbers, *means])
    return table.getvalue()


def _directions() -> npt.NDArray[np.float64]:
    """Give unit vectors spread evenly over a half sphere, ``[direction, 3]``: a spiral of golden angles."""
    number = np.arange(_DIRECTIONS)
    height = (number + 0.5) / _DIRECTIONS
    angle = number * np.pi * (3.0 - np.sqrt(5.0))
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
