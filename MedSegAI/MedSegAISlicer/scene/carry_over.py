"""What is a person's stays: what a new version takes over from the one that the person worked on.

A segment stays through a re-run when a person made it, locked it, accepted it or touched it; what the model found
instead lies beside it, hidden. The earlier version itself is never changed. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import json
from typing import Any

from .family import versionsOf
from .review import reviewOf
from .segment_mark import addMark
from .segmentations import STATEMENTS_ATTRIBUTE
from .story import decisionsOf, keepDecisions, tell
from .versions import copyAside, copyRegion, isSameRegion


def whyKept(segmentationNode: Any) -> dict[str, str]:
    """Give the segments that stay through a re-run, each with the reason in a word, in the order of the node."""
    reasons = {}
    for line in reviewOf(segmentationNode):
        if not line.isOurs:
            reasons[line.segmentId] = "made by hand"
        elif line.isLocked:
            reasons[line.segmentId] = "locked"
        elif line.state in ("accepted", "edited"):
            reasons[line.segmentId] = line.state
        # what was rejected is what a re-run is for
    return reasons


def carryOver(later: Any) -> list[str]:
    """Bring what a person has decided or drawn into a new version; nothing of the earlier version changes.

    Args:
        later: the version that a run has just brought. The earlier one is that which the views show, else the one
            before.

    Returns:
        Ids of the segments that were carried over.
    """
    earlier = _versionInUse(later)
    if earlier is None:
        return []
    reasons, decisions = whyKept(earlier), decisionsOf(later)
    sentences = []
    for segmentId, reason in reasons.items():
        _carry(earlier, later, segmentId)
        decision = decisionsOf(earlier).get(segmentId)
        if decision is not None:
            decisions[segmentId] = decision
        title = later.GetSegmentation().GetSegment(segmentId).GetName()
        sentences.append(f"{title} ({reason}) was kept as it is in {earlier.GetName()}.")
        tell(later, f"kept from {earlier.GetName()}: {reason}", segmentId)
    if reasons:
        keepDecisions(later, decisions)
        text = later.GetAttribute(STATEMENTS_ATTRIBUTE)
        later.SetAttribute(STATEMENTS_ATTRIBUTE, json.dumps([*(json.loads(text) if text else []), *sentences]))
    return list(reasons)


def _versionInUse(later: Any) -> Any:
    """Give the version that a person looks at, else the last one before; None for the first."""
    others = [node for node in versionsOf(later) if node is not later]
    shown = [node for node in others if node.GetDisplayNode() is not None and node.GetDisplayNode().GetVisibility()]
    return next(reversed(shown or others), None)


def _carry(earlier: Any, later: Any, segmentId: str) -> None:
    source, segmentation = earlier.GetSegmentation().GetSegment(segmentId), later.GetSegmentation()
    if segmentation.GetSegment(segmentId) is None:
        segmentation.AddEmptySegment(segmentId, source.GetName(), source.GetColor())
    elif not isSameRegion(earlier, later, segmentId):
        title = f"{source.GetName()} (model)"
        addMark(later, copyAside(later, segmentId, f"{segmentId}-model", title))
    segment = segmentation.GetSegment(segmentId)
    labelValue = segment.GetLabelValue()  # of the layer that it lies in
    segment.DeepCopyMetadata(source)
    segment.SetLabelValue(labelValue)
    copyRegion(earlier, later, segmentId)
    if later.GetDisplayNode() is not None and earlier.GetDisplayNode() is not None:
        isShown = bool(earlier.GetDisplayNode().GetSegmentVisibility(segmentId))
        later.GetDisplayNode().SetSegmentVisibility(segmentId, isShown)
