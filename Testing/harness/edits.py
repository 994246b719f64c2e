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


def contents(segmentationNode: Any, volumeNode: Any) -> dict[str, bytes]:
    """Give the voxels of every segment on the grid of a volume, packed."""
    ids = segmentationNode.GetSegmentation().GetSegmentIDs()
    return {name: np.packbits(maskFromSegment(segmentationNode, name, volumeNode)).tobytes() for name in ids}
