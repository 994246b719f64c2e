"""The longest time for which the window stands still over a whole journey, by a timer that ticks every 5 ms.

``python Testing/benchmarks/gui_pause.py``: four phantoms of 240 x 240 x 155 voxels (float32), the real panel and the
real worker with the shipped package: loaded (roles, and a look at each input), Segment, result, next place, accept, a
brush stroke, Export. The desktop is the stand-in of ``Testing/harness``, so Slicer's own drawing is not in the numbers.
Beside the pause by the clock stands the most that this thread computed between two ticks: on a machine that does other
things as well, the clock tells of those.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "MedSegAI")]

TICK_MS = 5


class Ticker:
    """Notes the longest time between two ticks, by the step of the journey."""

    def __init__(self) -> None:
        from PySide6 import QtCore

        self.longest_s: dict[str, float] = {}
        self.busiest_s: dict[str, float] = {}
        self.begin("")
        self._timer = QtCore.QTimer()
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def begin(self, step: str) -> None:
        """Count for another step from now on."""
        self._step, self._last, self._lastBusy = step, time.perf_counter(), time.thread_time()

    def _tick(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        self.longest_s[self._step] = max(self.longest_s.get(self._step, 0.0), now - self._last)
        self.busiest_s[self._step] = max(self.busiest_s.get(self._step, 0.0), busy - self._lastBusy)
        self._last, self._lastBusy = now, busy


def main() -> None:
    """Print the longest pause of each step."""
    from MedSegAILib.core.volume import Grid
    from Testing.harness.desktop import Desktop
    from Testing.harness.edits import brush
    from Testing.harness.mrml import addCase
    from Testing.makers.phantoms import make_case

    opened = Desktop(CHECKOUT / "MedSegAI")
    matrix = np.diag([1.0, 1.0, 1.0, 1.0])
    matrix[:3, 3] = -120, -120, -77
    case = make_case(Grid((155, 240, 240), matrix))
    nodes: dict[str, object] = {}
    opened.settle()
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    ticker = Ticker()
    steps = {
        "loaded": lambda: nodes.update(addCase(case)),
        "segment": lambda: opened.find("segmentButton").click(),
        "next place": lambda: opened.find("nextPlaceButton").click(),
        "accept": lambda: opened.find("acceptButton").click(),
        "brush": lambda: brush(opened.logicResult(), "WT", nodes["T1"]),
        "export": lambda: opened.find("exportButton").click(),
    }
    with tempfile.TemporaryDirectory() as folder:
        opened.find("exportDirectoryButton").setProperty("directory", folder)
        for step, act in steps.items():
            ticker.begin(step)
            act()
            if step == "loaded":
                ticker.begin(step)  # copying phantoms into nodes is no step of ours
            end = time.monotonic() + (300 if step == "segment" else 10 if step == "export" else 3)
            is_over = False
            while not is_over and time.monotonic() < end:
                opened.app.processEvents()
                time.sleep(0.001)  # a loop without rest runs into a fault of PySide6, see harness/widgets.py
                is_over = step == "segment" and opened.text("segmentButton") == "Segment"
            longest, busiest = 1000 * ticker.longest_s[step], 1000 * ticker.busiest_s[step]
            said = opened.text("statusLabel")[:60]
            print(f"{step:12s} longest pause {longest:6.0f} ms, computing {busiest:6.0f} ms   {said}")
    opened.close()


if __name__ == "__main__":
    main()
