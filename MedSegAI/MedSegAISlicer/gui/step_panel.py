"""Regions and labels in step: the offer after an edit, and the view as labels. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedSegAISlicer.scene.in_step import Offer, bringInStep
from MedSegAISlicer.scene.label_view import labelsNodeOf, showLabels
from MedSegAISlicer.scene.segment_mark import Mark, isSameMark, isTouched, markOf, marksOf

from . import review_sentences as sentences
from .guard import guarded


class StepPanel:
    """The line with the offer and the button "Show as labels".

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        onShown: called with the view as labels after it was made, so that its edits are heard too.
    """

    def __init__(self, ui: Any, say: Callable[[str], None], onShown: Callable[[Any], None]) -> None:
        self.ui = ui
        self.say = say
        self.onShown = onShown
        self.node: Any = None
        self.offer: Offer | None = None
        self._marks: dict[tuple[str, str], Mark] = {}
        ui.inStepButton.connect("clicked()", self.onInStep)
        ui.labelsButton.connect("clicked()", self.onLabels)

    def disconnect(self) -> None:
        """Undo the connections."""
        self.ui.inStepButton.disconnect("clicked()", self.onInStep)
        self.ui.labelsButton.disconnect("clicked()", self.onLabels)
        self.node, self.offer = None, None

    def show(self, segmentationNode: Any) -> None:
        """Look what was edited since the last time, and offer what must follow; None hides all."""
        if segmentationNode is not self.node:
            self.node, self._marks = segmentationNode, {}
            self.offer = self._offerForKept()
        marks = self._marksNow()
        changed = [key for key, mark in marks.items() if key in self._marks and not isSameMark(self._marks[key], mark)]
        self._marks = marks
        if changed:
            nodeId, segmentId = changed[-1]
            self.offer = bringInStep(self.node.GetScene().GetNodeByID(nodeId), segmentId)
        self._draw()

    def _offerForKept(self) -> Offer | None:
        """A version that has taken over a drawing may be out of step with it from the start."""
        if self.node is None:
            return None
        offers = (bringInStep(self.node, name) for name in marksOf(self.node) if isTouched(self.node, name))
        return next(filter(None, offers), None)

    def onInStep(self) -> None:
        """Let the others follow."""
        with guarded(self.say):
            offer, self.offer = self.offer, None
            if offer is not None and all(change.node.GetScene() is not None for change in offer.changes):
                offer.apply()
                self.say(sentences.broughtInStep(offer))
                self._marks = self._marksNow()
            self._draw()

    def onLabels(self) -> None:
        """Show the result as labels, or as regions again."""
        with guarded(self.say):
            labels = labelsNodeOf(self.node)
            isShown = labels is not None and bool(labels.GetDisplayNode().GetVisibility())
            if not isShown:
                labels = showLabels(self.node)
                self.onShown(labels)
                self._marks = self._marksNow()
            labels.GetDisplayNode().SetVisibility(not isShown)
            if self.node.GetDisplayNode() is not None:
                self.node.GetDisplayNode().SetVisibility(isShown)
            self._draw()

    def _marksNow(self) -> dict[tuple[str, str], Mark]:
        """Give the mark of every segment of both views."""
        nodes = [] if self.node is None else [self.node, labelsNodeOf(self.node)]
        return {
            (node.GetID(), segmentId): markOf(node, segmentId)
            for node in nodes
            if node is not None
            for segmentId in node.GetSegmentation().GetSegmentIDs()
        }

    def _draw(self) -> None:
        isOffered = self.offer is not None
        self.ui.offerLabel.text = sentences.offer(self.offer) if self.offer is not None else ""
        self.ui.offerLabel.visible = isOffered
        self.ui.inStepButton.visible = isOffered
        labels = labelsNodeOf(self.node) if self.node is not None else None
        isShown = labels is not None and bool(labels.GetDisplayNode().GetVisibility())
        self.ui.labelsButton.text = sentences.labelsButton(isShown)
