"""How far a run is and how long it still takes, from the steps that it reports. Ring 9 (scene); no Qt, no MRML."""

from __future__ import annotations

import time
from collections.abc import Callable

from MedSegAILib.core.run import Progress

# Share of a run that is over when a stage begins, and when it ends. Prediction is nearly all of it.
_SPANS = {
    "check": (0.0, 0.01),
    "repair": (0.01, 0.02),
    "prepare": (0.02, 0.08),
    "predict": (0.08, 0.97),
    "decide": (0.97, 1.0),
    "done": (1.0, 1.0),
}
_SMALLEST_SHARE = 0.02  # of the prediction; before it an estimate would jump


class TimeLeft:
    """Turns steps into a share of the whole run and an estimate of the seconds left.

    Args:
        clock: gives seconds; another one is used in tests.

    The estimate uses the prediction alone: its units are equal network passes, the other steps are short.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._predictionBegan: float | None = None
        self.share = 0.0

    def update(self, progress: Progress) -> float:
        """Take one step.

        Returns:
            Share of the run that is done, 0 to 1; it never goes back.
        """
        begin, end = _SPANS.get(progress.stage, (self.share, self.share))
        if progress.stage == "predict" and self._predictionBegan is None:
            self._predictionBegan = self._clock()
        inside = progress.done / progress.total if progress.total > 0 else 0.0
        self.share = max(self.share, begin + (end - begin) * min(inside, 1.0))
        return self.share

    def seconds(self) -> float | None:
        """Give the estimated seconds until the end; None while nothing is known."""
        if self._predictionBegan is None:
            return None
        begin = _SPANS["predict"][0]
        done = self.share - begin
        if done < _SMALLEST_SHARE:
            return None
        elapsed_s = self._clock() - self._predictionBegan
        return elapsed_s * (1.0 - self.share) / done
