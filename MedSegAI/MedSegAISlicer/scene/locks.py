"""Locks of segments: a tag, saved with the scene; every writer of ours asks :func:`refuseLocked` first.

What a person draws by hand is not refused here: Slicer's Segment Editor knows no locks. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from typing import Any

from MedSegAILib.core.errors import UsageError

from .segment_state import LOCK_TAG, tagOf
from .story import tell
from .undo import UndoHistory

_LOCKED = "1"


def isLocked(segmentationNode: Any, segmentId: str) -> bool:
    """Tell whether a person has locked a segment."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    return segment is not None and tagOf(segment, LOCK_TAG) == _LOCKED


def setLocked(segmentationNode: Any, segmentId: str, isNowLocked: bool) -> None:
    """Lock or unlock a segment, as an entry of the undo history; nothing when it is so already.

    Raises:
        UsageError: "review.segment" when there is no such segment.
    """
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    if segment is None:
        raise UsageError("review.segment", f"There is no region {segmentId!r}.", "Choose a region of the table.")
    if isLocked(segmentationNode, segmentId) == isNowLocked:
        return
    verb = "Lock" if isNowLocked else "Unlock"
    with UndoHistory.of(segmentationNode).entry(f"{verb} {segment.GetName()}", segmentationNode):
        if isNowLocked:
            segment.SetTag(LOCK_TAG, _LOCKED)
        else:
            segment.RemoveTag(LOCK_TAG)
        tell(segmentationNode, "locked" if isNowLocked else "unlocked", segmentId)


def refuseLocked(segmentationNode: Any, segmentId: str) -> None:
    """Let no writer of ours change a locked segment.

    Raises:
        UsageError: "segment.locked".
    """
    if isLocked(segmentationNode, segmentId):
        title = segmentationNode.GetSegmentation().GetSegment(segmentId).GetName()
        raise UsageError("segment.locked", f"{title} is locked.", "Take its lock off in the review list first.")
