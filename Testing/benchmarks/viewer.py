"""What the browser viewer costs: seconds until its address, its page and its pictures; memory before and after a run.

    python Testing/benchmarks/viewer.py [STUDY]

Real process, real browser; the sample study by default. The browser's own memory is not counted, the worker's is told
beside the viewer's. Needs the extra ``web`` and Chromium.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT)]

import psutil  # noqa: E402

from Testing.harness.viewer import looking, serving, whyNot  # noqa: E402

MB = 1e6


def cost_of(module: str) -> str:
    """Memory and processor time of the process of a module that this one has started."""
    for process in psutil.Process().children(recursive=True):
        if module in process.cmdline():
            used = process.cpu_times()
            return f"{process.memory_info().rss / MB:.0f} MB, {used.user + used.system:.0f} processor seconds"
    return "not started"


def told(words: str, seconds: float) -> None:
    print(f"{words:42s} {seconds:6.1f} s")


def measure(study: Path) -> None:
    start = time.monotonic()
    with serving(study) as address:
        told("address told", time.monotonic() - start)
        with looking(address) as viewer:
            told("page there (browser started meanwhile)", time.monotonic() - start)
            viewer.page.wait_for_timeout(3000)
            print(f"viewer {cost_of('MedSegAISlicer.web')} with the study open")
            start = time.monotonic()
            viewer.press("Segment")
            viewer.waitFor("[data-region]")
            told("Segment to regions in the table", time.monotonic() - start)
            viewer.page.locator(".surface-hint").wait_for(state="hidden")
            told("Segment to surfaces", time.monotonic() - start)
            start = time.monotonic()
            viewer.press("Next doubt")
            viewer.waitFor("#place:has-text('Place 1 of')")
            told("Next doubt to its words", time.monotonic() - start)
            viewer.page.wait_for_timeout(3000)
            print(f"viewer {cost_of('MedSegAISlicer.web')} with the result, its surfaces and places")
            print(f"worker {cost_of('MedSegAILib.worker.server')}")
            viewer.choose(next(iter(viewer.regions())))
            before = viewer.regions()
            name = next(iter(before))
            viewer.press("Paint")
            viewer.waitFor("button.v-btn--active:has-text('Paint')")
            viewer.page.wait_for_timeout(1000)
            start = time.monotonic()
            viewer.stroke("Axial", (0.40, 0.20), (0.55, 0.20))
            viewer.waitForVolume(name, lambda ml: ml != before[name][0])
            told("stroke (0.5 s of it drawing) to its mL", time.monotonic() - start)


if __name__ == "__main__":
    if whyNot():
        sys.exit(f"The viewer cannot be driven here: {whyNot()}.")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    measure(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "Resources" / "SampleData" / "brain-tumor")
