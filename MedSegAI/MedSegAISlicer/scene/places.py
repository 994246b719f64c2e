"""Where to look: the doubtful places of a result, kept on its node; one step brings all slice views there.

The places come ranked from the library (``Result.doubt``) and lie in the frame of the reference volume's parent, like
the result itself; views want world positions, so the parent transform is applied at the jump. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import json
from typing import Any

import slicer
import slicer.util
import vtk

from MedSegAILib.core.doubt import Doubt, Place
from MedSegAILib.core.result import Result

DOUBT_ATTRIBUTE = "MedSegAI.Doubt"
_CURRENT_ATTRIBUTE = "MedSegAI.CurrentPlace"


def keepDoubt(segmentationNode: Any, result: Result) -> None:
    """Keep the doubt of a result with its node, so that it is saved with the scene; nothing when nobody looked."""
    if result.doubt is not None:
        segmentationNode.SetAttribute(DOUBT_ATTRIBUTE, json.dumps(result.doubt.to_json(), sort_keys=True))


def doubtOf(segmentationNode: Any) -> Doubt:
    """Give the doubt that a node carries; an empty one for a segmentation that is not ours."""
    text = segmentationNode.GetAttribute(DOUBT_ATTRIBUTE)
    return Doubt.from_json(json.loads(text)) if text else Doubt()


def placesOf(segmentationNode: Any) -> tuple[Place, ...]:
    """Give the places to look at, the most mL at stake first."""
    return doubtOf(segmentationNode).places


def currentPlace(segmentationNode: Any) -> int | None:
    """Give the number of the place that was looked at last, from 0; None before the first."""
    text = segmentationNode.GetAttribute(_CURRENT_ATTRIBUTE)
    count = len(placesOf(segmentationNode))
    return int(text) if text and int(text) < count else None


def stepToPlace(segmentationNode: Any, step: int) -> Place | None:
    """Go on to another place, around the end, and bring the views there.

    Args:
        segmentationNode: a result.
        step: 1 for the next place, -1 for the previous one.

    Returns:
        The place; None when there is none.
    """
    places = placesOf(segmentationNode)
    if not places:
        return None
    current = currentPlace(segmentationNode)
    # The first step leads to the worst place, or to the last one when it goes backwards.
    begin = current if current is not None else (-1 if step > 0 else 0)
    index = (begin + step) % len(places)
    segmentationNode.SetAttribute(_CURRENT_ATTRIBUTE, str(index))
    jumpTo(segmentationNode, places[index])
    return places[index]


def jumpTo(segmentationNode: Any, place: Place) -> None:
    """Move all slice views, and the crosshair, to a place.

    Args:
        segmentationNode: the result that the place belongs to; it must be in a scene.
        place: in the frame of the node's parent transform.

    Source: vtkMRMLSliceNode::JumpAllSlices, vtkMRMLCrosshairNode::SetCrosshairRAS (Libs/MRML/Core of Slicer).
    """
    scene = segmentationNode.GetScene()
    right, anterior, superior = worldPosition(segmentationNode, place)
    mode = slicer.vtkMRMLSliceNode.CenteredJumpSlice
    slicer.vtkMRMLSliceNode.JumpAllSlices(scene, right, anterior, superior, mode)
    for crosshair in slicer.util.getNodesByClass("vtkMRMLCrosshairNode", scene):
        crosshair.SetCrosshairRAS(right, anterior, superior)


def worldPosition(segmentationNode: Any, place: Place) -> tuple[float, float, float]:
    """Give where a place lies in the world, RAS mm, with the parent transform of its node."""
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(segmentationNode.GetParentTransformNode(), None, matrix)
    right, anterior, superior, _ = matrix.MultiplyPoint((*place.position_ras_mm, 1.0))
    return float(right), float(anterior), float(superior)
