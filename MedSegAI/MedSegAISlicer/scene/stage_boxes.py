"""Where the stages of a cascade looked, as boxes that can be dragged; a run from a dragged box costs its stage only.

A box is a markups ROI under the transform of its result, tied to it by a node reference. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions

from .segmentations import readPassport
from .statistics import inputsOf

_BOX = "MedSegAI.Box."  # node references from a result to the box of each stage
_SAME_PLACE_MM = 0.02  # after a save, too
_OUTLINE_COLOR = (0.95, 0.9, 0.25)


def showBoxes(segmentationNode: Any, boxes: Iterable[StageBox]) -> list[Any]:
    """Add a box to the scene for each stage that did not see the whole image.

    Args:
        segmentationNode: the result.
        boxes: ``Result.boxes``, in the frame of the reference volume's parent.

    Returns:
        The ROI nodes.
    """
    return [_add(segmentationNode, box) for box in boxes]


def boxNodes(segmentationNode: Any) -> dict[str, Any]:
    """Give the ROI node of each stage; a box that was deleted is left out."""
    roles: list[str] = []
    segmentationNode.GetNodeReferenceRoles(roles)
    found = {role[len(_BOX) :]: segmentationNode.GetNodeReference(role) for role in roles if role.startswith(_BOX)}
    return {stage: node for stage, node in found.items() if node is not None}


def boxesNow(segmentationNode: Any) -> tuple[StageBox, ...]:
    """Give the boxes as they lie now, in the frame of the result's parent."""
    return tuple(_read(stage, node, segmentationNode) for stage, node in boxNodes(segmentationNode).items())


def movedBoxes(segmentationNode: Any) -> tuple[StageBox, ...]:
    """Give the boxes that a person has dragged or resized since the run."""
    passport = readPassport(segmentationNode)
    facts = passport.stages if passport is not None else ()
    before = {fact["name"]: StageBox.from_json(fact["box"]) for fact in facts if fact.get("box")}
    return tuple(box for box in boxesNow(segmentationNode) if not _isSame(box, before.get(box.stage)))


def runAgainFrom(segmentationNode: Any) -> tuple[str, dict[str, Any], RunOptions]:
    """Give what a run from the dragged boxes takes: task, volumes by role, the options of the run with the boxes.

    Raises:
        UsageError: "boxes.not_moved" when no box was dragged; "boxes.inputs_gone" when a volume of the run is gone.
    """
    moved, passport = movedBoxes(segmentationNode), readPassport(segmentationNode)
    if not moved or passport is None:
        raise UsageError("boxes.not_moved", "No box was moved.", "Drag the box in a view first, then run again.")
    inputs = inputsOf(segmentationNode)
    missing = [role for role in passport.inputs if role not in inputs]
    if missing:
        raise UsageError(
            "boxes.inputs_gone",
            f"The volumes of the run are not in the scene any more: {', '.join(missing)}.",
            "Load them and segment again.",
        )
    options = {**passport.options, "boxes": [box.to_json() for box in moved]}
    return passport.task, inputs, RunOptions(**options)


def showBoxesOf(segmentationNode: Any, isShown: bool) -> None:
    """Show or hide the boxes of a result in the views."""
    for node in boxNodes(segmentationNode).values():
        if node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(isShown)


def _add(segmentationNode: Any, box: StageBox) -> Any:
    scene = segmentationNode.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", f"{segmentationNode.GetName()}: box of {box.stage}")
    node.CreateDefaultDisplayNodes()
    node.SetAndObserveTransformNodeID(segmentationNode.GetTransformNodeID())
    axes = np.array(box.axes).T
    if np.linalg.det(axes) < 0:
        axes[:, 2] *= -1.0  # the same box, in a frame that markups can turn
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = box.center_ras_mm
    node.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(matrix))
    node.SetSize(*box.size_mm)
    display = node.GetDisplayNode()
    display.SetFillVisibility(False)  # the image within stays as it is
    display.SetHandlesInteractive(True)
    display.SetSelectedColor(*_OUTLINE_COLOR)
    display.SetPropertiesLabelVisibility(False)
    segmentationNode.SetNodeReferenceID(_BOX + box.stage, node.GetID())
    return node


def _read(stage: str, node: Any, segmentationNode: Any) -> StageBox:
    toFrame = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(
        node.GetParentTransformNode(), segmentationNode.GetParentTransformNode(), toFrame
    )
    matrix = slicer.util.arrayFromVTKMatrix(toFrame) @ slicer.util.arrayFromVTKMatrix(node.GetObjectToNodeMatrix())
    scales = np.linalg.norm(matrix[:3, :3], axis=0)
    axes, size = matrix[:3, :3] / scales, np.array(node.GetSize()) * scales
    first, second, third = (_point(axis) for axis in axes.T)
    return StageBox(stage, _point(matrix[:3, 3]), _point(size), (first, second, third))


def _isSame(box: StageBox, other: StageBox | None) -> bool:
    """Tell whether two boxes have the same corners, whatever their axes are called."""
    if other is None:
        return False
    return bool(np.allclose(_sorted(box), _sorted(other), atol=_SAME_PLACE_MM))


def _sorted(box: StageBox) -> list[tuple[float, ...]]:
    return sorted(tuple(round(value, 2) for value in corner) for corner in box.corners_ras_mm())


def _point(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
