"""What runs on this machine took: a small file at home, kept by the doors and never by the pipeline. Ring 3.

Holds counts and seconds only: no image, no name, no path, no date. ``expected`` reads from it how long a run will
take. Standard library only; a file that cannot be read or written never stops a run.
"""

from __future__ import annotations

import json
import logging
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.core.result import Passport

FORMAT = 1
MOST_RUNS = 200

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        network: networks of the package with their arguments, as :func:`network_words` writes them.
        preset: of the options.
        backend: which engine.
        device: where it ran.
        precision: "fp32", "bf16" or "fp16".
        threads: CPU threads.
        forward_voxels: voxels that went through a network, over all members, views and windows.
        predict_s: seconds of the networks.
        other_s: seconds of everything else.
    """

    network: str
    preset: str
    backend: str
    device: str
    precision: str
    threads: int
    forward_voxels: int
    predict_s: float
    other_s: float


def history_file() -> Path:
    """Give the place of the file; it need not exist."""
    return Path.home() / ".MedSegAI" / "history.json"


def read_history(file: Path | None = None) -> list[Run]:
    """Give the runs, the oldest first; none when there is no file or it is damaged."""
    try:
        data = json.loads((file or history_file()).read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            return []
        return [_run(entry) for entry in data["runs"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def remember(passport: Passport, file: Path | None = None) -> None:
    """Add a run to the file; the oldest runs are forgotten. Nothing happens when it cannot be written."""
    try:
        run = run_of(passport)
        target = file or history_file()
        runs = [*read_history(target), run][-MOST_RUNS:]
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".history-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump({"format": FORMAT, "runs": [asdict(entry) for entry in runs]}, stream)
        os.replace(name, target)
    except (OSError, KeyError, TypeError, ValueError) as error:
        _log.debug("the history of runs was not written (%s)", type(error).__name__)


def run_of(passport: Passport) -> Run:
    """Take from a passport what is worth remembering.

    Raises:
        KeyError: when the passport tells too little (that of a test or of an older version).
    """
    engine, seconds = passport.engine, passport.seconds
    ensembles = engine["ensembles"]
    predict_s = float(seconds["predict"])
    return Run(
        network=network_words(
            [(network["name"], network["arguments"]) for entry in ensembles for network in entry["networks"]]
        ),
        preset=str(passport.options["preset"]),
        backend=str(engine["backend"]),
        # Where it ended up, not where it was meant to run.
        device=str(ensembles[-1]["ran_on"]),
        precision=str(engine["precision"]),
        threads=int(engine["threads"]),
        forward_voxels=sum(int(entry["forwards"]) * _voxels_at_once(entry) for entry in ensembles),
        predict_s=predict_s,
        other_s=round(sum(float(value) for value in seconds.values()) - predict_s, 4),
    )


def network_words(networks: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Name the networks of a package: time depends on them, not on their weights."""
    words = {f"{name} {json.dumps(dict(arguments), sort_keys=True)}" for name, arguments in networks}
    return " + ".join(sorted(words))


def _voxels_at_once(entry: Mapping[str, Any]) -> int:
    shape = entry["working_shape_zyx"]
    windows = entry["memory"].get("windows")
    size = [min(ours, whole) for ours, whole in zip(windows["size"], shape, strict=True)] if windows else shape
    return math.prod(int(count) for count in size)


def _run(entry: Mapping[str, Any]) -> Run:
    run = Run(**entry)
    numbers = (run.forward_voxels, run.predict_s, run.other_s)
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in numbers) or run.forward_voxels < 1:
        raise ValueError("a run without numbers")
    return run
