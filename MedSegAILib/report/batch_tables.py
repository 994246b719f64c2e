"""The tables of a batch: results, failures, worst first. Ring 5 (report).

Columns keep their names and their order; a new one is added at the end.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from .study_row import attention, reasons

FAILED_COLUMNS = ("study", "code", "message", "next_step")
WORST_COLUMNS = ("rank", "study", "attention", "reasons")
_BEFORE, _AFTER = (
    ("study",),
    (
        *("attention", "warnings", "warning_codes", "doubt_places", "doubt_ml", "repairs"),
        *("preset", "backend", "device", "precision", "package", "package_version", "package_sha256", "library"),
        *("seconds", "peak_memory_mb", "folder"),
    ),
)


@dataclass(frozen=True)
class ResultLine:
    """A study with a result: id, folder relative to that of the batch, row (see ``study_row``)."""

    study: str
    folder: str
    row: Mapping[str, Any]


@dataclass(frozen=True)
class FailedLine:
    """A study without a result, and why."""

    study: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class RankedLine:
    """A result with how much it asks to be looked at (0 to 1) and why."""

    line: ResultLine
    attention: float
    reasons: tuple[str, ...]


def region_names(lines: Iterable[ResultLine]) -> list[str]:
    """Give the regions of all results, in the order in which they are shown."""
    return list(dict.fromkeys(name for line in lines for name in (entry["name"] for entry in line.row["regions"])))


def worst_first(lines: Sequence[ResultLine]) -> list[RankedLine]:
    """Give the results, those that ask most to be looked at first; equal ones in the order of their ids."""
    ranked = [RankedLine(line, attention(line.row), tuple(reasons(line.row))) for line in lines]
    return sorted(ranked, key=lambda entry: (-entry.attention, entry.line.study))


def results_csv(lines: Sequence[ResultLine]) -> bytes:
    """Give one line a result as CSV, UTF-8: ``<region>_ml`` for each region, flags, how and with what it was made.

    ``attention`` is 0 to 1, see ``study_row.attention``; ``folder`` is relative to that of the table.
    """
    regions = region_names(lines)
    rows: list[Sequence[Any]] = [(*_BEFORE, *(f"{name}_ml" for name in regions), *_AFTER)]
    for line in lines:
        row = line.row
        volumes = [f"{row['volumes_ml'][name]:.3f}" if name in row["volumes_ml"] else "" for name in regions]
        codes = " ".join(str(notice["code"]) for notice in row["notices"])
        engine, package = row["engine"], row["package"]
        rows.append(
            (
                *(line.study, *volumes, f"{attention(row):.4f}", len(row["notices"]), codes),
                *(row["doubt"]["count"], f"{row['doubt']['at_stake_ml']:.3f}", len(row["repairs"])),
                *(row["preset"], engine["backend"], engine["device"], engine["precision"]),
                *(package["name"], package["version"], package["sha256"], row["library"]),
                *(f"{row['seconds']:.2f}", f"{row['peak_memory_mb']:.1f}", line.folder),
            )
        )
    return _csv(rows)


def failed_csv(lines: Sequence[FailedLine]) -> bytes:
    """Give one line a failed study as CSV, UTF-8: code, sentence, next step; the title alone when there is none."""
    return _csv([FAILED_COLUMNS, *((line.study, line.code, line.message, line.hint) for line in lines)])


def worst_first_csv(lines: Sequence[ResultLine]) -> bytes:
    """Give the results as CSV, UTF-8, in the order in which they should be looked at, with the reasons."""
    ranked = worst_first(lines)
    return _csv(
        [
            WORST_COLUMNS,
            *(
                (rank, entry.line.study, f"{entry.attention:.4f}", "; ".join(entry.reasons))
                for rank, entry in enumerate(ranked, start=1)
            ),
        ]
    )


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
