"""What a user does to a segmentation, on real MRML: paint and erase boxes, as an effect of the Segment Editor ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from MedSegAISlicer.scene.segmentations import maskFromSegment, orientedBox
from MedSegAISlicer.scene.volumes import gridFromNode

Box = tuple[slice, slice, slice]


def paint(segmentationNode: Any, segmentId: str, volumeNode: Any, box: Box, isErased: bool = False) -> None:
    """Add (or take away) the voxels of a box ``[z, y, x]`` of the volume's grid."""
    mask = maskFromSegment(segmentationNode, segmentId, volumeNode)
    mask[box] = not isErased
    grid = gridFromNode(volumeNode, segmentationNode)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if mask.any():
        image = orientedBox(mask, grid.ijk_to_ras)
        assert logic.SetBinaryLabelmapToSegment(image, segmentationNode, segmentId, logic.MODE_REPLACE)
    else:
        assert logic.ClearSegment(segmentationNode, segmentId)


def brush(
    segmentationNode: Any, segmentId: str, volumeNode: Any, first_ijk: tuple[int, int, int] = (90, 90, 60)
) -> None:
    """Add a cube of 20 voxels, in the way in which a brush of the Segment Editor ends: its own box only is merged."""
    grid = gridFromNode(volumeNode, segmentationNode)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    image = orientedBox(np.ones((20, 20, 20), bool), grid.ijk_to_ras, first_ijk)
    assert logic.SetBinaryLabelmapToSegment(image, segmentationNode, segmentId, logic.MODE_MERGE_MAX)


def contents(segmentationNode: Any, volumeNode: Any) -> dict[str, bytes]:
    """Give the voxels of every segment on the grid of a volume, packed."""
    ids = segmentationNode.GetSegmentation().GetSegmentIDs()
    return {name: np.packbits(maskFromSegment(segmentationNode, name, volumeNode)).tobytes() for name in ids}
