"""Slicer's Segment Editor widget as far as an embedding module calls it; painting itself is not modelled.

Source: qMRMLSegmentEditorWidget.h of Slicer 5.10 to 5.13 (invokable methods, properties, and its note on the order in
which parameter node and scene are set). Kept here: what it was told, and calls out of order raise.
"""

# ruff: noqa: N801 - the names are Slicer's

from __future__ import annotations

from typing import Any

from PySide6 import QtWidgets
from PySide6.QtCore import Property


class qMRMLSegmentEditorWidget(QtWidgets.QWidget):
    """The widget."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._flags = {
            "undoEnabled": True,
            "segmentationNodeSelectorVisible": True,
            "sourceVolumeNodeSelectorVisible": True,
        }
        self.scene = self.parameterNode = self.segmentation = self.volume = self.effect = None
        self.segmentId = ""
        self.isObserving = False
        self.setMinimumHeight(40)

    def _flag(name: str) -> Any:  # noqa: N805 - builds the Qt properties below
        return Property(
            bool, lambda self: self._flags[name], lambda self, value: self._flags.__setitem__(name, bool(value))
        )

    undoEnabled = _flag("undoEnabled")  # noqa: N815
    segmentationNodeSelectorVisible = _flag("segmentationNodeSelectorVisible")  # noqa: N815
    sourceVolumeNodeSelectorVisible = _flag("sourceVolumeNodeSelectorVisible")  # noqa: N815

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        if node is not None and node.GetScene() is None:
            raise AssertionError("The parameter node is not in a scene")
        self.parameterNode = node

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not None and self.parameterNode is None:
            raise AssertionError("The parameter node must be set before the scene")
        self.scene = scene

    def setSegmentationNode(self, node: Any) -> None:
        self._ready("setSegmentationNode")
        self.segmentation = node

    def setSourceVolumeNode(self, node: Any) -> None:
        self._ready("setSourceVolumeNode")
        if self.segmentation is None:
            raise AssertionError("The segmentation is set before the source volume")
        self.volume = node

    def setCurrentSegmentID(self, segmentId: str) -> None:
        self._ready("setCurrentSegmentID")
        if self.segmentation.GetSegmentation().GetSegment(segmentId) is None:
            raise AssertionError(f"The segmentation has no segment {segmentId!r}")
        self.segmentId = segmentId

    def setActiveEffect(self, effect: Any) -> None:
        self.effect = effect

    def setupViewObservations(self) -> None:
        self.isObserving = True

    def removeViewObservations(self) -> None:
        self.isObserving = False

    def _ready(self, what: str) -> None:
        if self.parameterNode is None or self.parameterNode.GetScene() is None or self.scene is None:
            raise AssertionError(f"{what} before the parameter node and the scene were set")
