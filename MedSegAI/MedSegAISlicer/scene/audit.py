"""The audit file of a review: what the machine brought, what people decided and changed, as JSON and CSV.

Holds no name of a patient, volume or file; the reader's name only where the reader gave one. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from MedSegAILib.core.result import RESEARCH_USE

from .files import writeText
from .places import doubtOf
from .review import RegionReview, reviewOf
from .segmentations import STATEMENTS_ATTRIBUTE, readPassport
from .story import storyOf

FORMAT = 1
_COLUMNS = ("region", "title", "volume_ml", "doubt_ml", "state", "made_by", "reader", "time_utc")


def auditOf(segmentationNode: Any) -> dict[str, Any]:
    """Give the whole story of a result as a JSON-able dictionary."""
    return _audit(segmentationNode, reviewOf(segmentationNode))


def _audit(segmentationNode: Any, lines: Sequence[RegionReview]) -> dict[str, Any]:
    passport, doubt = readPassport(segmentationNode), doubtOf(segmentationNode)
    statements = segmentationNode.GetAttribute(STATEMENTS_ATTRIBUTE)
    return {
        "format": FORMAT,
        "use": RESEARCH_USE,
        "regions": [_line(line) for line in lines],
        "places": [{**asdict(place), "words": place.words} for place in doubt.places],
        "doubt_method": doubt.method,
        "statements": json.loads(statements) if statements else [],
        "story": storyOf(segmentationNode),
        "passport": passport.to_json() if passport is not None else None,
    }


def writeAudit(segmentationNode: Any, folder: Path, stem: str = "audit") -> list[Path]:
    """Write ``<stem>.json``, all of it, and ``<stem>.csv``, the regions.

    Raises:
        ResourceError: "output.not_writable".
    """
    texts = auditTexts(segmentationNode, reviewOf(segmentationNode), stem)
    return [writeText(folder / name, text) for name, text in texts.items()]


def auditTexts(segmentationNode: Any, lines: Sequence[RegionReview], stem: str = "audit") -> dict[str, str]:
    """Give both files as texts, by name; the lines are those of ``reviewOf``."""
    audit = _audit(segmentationNode, lines)
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(audit["regions"])
    return {f"{stem}.json": json.dumps(audit, indent=1, sort_keys=True) + "\n", f"{stem}.csv": table.getvalue()}


def _line(line: RegionReview) -> dict[str, Any]:
    doubtMl = line.doubt_ml
    return {
        "region": line.segmentId,
        "title": line.title,
        "volume_ml": round(line.volume_ml, 4),
        "doubt_ml": round(doubtMl, 4) if doubtMl is not None else "",
        "state": line.state,
        "made_by": "model" if line.isOurs else "user",
        "reader": line.reader,
        "time_utc": line.time,
    }
