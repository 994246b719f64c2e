"""The parameters of the embedded Segment Editor: ours alone, so that Slicer's own editor keeps its own. Ring 9 (scene).

No Qt: the widget itself is the panel's. Painting never overwrites another segment, because regions are nested.
"""

from __future__ import annotations

from typing import Any

import slicer

from .locks import isLocked

_TAG = "MedSegAI"
_CLASS = "vtkMRMLSegmentEditorNode"


def editorNode(scene: Any) -> Any:
    """Give the parameter node of the embedded editor; made where there is none (a scene that was closed).

    Source: the singleton pattern of SegmentEditor.py of Slicer.
    """
    node = scene.GetSingletonNode(_TAG, _CLASS)
    if node is None:
        node = scene.CreateNodeByClass(_CLASS)
        node.UnRegister(None)
        node.SetSingletonTag(_TAG)
        node = scene.AddNode(node)
    node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteNone)
    return node


def sourceVolume(segmentationNode: Any) -> Any:
    """Give the volume that an editor works on: that of the result's grid; None when it is gone."""
    return segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole())


def segmentToEdit(segmentationNode: Any, chosenId: str) -> str:
    """Give the segment that an editor begins with: the chosen one, else the first; never a locked one."""
    if chosenId and not isLocked(segmentationNode, chosenId):
        return chosenId
    ids = segmentationNode.GetSegmentation().GetSegmentIDs()
    return next((name for name in ids if not chosenId and not isLocked(segmentationNode, name)), "")
