"""Slicer's Segment Editor within the panel: the region of the table, nothing overwritten, one undo history. Ring 10.

The editor is made when its section is first opened. Its own undo is off, and its keys are not installed: Ctrl+Z and
Ctrl+Y are those of the panel, where a stroke is one entry among the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from MedSegAISlicer.scene.editor_node import editorNode, segmentToEdit, sourceVolume

from . import review_sentences as sentences


class EditorPanel:
    """The section "Segment Editor".

    Args:
        ui: child widgets by name.
        chosen: gives the id of the region that is chosen in the table; empty when none is.
    """

    def __init__(self, ui: Any, chosen: Callable[[], str]) -> None:
        self.ui = ui
        self.chosen = chosen
        self.node: Any = None
        self.editor: Any = None
        self._isEntered = self._isObserving = False
        ui.editorCollapsibleButton.collapsed = True
        ui.editorCollapsibleButton.connect("contentsCollapsed(bool)", self.onCollapsed)
        ui.regionTable.connect("itemSelectionChanged()", self.onChosen)

    def disconnect(self) -> None:
        """Undo the connections, and let the views go."""
        self.exit()
        self.ui.editorCollapsibleButton.disconnect("contentsCollapsed(bool)", self.onCollapsed)
        self.ui.regionTable.disconnect("itemSelectionChanged()", self.onChosen)
        if self.editor is not None:
            self.editor.setMRMLScene(None)
        self.node, self.editor = None, None

    def enter(self) -> None:
        """The module is shown."""
        self._isEntered = True
        self._follow()

    def exit(self) -> None:
        """Another module is shown: its mouse is not ours."""
        self._isEntered = False
        self._follow()

    def show(self, segmentationNode: Any) -> None:
        """Let the editor work on a result; None hides the section."""
        self.node = segmentationNode
        self.ui.editorCollapsibleButton.visible = segmentationNode is not None
        self._follow()

    def onCollapsed(self) -> None:
        """The section was opened or closed."""
        self._follow()

    def onChosen(self) -> None:
        """Another region was chosen in the table."""
        self._follow()

    def _follow(self) -> None:
        """Bring the editor in step with what is shown and chosen; closed, it holds nothing."""
        isOpen = self._isEntered and self.node is not None and not self.ui.editorCollapsibleButton.collapsed
        if isOpen and self.editor is None:
            self._make()
        if self.editor is None:
            return
        self._observe(isOpen)
        if not isOpen:
            return
        segmentId = segmentToEdit(self.node, self.chosen())
        self.editor.setMRMLSegmentEditorNode(editorNode(slicer.mrmlScene))
        self.editor.setSegmentationNode(self.node)
        self.editor.setSourceVolumeNode(sourceVolume(self.node))
        if segmentId:
            self.editor.setCurrentSegmentID(segmentId)
        self.editor.enabled = bool(segmentId)
        self.editor.toolTip = "" if segmentId else sentences.lockHint()

    def _make(self) -> None:
        self.editor = slicer.qMRMLSegmentEditorWidget()
        self.editor.segmentationNodeSelectorVisible = False
        self.editor.sourceVolumeNodeSelectorVisible = False
        self.editor.undoEnabled = False
        # The parameter node comes before the scene, so that defaults are kept in ours (qMRMLSegmentEditorWidget.h).
        self.editor.setMRMLSegmentEditorNode(editorNode(slicer.mrmlScene))
        self.editor.setMRMLScene(slicer.mrmlScene)
        self.ui.editorCollapsibleButton.layout().addWidget(self.editor)

    def _observe(self, isOpen: bool) -> None:
        if isOpen and not self._isObserving:
            self.editor.setupViewObservations()
        elif self._isObserving and not isOpen:
            self.editor.setActiveEffect(None)
            self.editor.removeViewObservations()
        self._isObserving = isOpen
