"""What people decided about a result and everything that happened to it, kept on its node and saved with the scene.

The decisions can be taken back, the story cannot: an undo adds a line to it. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

REVIEW_ATTRIBUTE = "MedSegAI.Review"

Decisions = dict[str, dict[str, Any]]


def now() -> datetime:
    """Give the time of an event; a test gives its own clock instead."""
    return datetime.now(timezone.utc)


def tell(segmentationNode: Any, what: str, segmentId: str = "", *, clock: Callable[[], datetime] = now) -> None:
    """Add a line to the story of a node, for the audit: "taken from an earlier version", for example."""
    note(segmentationNode, {"what": what, "segment": segmentId, "time": clock().isoformat(timespec="seconds")})


def note(segmentationNode: Any, event: Mapping[str, Any]) -> None:
    """Append an event to the story; nothing in it is ever taken back."""
    kept = _kept(segmentationNode)
    kept["story"].append(dict(event))
    _keep(segmentationNode, kept)


def storyOf(segmentationNode: Any) -> list[dict[str, Any]]:
    """Give every decision and change that was told, the oldest first."""
    return list(_kept(segmentationNode)["story"])


def decisionsOf(segmentationNode: Any) -> Decisions:
    """Give what was decided last, by segment: decision, reader, time, and the mark of the voxels it holds for."""
    return dict(_kept(segmentationNode)["decisions"])


def keepDecisions(segmentationNode: Any, decisions: Decisions) -> None:
    """Replace the decisions; the story stays."""
    kept = _kept(segmentationNode)
    if kept["decisions"] != decisions:
        kept["decisions"] = decisions
        _keep(segmentationNode, kept)


def _kept(segmentationNode: Any) -> dict[str, Any]:
    text = segmentationNode.GetAttribute(REVIEW_ATTRIBUTE)
    return dict(json.loads(text)) if text else {"decisions": {}, "story": []}


def _keep(segmentationNode: Any, kept: Mapping[str, Any]) -> None:
    segmentationNode.SetAttribute(REVIEW_ATTRIBUTE, json.dumps(kept, sort_keys=True))
