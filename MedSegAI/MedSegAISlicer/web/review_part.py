"""Review: the regions with mL, doubt and state; where to look; accept and reject. Ring 10 (web)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from MedSegAISlicer.gui import review_sentences as sentences
from MedSegAISlicer.scene.family import versionsOf
from MedSegAISlicer.scene.locks import setLocked
from MedSegAISlicer.scene.places import currentPlace, placesOf, stepToPlace
from MedSegAISlicer.scene.review import RegionReview, decide, reviewOf
from MedSegAISlicer.scene.segmentations import STATEMENTS_ATTRIBUTE
from MedSegAISlicer.scene.stage_boxes import boxNodes
from MedSegAISlicer.scene.versions import showOnly

from .desk import Desk
from .result_view import ResultView
from .views import Views

_UNDECIDED = ("to do", "edited")


class ReviewPart:
    """The section "Review".

    ``node`` is the result that is shown, or None; ``onRefreshed`` is called after its numbers were read, ``onChosen``
    after another region was chosen.
    """

    def __init__(self, desk: Desk, views: Views) -> None:
        self.desk = desk
        self.state = desk.state
        self.views = views
        self.result = ResultView(desk, views)
        self.node: Any = None
        self._lines: list[RegionReview] = []
        self.onRefreshed: Callable[[], None] = lambda: None
        self.onChosen: Callable[[], None] = lambda: None
        self.state.update({"regions": [], "chosen": "", "statements": [], "place": "", "has_places": False})
        self.state.boxes = ""
        self.state.update({"versions": [], "version": "", "reader": ""})
        desk.onChange("version", self.chooseVersion)

    def show(self, segmentationNode: Any) -> None:
        """Show a result; None empties the section."""
        self.node = segmentationNode
        self.desk.logic.parameters().result = segmentationNode
        if segmentationNode is not None:
            showOnly(segmentationNode)
        self.result.show(segmentationNode)
        self.refresh()
        ids = [line.segmentId for line in self._lines]
        self.choose(self.state.chosen if self.state.chosen in ids else self._nextToDo(""))

    def refresh(self) -> None:
        """Read the numbers anew."""
        node = self.node
        self._lines = reviewOf(node) if node is not None else []
        display = node.GetDisplayNode() if node is not None else None
        self.state.regions = [_row(line, display) for line in self._lines]
        text = node.GetAttribute(STATEMENTS_ATTRIBUTE) if node is not None else None
        self.state.statements = json.loads(text) if text else []
        stages = list(boxNodes(node)) if node is not None else []
        self.state.boxes = sentences.boxes(stages) if stages else ""
        versions = versionsOf(node) if node is not None else []
        self.state.versions = [{"title": other.GetName(), "value": other.GetID()} for other in versions]
        self.state.version = node.GetID() if node is not None else ""
        self._showPlace()
        self.onRefreshed()

    def choose(self, segmentId: str) -> None:
        """Choose a region: it is the one that is decided about and corrected."""
        self.state.chosen = segmentId
        self.result.edit(segmentId)
        self.onChosen()

    def chooseVersion(self, nodeId: str) -> None:
        """Show another version of the result."""
        node = self.desk.scene.GetNodeByID(nodeId) if nodeId else None
        if node is not None and node is not self.node:
            self.show(node)

    def setVisible(self, segmentId: str, isVisible: bool) -> None:
        """Show or hide a region in all views."""
        if self.node is not None:
            self.node.GetDisplayNode().SetSegmentVisibility(segmentId, bool(isVisible))
            self.refresh()

    def setLocked(self, segmentId: str, isLocked: bool) -> None:
        """Lock or unlock a region: a locked one is changed by nobody but by hand."""
        if self.node is not None:
            setLocked(self.node, segmentId, bool(isLocked))
            self.refresh()

    def step(self, steps: int) -> None:
        """To the next place, the worst first, or the one before."""
        place = stepToPlace(self.node, steps) if self.node is not None else None
        if place is not None:
            self.choose(place.region)
        self._showPlace()

    def decide(self, decision: str) -> None:
        """Accept or reject the chosen region; the next undecided one is chosen."""
        segmentId = self.state.chosen or self._nextToDo("")
        if self.node is not None and segmentId:
            decide(self.node, segmentId, decision, str(self.state.reader or "").strip())
            self.refresh()
            self.choose(self._nextToDo(segmentId) or segmentId)

    def _nextToDo(self, after: str) -> str:
        ids = [line.segmentId for line in self._lines]
        begin = ids.index(after) + 1 if after in ids else 0
        around = self._lines[begin:] + self._lines[:begin]
        return next(
            (line.segmentId for line in around if line.state in _UNDECIDED), ids[0] if ids and not after else ""
        )

    def _showPlace(self) -> None:
        places = placesOf(self.node) if self.node is not None else ()
        current = currentPlace(self.node) if places else None
        self.state.has_places = bool(places)
        if current is None:
            self.state.place = sentences.placesToLookAt(len(places)) if self.node is not None else ""
            return
        found = places[current]
        titles = {line.segmentId: line.title for line in self._lines}
        self.state.place = sentences.place(current + 1, len(places), titles.get(found.region, found.region), found)


def _row(line: RegionReview, display: Any) -> dict[str, Any]:
    red, green, blue = (round(255 * part) for part in line.color)
    isVisible = display is None or bool(display.GetSegmentVisibility(line.segmentId))
    return {
        "id": line.segmentId,
        "title": line.title,
        "color": f"rgb({red},{green},{blue})",
        "ml": f"{line.volume_ml:.1f}",
        "doubt": "\N{EN DASH}" if line.doubt_ml is None else f"{line.doubt_ml:.1f}",
        "state": sentences.state(line.state),
        "kind": line.state,
        "hint": sentences.stateHint(line.reader, line.time, line.doubt_ml),
        "visible": isVisible,
        "locked": line.isLocked,
    }
