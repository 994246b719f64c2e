"""Roots with many small studies, and what a batch left, in a form that can be compared."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from MedSegAILib.batch.ledger import Entry, read_entries
from Testing.makers.phantoms import aligned_grid, make_case, write_study

STUDIES, CORRUPT = 8, 5  # of the usual root; the number of the study whose T2 is cut off
# Differ by nature between two runs; everything else must not.
TIMES = ("seconds", "peak_memory_mb")


def make_root(folder: Path, count: int, corrupt: tuple[int, ...] = (), size: int = 16) -> Path:
    """Write studies ``case-000`` on with cubes of 5 mm voxels; the T2 of the corrupt ones is cut off."""
    for number in range(count):
        study = folder / f"case-{number:03d}"
        write_study(make_case(aligned_grid(80 / size, size), seed=number), study)
        if number in corrupt:
            path = study / "T2.nii.gz"
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return folder


def entries(output: Path) -> list[Entry]:
    """The ledger of a batch."""
    return list(read_entries(output / ".batch" / "ledger.jsonl"))


def count_of(output: Path, event: str) -> dict[str, int]:
    """How often an event happened to each study."""
    counts: dict[str, int] = {}
    for entry in entries(output):
        if entry.event == event:
            counts[entry.study] = counts.get(entry.study, 0) + 1
    return counts


def what_stands(output: Path) -> dict[str, bytes]:
    """All files that a batch left for its user, without times and the memory of processes."""
    found = {}
    for path in sorted(path for path in output.rglob("*") if path.is_file()):
        name = path.relative_to(output).as_posix()
        if name.startswith(".batch/"):
            continue
        content = path.read_bytes()
        if path.name == "results.csv":
            content = json.dumps([{k: v for k, v in line.items() if k not in TIMES} for line in table(path)]).encode()
        if path.name == "study.json":
            record = json.loads(content)
            record["row"] = {key: value for key, value in record["row"].items() if key not in TIMES}
            content = json.dumps(record).encode()
        if path.name == "passport.json":
            content = json.dumps({k: v for k, v in json.loads(content).items() if k not in TIMES}).encode()
        found[name] = content
    return found


def table(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
