"""The page of a batch: counts, failures and why, all results with pictures, worst first. Ring 5 (report)."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.io.atomic import write_stream

from .batch_tables import FailedLine, RankedLine, ResultLine, region_names, worst_first
from .html_page import LOOK_FIRST_FROM, LOOK_FROM, picture_address, templates, verdict

_PIECE_CHARACTERS = 1 << 16


@dataclass(frozen=True)
class _Card:
    """A result as the page shows it; the picture is read when its turn comes, so that memory stays flat."""

    entry: RankedLine
    root: Path
    preview: str

    @property
    def picture(self) -> str:
        """Address of the picture, empty when there is none."""
        path = self.root / self.entry.line.folder / self.preview
        return picture_address(path.read_bytes(), "jpeg") if path.is_file() else ""

    @property
    def verdict(self) -> tuple[str, str]:
        """Class and words."""
        return verdict(self.entry.attention)


def write_batch_page(
    path: Path, results: Sequence[ResultLine], failures: Sequence[FailedLine], total: int, preview: str
) -> Path:
    """Write the page; whole or not at all.

    Args:
        path: of the page; folders of the results are relative to its own.
        results: studies with a result.
        failures: studies without one.
        total: studies of the batch; more than both together when it was stopped.
        preview: name of the small picture in a result's folder.
    """
    ranked = worst_first(results)
    facts = {
        "title": results[0].row["title"] if results else "Segmentation",
        "total": total,
        "results": len(results),
        "failures": failures,
        "open": total - len(results) - len(failures),
        "look_first": sum(entry.attention >= LOOK_FIRST_FROM for entry in ranked),
        "look": sum(LOOK_FROM <= entry.attention < LOOK_FIRST_FROM for entry in ranked),
        "cards": [_Card(entry, path.parent, preview) for entry in ranked],
        "spreads": [_spread(name, results) for name in region_names(results)],
        "made": _made(results),
        "use": results[0].row["use"] if results else "Research use only. Not for clinical decisions.",
    }
    stream = templates().get_template("batch.html").generate(facts)
    return write_stream(path, _pieces(stream))


def _pieces(stream: Iterator[str]) -> Iterator[bytes]:
    waiting: list[str] = []
    length = 0
    for text in stream:
        waiting.append(text)
        length += len(text)
        if length >= _PIECE_CHARACTERS:
            yield "".join(waiting).encode()
            waiting, length = [], 0
    yield "".join(waiting).encode()


def _made(results: Sequence[ResultLine]) -> list[tuple[str, str]]:
    """Give by what the results were made; several values when they differ."""

    def values(*path: str) -> str:
        found: dict[str, None] = {}
        for line in results:
            value: Any = line.row
            for key in path:
                value = value[key]
            found[str(value)] = None
        return ", ".join(found)

    if not results:
        return []
    return [
        ("package", f"{values('package', 'name')} {values('package', 'version')}"),
        ("package checksum", values("package", "sha256")),
        ("preset", values("preset")),
        ("engine", f"{values('engine', 'backend')} on {values('engine', 'device')}, {values('engine', 'precision')}"),
        ("MedSegAI", values("library")),
    ]


def _spread(name: str, results: Sequence[ResultLine]) -> dict[str, Any]:
    """Give where the volumes of a region lie: shares of the largest, for dots on a line."""
    volumes = {line.study: float(line.row["volumes_ml"].get(name, 0.0)) for line in results}
    region = next(entry for line in results for entry in line.row["regions"] if entry["name"] == name)
    top = max(volumes.values(), default=0.0) or 1.0
    return {
        "name": name,
        "title": region["title"],
        "color": region["color"],
        "median_ml": statistics.median(volumes.values()),
        "median_share": statistics.median(volumes.values()) / top,
        "low_ml": min(volumes.values()),
        "top_ml": max(volumes.values()),
        "dots": [(study, volume, volume / top) for study, volume in volumes.items()],
    }
