"""The review: what was found, where to look, what the reader decides; follows every edit. Ring 10 (GUI)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.util import VTKObservationMixin

from MedSegAISlicer.scene.label_view import labelsNodeOf
from MedSegAISlicer.scene.locks import setLocked
from MedSegAISlicer.scene.places import currentPlace, placesOf, stepToPlace
from MedSegAISlicer.scene.review import RegionReview, decide, reviewOf
from MedSegAISlicer.scene.segmentations import STATEMENTS_ATTRIBUTE
from MedSegAISlicer.scene.side_by_side import isSideBySide, showAsBefore, showSideBySide

from . import review_sentences as sentences
from .guard import guarded
from .keys import KEYS
from .region_table import RegionTable
from .shortcuts import Shortcuts
from .step_panel import StepPanel
from .version_panel import VersionPanel

_KEYS = {
    "nextPlaceButton": KEYS["nextPlace"],
    "previousPlaceButton": KEYS["previousPlace"],
    "acceptButton": KEYS["accept"],
    "rejectButton": KEYS["reject"],
    "sideBySideButton": KEYS["sideBySide"],
}
_SETTLE_MS = 200  # a brush sends an event a move; the numbers follow when it rests


class ReviewPanel(VTKObservationMixin):
    """The section "Review".

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        onChosen: called with another version of the result that a person wants to see.
        onLooked: called with the node before its numbers are read, so that an edit gets its entry in the history.
    """

    def __init__(
        self, ui: Any, say: Callable[[str], None], onChosen: Callable[[Any], None], onLooked: Callable[[Any], None]
    ) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self.say = say
        self.onLooked = onLooked
        self.node: Any = None
        self._lines: list[RegionReview] = []
        self._isRefreshDue = False
        self.table = RegionTable(ui, self.onShown, self.onLocked)
        self.versions = VersionPanel(ui, say, onChosen, lambda: self.table.chosen)
        self.step = StepPanel(ui, say, self._observe)
        self._slots = {
            "nextPlaceButton": self.onNextPlace,
            "previousPlaceButton": self.onPreviousPlace,
            "acceptButton": self.onAccept,
            "rejectButton": self.onReject,
            "sideBySideButton": self.onSideBySide,
        }
        hints = sentences.hints()
        for name, slot in self._slots.items():
            button = getattr(ui, name)
            button.toolTip = sentences.buttonHint(hints[name], _KEYS[name])
            button.connect("clicked()", slot)
        self.shortcuts = Shortcuts({_KEYS[name]: slot for name, slot in self._slots.items()})
        self.show(None)

    def cleanup(self) -> None:
        """Leave nothing behind."""
        self.shortcuts.remove()
        self.removeObservers()
        self.table.disconnect()
        self.versions.disconnect()
        self.step.disconnect()
        for name, slot in self._slots.items():
            getattr(self.ui, name).disconnect("clicked()", slot)
        self.node = None

    def show(self, segmentationNode: Any) -> None:
        """Show a segmentation; None empties and hides the section."""
        if segmentationNode is not self.node:
            self.removeObservers()
            self.node = segmentationNode
            for node in [segmentationNode, labelsNodeOf(segmentationNode)] if segmentationNode is not None else []:
                if node is not None:
                    self._observe(node)
        self.onLooked(self.node)
        self._lines = reviewOf(self.node) if self.node is not None else []
        self.table.fill(self._lines, self._hidden())
        self.versions.show(self.node)
        self.step.show(self.node)
        self.ui.resultCollapsibleButton.visible = bool(self._lines)
        text = self.node.GetAttribute(STATEMENTS_ATTRIBUTE) if self.node is not None else None
        self.ui.statementsLabel.text = "\n".join(json.loads(text)) if text else ""
        self.ui.statementsLabel.visible = bool(self.ui.statementsLabel.text)
        self._showPlace()

    # Slots.

    def onNextPlace(self) -> None:
        """To the next place."""
        self._step(1)

    def onPreviousPlace(self) -> None:
        """To the place before."""
        self._step(-1)

    def onAccept(self) -> None:
        """Accept the chosen region."""
        self._decide("accepted")

    def onReject(self) -> None:
        """Reject the chosen region."""
        self._decide("rejected")

    def onSideBySide(self) -> None:
        """Show all sequences side by side, or the layout before."""
        with guarded(self.say):
            if self.node is None:
                return
            if isSideBySide(self.node.GetScene()):
                showAsBefore(self.node.GetScene())
            elif not showSideBySide(self.node):
                self.say(sentences.noSequences())

    def onShown(self, segmentId: str, isShown: bool) -> None:
        """Show or hide a region in all views."""
        with guarded(self.say):
            if self.node is not None and self.node.GetDisplayNode() is not None:
                self.node.GetDisplayNode().SetSegmentVisibility(segmentId, isShown)

    def onLocked(self, segmentId: str, isNowLocked: bool) -> None:
        """Lock or unlock a region."""
        with guarded(self.say):
            if self.node is not None:
                setLocked(self.node, segmentId, isNowLocked)
                self.show(self.node)

    def onSegmentationModified(self, _caller: Any, _event: str) -> None:
        """Someone has edited, renamed, added or hidden a segment."""
        if not self._isRefreshDue:
            self._isRefreshDue = True
            qt.QTimer.singleShot(_SETTLE_MS, self.onRefreshDue)

    def onRefreshDue(self) -> None:
        """Read the numbers anew."""
        self._isRefreshDue = False
        with guarded(self.say):
            if self.node is not None and self.node.GetScene() is not None:
                self.show(self.node)

    def _observe(self, segmentationNode: Any) -> None:
        segmentation, events = segmentationNode.GetSegmentation(), slicer.vtkSegmentation
        for event in (
            events.SegmentAdded,
            events.SegmentRemoved,
            events.SegmentModified,
            events.RepresentationModified,  # also sent when a segment is cleared, SourceRepresentationModified is not
        ):
            if not self.hasObserver(segmentation, event, self.onSegmentationModified):
                self.addObserver(segmentation, event, self.onSegmentationModified)

    def _step(self, step: int) -> None:
        with guarded(self.say):
            if self.node is not None:
                place = stepToPlace(self.node, step)
                if place is not None:
                    self.table.choose(place.region)
                self._showPlace()

    def _decide(self, decision: str) -> None:
        with guarded(self.say):
            if self.node is None or not self._lines:
                return
            segmentId = self.table.chosen or self._nextToDo("")
            if segmentId:
                decide(self.node, segmentId, decision, self.ui.readerLineEdit.text.strip())
                self.show(self.node)
                self.table.choose(self._nextToDo(segmentId) or segmentId)

    def _nextToDo(self, after: str) -> str:
        """Give the first undecided region behind another one, around the end; empty when all are decided."""
        ids = [line.segmentId for line in self._lines]
        begin = ids.index(after) + 1 if after in ids else 0
        around = self._lines[begin:] + self._lines[:begin]
        return next((line.segmentId for line in around if line.state in ("to do", "edited")), "")

    def _hidden(self) -> frozenset[str]:
        display = self.node.GetDisplayNode() if self.node is not None else None
        if display is None:
            return frozenset()
        return frozenset(line.segmentId for line in self._lines if not display.GetSegmentVisibility(line.segmentId))

    def _showPlace(self) -> None:
        places = placesOf(self.node) if self.node is not None else ()
        current = currentPlace(self.node) if places else None
        titles = {line.segmentId: line.title for line in self._lines}
        if current is None:
            self.ui.placeLabel.text = sentences.placesToLookAt(len(places))
        else:
            found = places[current]
            title = titles.get(found.region, found.region)
            self.ui.placeLabel.text = sentences.place(current + 1, len(places), title, found)
        self.ui.nextPlaceButton.enabled = bool(places)
        self.ui.previousPlaceButton.enabled = bool(places)
