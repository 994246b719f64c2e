"""The review list: each region with mL, doubt and state, who decided and when; kept in the scene.

A decision holds for the voxels that were looked at: when they change afterwards, the region counts as edited until
someone decides again. Nothing here changes a mask. The audit is written by ``audit``. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import slicer

from MedSegAILib.core.errors import UsageError

from .places import doubtOf
from .segment_mark import Mark, isSameMark, markOf
from .statistics import regionRows

MARKS_ATTRIBUTE = "MedSegAI.Marks"
REVIEW_ATTRIBUTE = "MedSegAI.Review"
DECISIONS = ("accepted", "rejected", "to do")
STATES = ("to do", "accepted", "edited", "rejected")
_NO_DECISION: dict[str, Any] = {}


@dataclass(frozen=True)
class RegionReview:
    """One line of the list.

    Args:
        segmentId: id of the segment.
        title: its name for people.
        color: red, green, blue, 0 to 1.
        volume_ml: from its voxels as they are now.
        doubt_ml: volume where the passes of the network disagree; None when that is not known.
        state: one of ``STATES``.
        isOurs: whether the segment came with the result; others were made by the user.
        reader: who decided last; empty when no name was given.
        time: when, ISO 8601 in UTC; empty before a decision.
    """

    segmentId: str
    title: str
    color: tuple[float, float, float]
    volume_ml: float
    doubt_ml: float | None
    state: str
    isOurs: bool
    reader: str = ""
    time: str = ""


def _now() -> datetime:
    return datetime.now(timezone.utc)


def keepMarks(segmentationNode: Any) -> None:
    """Remember the voxels of a fresh result, so that an edit is seen later."""
    ids = segmentationNode.GetSegmentation().GetSegmentIDs()
    marks = {segmentId: markOf(segmentationNode, segmentId) for segmentId in ids}
    segmentationNode.SetAttribute(MARKS_ATTRIBUTE, json.dumps(marks, sort_keys=True))


def marksOf(segmentationNode: Any) -> dict[str, Mark]:
    """Give the marks of the segments as the result brought them; empty for a segmentation that is not ours."""
    text = segmentationNode.GetAttribute(MARKS_ATTRIBUTE)
    return dict(json.loads(text)) if text else {}


def isTouched(segmentationNode: Any, segmentId: str) -> bool:
    """Tell whether a segment is the user's: made by hand, or changed since the result brought it."""
    mark = marksOf(segmentationNode).get(segmentId)
    return mark is None or not isSameMark(mark, markOf(segmentationNode, segmentId))


def reviewOf(segmentationNode: Any) -> list[RegionReview]:
    """Give the list, one line a segment, in the order of the node."""
    marks, decisions = marksOf(segmentationNode), _kept(segmentationNode)["decisions"]
    contested = doubtOf(segmentationNode).contested_ml
    lines = []
    for row in regionRows(segmentationNode):
        current = markOf(segmentationNode, row.segmentId)
        brought, decision = marks.get(row.segmentId), decisions.get(row.segmentId, _NO_DECISION)
        lines.append(
            RegionReview(
                row.segmentId,
                row.title,
                row.color,
                row.volume_ml,
                contested.get(row.segmentId),
                _state(current, brought, decision),
                brought is not None,
                str(decision.get("reader", "")),
                str(decision.get("time", "")),
            )
        )
    return lines


def decide(
    segmentationNode: Any,
    segmentId: str,
    decision: str,
    reader: str = "",
    *,
    clock: Callable[[], datetime] = _now,
) -> None:
    """Keep what a reader decided about a region as it is now; Slicer's own status of the segment follows.

    Args:
        segmentationNode: a result.
        segmentId: one of its segments.
        decision: "accepted", "rejected", or "to do" to take a decision back.
        reader: name or initials; empty when the reader gives none.
        clock: gives the time.

    Raises:
        UsageError: "review.decision", "review.segment".
    """
    if decision not in DECISIONS:
        raise UsageError(
            "review.decision", f"There is no decision {decision!r}.", f"Choose one of {', '.join(DECISIONS)}."
        )
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    if segment is None:
        raise UsageError("review.segment", f"There is no region {segmentId!r}.", "Choose a region of the table.")
    kept, time = _kept(segmentationNode), clock().isoformat(timespec="seconds")
    mark = markOf(segmentationNode, segmentId)
    if decision == "to do":
        kept["decisions"].pop(segmentId, None)
    else:
        kept["decisions"][segmentId] = {"decision": decision, "reader": reader, "time": time, "mark": mark}
    _note(kept, {"what": decision, "segment": segmentId, "sha256": mark["sha256"], "reader": reader, "time": time})
    segmentationNode.SetAttribute(REVIEW_ATTRIBUTE, json.dumps(kept, sort_keys=True))
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    status = {"accepted": logic.Completed, "rejected": logic.Flagged, "to do": logic.NotStarted}[decision]
    logic.SetSegmentStatus(segment, status)


def tell(segmentationNode: Any, what: str, segmentId: str = "", *, clock: Callable[[], datetime] = _now) -> None:
    """Add a line to the story of a node, for the audit: "taken from an earlier version", for example."""
    kept = _kept(segmentationNode)
    _note(kept, {"what": what, "segment": segmentId, "time": clock().isoformat(timespec="seconds")})
    segmentationNode.SetAttribute(REVIEW_ATTRIBUTE, json.dumps(kept, sort_keys=True))


def storyOf(segmentationNode: Any) -> list[dict[str, Any]]:
    """Give every decision and change that was told, the oldest first."""
    return list(_kept(segmentationNode)["story"])


def _note(kept: dict[str, Any], event: dict[str, Any]) -> None:
    """Append to the story; nothing in it is ever taken back."""
    kept["story"].append(event)


def _kept(segmentationNode: Any) -> dict[str, Any]:
    text = segmentationNode.GetAttribute(REVIEW_ATTRIBUTE)
    return dict(json.loads(text)) if text else {"decisions": {}, "story": []}


def _state(current: Mark, brought: Mark | None, decision: dict[str, Any]) -> str:
    if decision and isSameMark(decision["mark"], current):
        return str(decision["decision"])
    is_as_brought = brought is not None and isSameMark(brought, current)
    return "to do" if is_as_brought and not decision else "edited"
