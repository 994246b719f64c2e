"""Seconds from Segment to the first, coarse overlay, with a warm worker, beside those of the whole run.

``python Testing/benchmarks/first_look.py``: four phantoms of 240 x 240 x 155 voxels (float32), the shipped package, the
real worker. The first run warms the worker up. Beside the clock stand the seconds that the worker computed: on a
machine that does other things as well the clock tells of those. Dice: the first look against the result of the run.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

TASK = "brain-tumor"


def main() -> None:
    """Print one line a preset."""
    from MedSegAILib.core.run import RunOptions
    from MedSegAILib.core.volume import Grid
    from MedSegAILib.worker.client import WorkerClient
    from Testing.makers.phantoms import make_case

    matrix = np.eye(4)
    matrix[:3, 3] = -120, -120, -77
    case = make_case(Grid((155, 240, 240), matrix))
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    with WorkerClient() as client:
        client.segment(case, TASK, RunOptions(preset="fast"))
        worker = psutil.Process(client.worker_pid)
        for preset in ("fast", "balanced", "best"):
            began_s, computed_before_s = time.perf_counter(), _computed_s(worker)

            def seconds(began_s: float = began_s, before_s: float = computed_before_s) -> str:
                return f"{time.perf_counter() - began_s:5.1f} s ({_computed_s(worker) - before_s:4.1f} s computed)"

            shown: list[tuple[Any, str]] = []
            job = client.segment_async(case, TASK, RunOptions(preset=preset), first_look=True)
            job.on_provisional = lambda result, to=shown, took=seconds: to.append((result, took()))
            while not job.is_finished:
                client.poll(0.02)
            first, first_seconds = shown[0]
            dice = _dice(first, job.result)
            print(f"{preset:9s} first look {first_seconds}, run {seconds()}, Dice of the whole tumor {dice:.2f}")


def _computed_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _dice(first: Any, result: Any) -> float:
    one, other = first.region_mask("WT"), result.region_mask("WT")
    return float(2 * np.count_nonzero(one & other) / max(np.count_nonzero(one) + np.count_nonzero(other), 1))


if __name__ == "__main__":
    main()
