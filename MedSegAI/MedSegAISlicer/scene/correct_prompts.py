"""Prompts of a result: kept on its node, shown as markups, and read back from markups that a person has placed.

The list on the node is the truth, so undo, versions and saving treat it like everything else that a node carries; the
markups are drawn from it. Positions of prompts lie in the frame of the node's parent, those of markups in the world.
Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.prompts import BoxPrompt, Click, Lasso, Prompt, Scribble, prompt_from_json, prompt_to_json

PROMPTS_ATTRIBUTE = "MedSegAI.Prompts"
OWNER = "MedSegAI.Segmentation"  # node reference from a markup to the result that its prompt belongs to
INCLUDE_COLOR, EXCLUDE_COLOR = (0.0, 0.62, 0.45), (0.84, 0.37, 0.0)  # green and vermilion that color-blind people tell
_GLYPH_MM = 3.0
MARKUP_CLASSES = {
    "click": "vtkMRMLMarkupsFiducialNode",
    "scribble": "vtkMRMLMarkupsCurveNode",
    "lasso": "vtkMRMLMarkupsClosedCurveNode",
    "box": "vtkMRMLMarkupsROINode",
}

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class KeptPrompt:
    """A prompt that was applied.

    Args:
        segmentId: the region that it is about.
        prompt: in the frame of the node's parent.
    """

    segmentId: str
    prompt: Prompt


def promptsOf(segmentationNode: Any, segmentId: str | None = None) -> list[KeptPrompt]:
    """Give the prompts that were applied, the oldest first; of one segment, or of all."""
    text = segmentationNode.GetAttribute(PROMPTS_ATTRIBUTE)
    entries = json.loads(text) if text else []
    kept = [KeptPrompt(str(entry["segment"]), prompt_from_json(entry["prompt"])) for entry in entries]
    return [one for one in kept if segmentId is None or one.segmentId == segmentId]


def keepPrompt(segmentationNode: Any, segmentId: str, prompt: Prompt) -> None:
    """Add a prompt to the list on the node."""
    kept = [*promptsOf(segmentationNode), KeptPrompt(segmentId, prompt)]
    entries = [{"segment": one.segmentId, "prompt": prompt_to_json(one.prompt)} for one in kept]
    segmentationNode.SetAttribute(PROMPTS_ATTRIBUTE, json.dumps(entries))


def promptFromMarkup(markup: Any, segmentationNode: Any, isInclude: bool, radius_mm: float | None = None) -> Prompt:
    """Give the prompt that a person has placed.

    Args:
        markup: a point, an open or closed curve, or a ROI, with its points in place.
        segmentationNode: the result that it is about.
        isInclude: whether the region is there.
        radius_mm: of a stroke; None takes the usual one.

    Raises:
        UsageError: "prompt.points" when the markup has too few points; "prompt.markup" for another kind of markup.
    """
    kind = next((kind for kind, name in MARKUP_CLASSES.items() if markup.GetClassName() == name), None)
    if kind is None:
        raise UsageError(
            "prompt.markup", f"A {markup.GetClassName()} is no prompt.", "Place a point, a curve, or a ROI."
        )
    toParent = np.linalg.inv(_parentToWorld(segmentationNode))
    if kind == "box":
        return _boxFromRoi(markup, toParent, isInclude)
    points = [_moved(toParent, markup.GetNthControlPointPositionWorld(i)) for i in range(_placed(markup))]
    if kind == "click":
        if not points:
            raise UsageError("prompt.points", "No point is placed yet.", "Click into a slice.")
        return Click(points[-1], isInclude)
    if kind == "lasso":
        return Lasso(tuple(points), isInclude)
    return Scribble(tuple(points), isInclude, radius_mm) if radius_mm else Scribble(tuple(points), isInclude)


def drawPrompts(segmentationNode: Any) -> list[Any]:
    """Bring the markups of a result in line with its prompts, after a correction, an undo or a reload.

    Returns:
        The markups, in the order of the prompts.
    """
    scene = segmentationNode.GetScene()
    wanted = promptsOf(segmentationNode)
    there = markupsOf(segmentationNode)
    keys = [_key(one) for one in wanted]
    byKey = {node.GetAttribute(PROMPTS_ATTRIBUTE): node for node in there}
    for key, node in byKey.items():
        if key not in keys:
            scene.RemoveNode(node)
    return [
        byKey[key] if key in byKey else _draw(segmentationNode, one, key) for key, one in zip(keys, wanted, strict=True)
    ]


def markupsOf(segmentationNode: Any) -> list[Any]:
    """Give the markups that show the prompts of a result."""
    nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsNode", segmentationNode.GetScene())
    return [node for node in nodes if node.GetNodeReference(OWNER) is segmentationNode]


def setPromptsShown(segmentationNode: Any, isShown: bool) -> None:
    """Show or hide the markups of a result."""
    for node in markupsOf(segmentationNode):
        if node.GetDisplayNode() is not None:
            node.GetDisplayNode().SetVisibility(isShown)


def _draw(segmentationNode: Any, kept: KeptPrompt, key: str) -> Any:
    prompt, scene = kept.prompt, segmentationNode.GetScene()
    verb = "include" if prompt.is_include else "exclude"
    name = scene.GenerateUniqueName(f"{kept.segmentId} {verb} {prompt.kind}")
    node = scene.AddNewNodeByClass(MARKUP_CLASSES[prompt.kind], name)
    node.CreateDefaultDisplayNodes()
    node.SetAttribute(PROMPTS_ATTRIBUTE, key)
    node.SetNodeReferenceID(OWNER, segmentationNode.GetID())
    node.SetAndObserveTransformNodeID(segmentationNode.GetTransformNodeID())
    if isinstance(prompt, BoxPrompt):
        matrix = np.eye(4)
        matrix[:3, :3] = np.array(prompt.axes).T
        matrix[:3, 3] = prompt.center_ras_mm
        node.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(matrix))
        node.SetSize(*prompt.size_mm)
    else:
        for point in prompt.points_ras_mm:
            node.AddControlPoint(vtk.vtkVector3d(*point), "")
    node.SetLocked(True)
    display = node.GetDisplayNode()
    if display is not None:
        color = INCLUDE_COLOR if prompt.is_include else EXCLUDE_COLOR
        display.SetSelectedColor(*color)
        display.SetColor(*color)
        display.SetUseGlyphScale(False)
        display.SetGlyphSize(_GLYPH_MM)
        display.SetPointLabelsVisibility(False)
        display.SetPropertiesLabelVisibility(False)  # the name of a stroke would lie over the image
    return node


def _boxFromRoi(roi: Any, toParent: Matrix, isInclude: bool) -> BoxPrompt:
    objectToParent = toParent @ slicer.util.arrayFromVTKMatrix(roi.GetObjectToWorldMatrix())
    lengths = np.linalg.norm(objectToParent[:3, :3], axis=0)
    axes = tuple(_point(column) for column in (objectToParent[:3, :3] / lengths).T)
    size = _point(np.array(roi.GetSize()) * lengths)
    if len(axes) != 3 or min(size) <= 0.0:
        raise UsageError("prompt.points", "The box has no volume yet.", "Place it, and draw it larger.")
    return BoxPrompt(_point(objectToParent[:3, 3]), size, isInclude, (axes[0], axes[1], axes[2]))


def _placed(markup: Any) -> int:
    """Give the number of points in place: the one that still hangs on the mouse does not count."""
    return int(markup.GetNumberOfDefinedControlPoints())


def _parentToWorld(node: Any) -> Matrix:
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(node.GetParentTransformNode(), None, matrix)
    return np.array(slicer.util.arrayFromVTKMatrix(matrix))


def _moved(matrix: Matrix, position: Sequence[float]) -> tuple[float, float, float]:
    return _point((matrix @ [*position, 1.0])[:3])


def _point(values: Any) -> tuple[float, float, float]:
    right, anterior, superior = (float(value) for value in values)
    return right, anterior, superior


def _key(kept: KeptPrompt) -> str:
    return json.dumps({"segment": kept.segmentId, "prompt": prompt_to_json(kept.prompt)}, sort_keys=True)
