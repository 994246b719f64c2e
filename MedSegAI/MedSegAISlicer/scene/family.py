"""What belongs together in a scene: the versions of a result, and the view as labels of each. Ring 9 (scene); no Qt.

Versions are results of one task on one reference volume, in the order in which they came into the scene.
"""

from __future__ import annotations

from typing import Any

import slicer
import slicer.util

from .label_view import labelsNodeOf, regionsNodeOf
from .segmentations import readPassport


def versionsOf(segmentationNode: Any) -> list[Any]:
    """Give all versions of a result, the oldest first; itself alone for a segmentation that is not ours."""
    key = _key(segmentationNode)
    if key is None:
        return [segmentationNode]
    scene = segmentationNode.GetScene()
    return [node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene) if _key(node) == key]


def familyOf(segmentationNode: Any) -> list[Any]:
    """Give the versions of a result, each followed by its view as labels where it has one.

    Args:
        segmentationNode: a version, the view as labels of one, or a segmentation that is not ours.
    """
    nodes = []
    for version in versionsOf(regionsNodeOf(segmentationNode) or segmentationNode):
        nodes.append(version)
        labels = labelsNodeOf(version)
        if labels is not None:
            nodes.append(labels)
    return nodes


def anchorOf(segmentationNode: Any) -> tuple[str, Any]:
    """Give what a family hangs on: its task and the reference volume; the node itself for any other segmentation."""
    node = regionsNodeOf(segmentationNode) or segmentationNode
    passport, volume = readPassport(node), node.GetNodeReference(_role())
    return (passport.task, volume) if passport is not None and volume is not None else ("", node)


def _key(node: Any) -> tuple[str, str] | None:
    passport = readPassport(node)
    return None if passport is None else (passport.task, node.GetNodeReferenceID(_role()) or "")


def _role() -> str:
    return str(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())
