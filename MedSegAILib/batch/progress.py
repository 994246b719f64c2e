"""How far a batch is, for the shell, for Python and for anybody who looks into its folder. Ring 6 (batch)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

PROGRESS_FILE = "progress.json"


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch is.

    Args:
        state: "checking", "computing", "reporting", "finished" or "stopped".
        total: studies of the batch.
        done: with a result, those of earlier runs too.
        failed: without one.
        seconds_left: None while nothing was computed yet in this run.
        study: that was heard of last.
        step: where it is ("predict 3/8"), while it is under way.
        outcome: "done", or the code of its error, once it is known.
    """

    state: str
    total: int
    done: int = 0
    failed: int = 0
    seconds_left: float | None = None
    study: str = ""
    step: str = ""
    outcome: str = ""


BatchProgressCallback = Callable[[BatchProgress], None]


def ignore_batch_progress(progress: BatchProgress) -> None:
    """Do nothing; the default callback."""


def write_progress(folder: Path, progress: BatchProgress) -> None:
    """Leave the progress where other processes can read it, whole at every moment."""
    from MedSegAILib.io.atomic import write_file  # late: the Python door loads this module and must stay light

    write_file(folder / PROGRESS_FILE, (json.dumps(asdict(progress), ensure_ascii=False) + "\n").encode())


class TimeLeft:
    """Foretells the end from the studies that were computed in this run.

    Args:
        total: studies that this run has to compute.
    """

    def __init__(self, total: int) -> None:
        self._total, self._computed = total, 0
        self._start_s = time.monotonic()

    def one_more(self) -> None:
        """Note that one more study came to its end, with a result or without."""
        self._computed += 1

    def seconds(self) -> float | None:
        """Give the seconds until the end; None before the first study."""
        if not self._computed:
            return None
        spent_s = time.monotonic() - self._start_s
        return round(spent_s / self._computed * (self._total - self._computed), 1)
