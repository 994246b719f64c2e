"""A first, coarse result in the scene while the run goes on: marked in name and look, replaced in the same node.

It carries no passport, so it is no version, takes no decision and has no history. When the run ends otherwise, the node
goes, and what was hidden for it is shown again: the scene is as it was. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from typing import Any

import slicer.util

from MedSegAILib.core.result import Result

from .segmentations import fillWith, newSegmentation

PROVISIONAL_ATTRIBUTE = "MedSegAI.Provisional"
_FAINT_FILL = 0.15  # of the fill; the usual one is 0.5


class ProvisionalView:
    """What is shown of a run before its end.

    Args:
        scene: the MRML scene.
        referenceNode: the volume that the run's result will lie on.
        name: of the segmentation that will stay.
    """

    def __init__(self, scene: Any, referenceNode: Any, name: str) -> None:
        self._scene, self._referenceNode, self._name = scene, referenceNode, name
        self._hidden: list[Any] = []
        self._fill = 0.5
        self.node: Any = None

    def show(self, result: Result) -> Any:
        """Show a coarse result; the segmentations of the same volume are hidden meanwhile.

        Returns:
            The node.

        Raises:
            WorkerError, MedSegAIError: as ``segmentations.showResult``; the scene is then as it was.
        """
        node = newSegmentation(self._scene, self._referenceNode, f"{self._name} (provisional)")
        isWhole = False
        try:
            fillWith(node, result, self._referenceNode)
            isWhole = True
        finally:
            if not isWhole:
                self._scene.RemoveNode(node)
        node.SetAttribute(PROVISIONAL_ATTRIBUTE, "1")
        display = node.GetDisplayNode()
        self._fill = display.GetOpacity2DFill()
        display.SetOpacity2DFill(_FAINT_FILL)
        self.node = node
        self._hideOthers()
        return node

    def take(self) -> Any:
        """Give the node away to the result that replaces it, empty and in its usual look; None when none was shown."""
        node, self.node = self.node, None
        self._showOthers()
        if node is None or node.GetScene() is not self._scene:
            return None
        node.RemoveAttribute(PROVISIONAL_ATTRIBUTE)
        node.GetSegmentation().RemoveAllSegments()
        node.GetDisplayNode().SetOpacity2DFill(self._fill)
        return node

    def remove(self) -> None:
        """Take it out of the scene and show again what was hidden."""
        node, self.node = self.node, None
        self._showOthers()
        if node is not None and node.GetScene() is self._scene:
            display = node.GetDisplayNode()
            self._scene.RemoveNode(node)
            if display is not None and display.GetScene() is self._scene:
                self._scene.RemoveNode(display)

    def _hideOthers(self) -> None:
        role = self.node.GetReferenceImageGeometryReferenceRole()
        volumeId = self._referenceNode.GetID()
        for other in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", self._scene):
            display = other.GetDisplayNode()
            isHere = other is not self.node and other.GetNodeReferenceID(role) == volumeId
            if isHere and display is not None and display.GetVisibility():
                display.SetVisibility(False)
                self._hidden.append(display)

    def _showOthers(self) -> None:
        hidden, self._hidden = self._hidden, []
        for display in hidden:
            if display.GetScene() is self._scene:
                display.SetVisibility(True)
