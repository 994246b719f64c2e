"""One ensemble of a stage: its members look at the prepared case. Ring 3.

How several ensembles become one answer is the matter of ``stage``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.run import Cancel, Progress, ProgressCallback
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.device import Plan
from MedSegAILib.engine.predict import Job, Prediction, Report, predict
from MedSegAILib.engine.views import View
from MedSegAILib.engine.windows import Windows

from .package import Ensemble, Package
from .prepare import Prepared
from .record import Stopwatch


@dataclass(frozen=True, eq=False)
class Means:
    """By what a stage runs, and whom it tells.

    Args:
        plan: backend, device, precision, threads.
        views: looks at the case by each member.
        progress: told of every step.
        cancel: checked between any two passes.
        watch: takes the seconds.
        memory_bytes: what a run on the CPU may take; 0 asks the system what is free.
    """

    plan: Plan
    views: tuple[View, ...]
    progress: ProgressCallback
    cancel: Cancel
    watch: Stopwatch
    memory_bytes: int = 0


@dataclass(frozen=True, eq=False)
class Seen:
    """What an ensemble sees.

    Args:
        probabilities: ``[k, z, y, x]``, float32, on the working grid.
        votes: share of its passes above the threshold, likewise; None when the stage has one pass only.
        pass_count: looks by a member.
        fallbacks: steps down that were taken, one sentence each.
        facts: for the passport.
    """

    probabilities: npt.NDArray[np.float32]
    votes: npt.NDArray[np.float32] | None
    pass_count: int
    fallbacks: tuple[str, ...]
    facts: dict[str, Any]


class PassCount:
    """Counts forwards over all ensembles of a stage, so that one bar runs from start to end.

    Args:
        pass_count: looks by a member, over all ensembles.
        progress: told of every forward.
    """

    def __init__(self, pass_count: int, progress: ProgressCallback) -> None:
        self._left = pass_count
        self._done = 0
        self._progress = progress

    def reporter(self, pass_count: int) -> Report:
        """Give what the next ``pass_count`` passes report to."""
        self._left -= pass_count
        before, left = self._done, self._left

        def report(done: int, total: int) -> None:
            # What is still to come is taken to need as many windows as this.
            self._done = before + done
            self._progress(Progress("predict", self._done, before + total + left * (total // pass_count)))

        return report


def look(
    prepared: Prepared, package: Package, ensemble: Ensemble, means: Means, count: PassCount, vote_above: float | None
) -> Seen:
    """Let all members of an ensemble look at a prepared case.

    Args:
        prepared: the case as the ensemble wants it.
        package: holds the weights.
        ensemble: which members, which network.
        means: by what to run.
        count: of the stage's forwards.
        vote_above: the probability above which a pass votes for a region; None counts no votes.

    Raises:
        MedSegAIError: as ``engine.predict``.
    """
    passes = len(ensemble.members) * len(means.views)
    job = Job(
        members=tuple(partial(package.weights, name) for name in ensemble.members),
        network=NetworkSpec(ensemble.network, ensemble.arguments, package.graph(ensemble)),
        plan=means.plan,
        views=means.views,
        activation=ensemble.activation,
        windows=Windows.from_manifest(ensemble.window) if ensemble.window else None,
        memory_bytes=means.memory_bytes,
        vote_above=vote_above if passes > 1 else None,
    )
    prediction = predict(prepared.array, job, count.reporter(passes), means.cancel)
    votes = prediction.votes
    if vote_above is not None and votes is None:
        votes = (prediction.probabilities > vote_above).astype(np.float32)
    return Seen(prediction.probabilities, votes, passes, prediction.fallbacks, _facts(ensemble, prepared, prediction))


def _facts(ensemble: Ensemble, prepared: Prepared, prediction: Prediction) -> dict[str, Any]:
    grid = prepared.trail.working_grid
    return {
        "name": ensemble.name,
        "network": ensemble.network,
        "arguments": dict(ensemble.arguments),
        "members": list(ensemble.members),
        "working_shape_zyx": list(grid.shape_zyx),
        "working_spacing_zyx_mm": [round(size, 6) for size in grid.spacing_zyx_mm],
        "ran_on": prediction.plan.device,
        "forwards": prediction.forward_count,
        "memory": prediction.memory.to_json(),
    }
