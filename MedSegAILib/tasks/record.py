"""Facts for the passport: what went in, how long each step took, how much memory. Ring 3."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Volume


class Stopwatch:
    """Seconds by step, in the order in which the steps ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block and add it to the step of that name."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._add(name, time.perf_counter() - start)

    def add(self, other: Stopwatch) -> None:
        """Add the seconds of another watch, step by step."""
        for name, seconds in other.seconds.items():
            self._add(name, seconds)

    def _add(self, name: str, seconds: float) -> None:
        self.seconds[name] = round(self.seconds.get(name, 0.0) + seconds, 4)


def describe_inputs(case: Case) -> dict[str, Any]:
    """Give shape, spacing and checksum of every input by role; no name, no path, nothing of the patient."""
    return {role: _describe(volume) for role, volume in case.volumes.items()}


def _describe(volume: Volume) -> dict[str, Any]:
    digest = hashlib.sha256()
    digest.update(str(volume.array.dtype).encode())
    digest.update(np.round(volume.grid.ijk_to_ras, 6).tobytes())
    digest.update(np.ascontiguousarray(volume.array).data)
    return {
        "sha256": digest.hexdigest(),
        "shape_zyx": list(volume.grid.shape_zyx),
        "spacing_zyx_mm": [round(size, 6) for size in volume.grid.spacing_zyx_mm],
    }


def peak_memory_mb() -> float:
    """Give the largest resident memory of this process so far, in MB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows has no such module
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)
