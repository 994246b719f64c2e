"""A correction that is only looked at: its region as an outline of its own, not saved, beside the result.

Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from typing import Any

from .correct import Correcting
from .correct_place import regionAfter
from .segment_box import putMask

_PREVIEW = "MedSegAI.Preview"
_COLOR = (1.0, 1.0, 0.0)
_OUTLINE_PIXELS = 3


def showPreview(correcting: Correcting) -> Any:
    """Show the whole region as it would be; an earlier preview goes.

    Args:
        correcting: done, and not applied.

    Returns:
        The node with the outline.
    """
    scene = correcting.node.GetScene()
    removePreview(scene)
    corrected, place = correcting.corrected, correcting.place
    if corrected is None:
        return None
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Preview of the correction")
    node.SetAttribute(_PREVIEW, "1")
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node.CreateDefaultDisplayNodes()
    node.SetAndObserveTransformNodeID(correcting.node.GetTransformNodeID())
    segmentId = node.GetSegmentation().AddEmptySegment("preview", correcting.segmentId, _COLOR)
    mask, where = regionAfter(place, corrected, place.scheme.region(correcting.segmentId))
    putMask(node, segmentId, mask, where)
    display = node.GetDisplayNode()
    if display is not None:
        display.SetAllSegmentsVisibility2DFill(False)
        display.SetSliceIntersectionThickness(_OUTLINE_PIXELS)
    return node


def removePreview(scene: Any) -> None:
    """Take the outline away, where there is one."""
    count = scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")
    nodes = [scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode") for index in range(count)]
    for node in nodes:
        if node.GetAttribute(_PREVIEW):
            scene.RemoveNode(node)
