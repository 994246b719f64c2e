"""The review list: each region with mL, doubt and state, who decided and when; kept in the scene.

A decision holds for the voxels that were looked at: when they change afterwards, the region counts as edited until
someone decides again. Nothing here changes a mask. The audit is written by ``audit``. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import slicer

from MedSegAILib.core.errors import UsageError

from .locks import isLocked
from .places import doubtOf
from .segment_mark import Mark, isSameMark, markOf, marksOf
from .statistics import regionRows
from .story import decisionsOf, keepDecisions, note, now
from .undo import UndoHistory

DECISIONS = ("accepted", "rejected", "to do")
STATES = ("to do", "accepted", "edited", "rejected")
_VERBS = {"accepted": "Accept", "rejected": "Reject", "to do": "Take back the decision about"}
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
        isLocked: whether a person has locked it.
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
    isLocked: bool = False
    reader: str = ""
    time: str = ""


def reviewOf(segmentationNode: Any) -> list[RegionReview]:
    """Give the list, one line a segment, in the order of the node."""
    marks, decisions = marksOf(segmentationNode), decisionsOf(segmentationNode)
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
                isLocked(segmentationNode, row.segmentId),
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
    clock: Callable[[], datetime] = now,
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
    time, mark = clock().isoformat(timespec="seconds"), markOf(segmentationNode, segmentId)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    with UndoHistory.of(segmentationNode).entry(f"{_VERBS[decision]} {segment.GetName()}", segmentationNode):
        decisions = decisionsOf(segmentationNode)
        decisions.pop(segmentId, None)
        if decision != "to do":
            decisions[segmentId] = {"decision": decision, "reader": reader, "time": time, "mark": mark}
        keepDecisions(segmentationNode, decisions)
        event = {"what": decision, "segment": segmentId, "sha256": mark["sha256"], "reader": reader, "time": time}
        note(segmentationNode, event)
        status = {"accepted": logic.Completed, "rejected": logic.Flagged, "to do": logic.NotStarted}[decision]
        logic.SetSegmentStatus(segment, status)


def _state(current: Mark, brought: Mark | None, decision: dict[str, Any]) -> str:
    if decision and isSameMark(decision["mark"], current):
        return str(decision["decision"])
    is_as_brought = brought is not None and isSameMark(brought, current)
    return "to do" if is_as_brought and not decision else "edited"
