"""A result as exclusive labels: a second segmentation on demand, made from the regions as they are now.

Where regions contradict each other (an edit that was not brought in step), the innermost region counts: enhancing
tumor drawn outside of the tumor core is enhancing tumor. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.labels import Label, LabelScheme

from .segment_box import boxOf, putMask, together
from .segment_mark import isTouched, keepMarks
from .segmentations import addSegment, readScheme

_REGIONS = "MedSegAI.Regions"  # node reference from the view as labels to its regions
Mask = npt.NDArray[np.bool_]


def regionsNodeOf(segmentationNode: Any) -> Any:
    """Give the node of the regions that a view as labels belongs to; None for any other node."""
    return segmentationNode.GetNodeReference(_REGIONS)


def labelsNodeOf(segmentationNode: Any) -> Any:
    """Give the view as labels of a result; None when it was not made."""
    scene = segmentationNode.GetScene()
    for index in range(scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode")):
        node = scene.GetNthNodeByClass(index, "vtkMRMLSegmentationNode")
        if regionsNodeOf(node) is segmentationNode:
            return node
    return None


def showLabels(segmentationNode: Any) -> Any:
    """Make, or bring up to date, the view of a result as labels; the regions stay as they are.

    Args:
        segmentationNode: a result.

    Returns:
        The segmentation node "<name> (labels)" with one segment a label, under the same transform.

    Raises:
        UsageError: "labels.not_ours" for a segmentation that no run has made; "labels.grids" when someone gave its
            segments different grids; "labels.edited" when the view holds an edit that the regions do not have yet.
    """
    scheme = readScheme(segmentationNode)
    if scheme is None:
        raise UsageError(
            "labels.not_ours",
            "This segmentation has no labels: no run of ours has made it.",
            "Choose a result of MedSegAI.",
        )
    regions = [r for r in scheme.regions if segmentationNode.GetSegmentation().GetSegment(r.name) is not None]
    place = together(*(boxOf(segmentationNode, region.name) for region in regions)) if regions else None
    if place is None:
        raise UsageError(
            "labels.grids",
            "The regions lie on different grids, so they cannot be shown as labels.",
            "Run the segmentation again.",
        )
    masks = {region.name: mask for region, mask in zip(regions, place.masks, strict=True)}
    node = labelsNodeOf(segmentationNode)
    if node is None:
        node = _newNode(segmentationNode, scheme)
    elif any(isTouched(node, label) for label in node.GetSegmentation().GetSegmentIDs()):
        raise UsageError(
            "labels.edited",
            "The labels were edited, and the regions do not have the edit yet.",
            "Bring the regions in step first, or delete the labels in the Data module.",
        )
    for label, mask in labelMasks(scheme, masks).items():
        putMask(node, label, mask, place)
    keepMarks(node)
    return node


def labelMasks(scheme: LabelScheme, regionMasks: dict[str, Mask]) -> dict[str, Mask]:
    """Give the exclusive mask of each label.

    Args:
        scheme: labels and regions.
        regionMasks: bool ``[z, y, x]`` by region, all of one shape.

    A label's voxels are those of its innermost region that lie in none of the regions within that one which leave the
    label out. Labels that share all their regions cannot be told apart: the first of them gets the voxels.
    """
    order = sorted((r for r in scheme.regions if r.name in regionMasks), key=lambda region: len(region.labels))
    shape = next(iter(regionMasks.values())).shape
    free = np.ones(shape, bool)
    found = {label.name: np.zeros(shape, bool) for label in scheme.labels}
    for region in order:
        inner = [label for other in order if set(other.labels) < set(region.labels) for label in other.labels]
        own: list[Label] = [x for x in scheme.labels if x.value in region.labels and x.value not in inner]
        if own:
            mask = regionMasks[region.name] & free
            found[own[0].name] |= mask
            free &= ~mask
    return found


def _newNode(segmentationNode: Any, scheme: LabelScheme) -> Any:
    scene = segmentationNode.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{segmentationNode.GetName()} (labels)")
    node.CreateDefaultDisplayNodes()
    node.SetAndObserveTransformNodeID(segmentationNode.GetTransformNodeID())
    role = node.GetReferenceImageGeometryReferenceRole()
    reference = segmentationNode.GetNodeReference(role)
    if reference is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    for label in scheme.labels:
        addSegment(node, label)
    node.SetNodeReferenceID(_REGIONS, segmentationNode.GetID())
    return node
