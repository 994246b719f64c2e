"""One ensemble of a stage: its members look at the prepared case. Ring 3.

How several ensembles become one answer is the matter of ``stage``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.device import Plan
from MedSegAILib.engine.predict import Job, Prediction, Report, predict
from MedSegAILib.engine.slices import cut_of
from MedSegAILib.engine.sums import by_channel
from MedSegAILib.engine.views import View

from .manifest import Ensemble
from .package import Package
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
    """Counts forwards over all ensembles of all stages, so that one bar runs from start to end.

    Args:
        pass_count: looks by a member, over all ensembles and stages.
        progress: told of every forward.
    """

    def __init__(self, pass_count: int, progress: ProgressCallback) -> None:
        self._left = pass_count
        self._done = 0
        self._progress = progress

    def expect(self, pass_count: int) -> None:
        """Expect more passes, or fewer: a stage that looks again, or does not run."""
        self._left += pass_count

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
    prepared: Prepared,
    package: Package,
    ensemble: Ensemble,
    means: Means,
    count: PassCount,
    vote_above: Sequence[float] | None,
) -> Seen:
    """Let all members of an ensemble look at a prepared case.

    Args:
        prepared: the case as the ensemble wants it.
        package: holds the weights.
        ensemble: which members, which network.
        means: by what to run.
        count: of the stage's forwards.
        vote_above: for each of its channels, the probability above which a pass votes for it; None counts no votes.

    Raises:
        MedSegAIError: as ``engine.predict``.
    """
    passes = len(ensemble.members) * len(means.views)
    mean: npt.NDArray[np.float32] | None = None
    votes: npt.NDArray[np.float32] | None = None
    predictions = []
    for network, files in ensemble.by_network():
        job = Job(
            members=tuple(partial(package.weights, name) for name in files),
            network=NetworkSpec(network.name, network.arguments, package.graph(network)),
            plan=means.plan,
            views=means.views,
            activation=ensemble.activation,
            windows=cut_of(ensemble.window, prepared.trail.working_grid.shape_zyx),
            memory_bytes=means.memory_bytes,
            # A single pass has no share; its vote is taken from its probability.
            vote_above=tuple(vote_above) if vote_above and len(files) * len(means.views) > 1 else None,
        )
        prediction = predict(prepared.array, job, count.reporter(job.pass_count), means.cancel)
        share = len(files) / len(ensemble.members)
        if vote_above is not None:
            votes = _added(votes, _votes(prediction, vote_above), share)
        mean = _added(mean, prediction.probabilities, share)
        # Its arrays are part of the sums now, and need not stay.
        predictions.append(replace(prediction, probabilities=_NOTHING, votes=None))
    if mean is None:
        raise PackageError("package.members", "The package lists no members.", "Give at least one.")
    fallbacks = tuple(dict.fromkeys(sentence for part in predictions for sentence in part.fallbacks))
    return Seen(mean, votes, passes, fallbacks, _facts(ensemble, prepared, predictions))


_NOTHING = np.zeros((0, 0, 0, 0), np.float32)


def _votes(prediction: Prediction, above: Sequence[float]) -> npt.NDArray[np.float32]:
    if prediction.votes is not None:
        return prediction.votes
    return (prediction.probabilities > by_channel(above)).astype(np.float32)


def _added(
    total: npt.NDArray[np.float32] | None, part: npt.NDArray[np.float32], share: float
) -> npt.NDArray[np.float32]:
    """Add a share of a part in place; members of unlike networks count alike."""
    np.multiply(part, np.float32(share), out=part)
    if total is None:
        return part
    np.add(total, part, out=total)
    return np.clip(total, 0.0, 1.0, out=total)  # the sum of shares may be 1 + 1e-7


def _facts(ensemble: Ensemble, prepared: Prepared, predictions: Sequence[Prediction]) -> dict[str, Any]:
    grid = prepared.trail.working_grid
    largest = max(predictions, key=lambda part: part.memory.needed_bytes)
    return {
        "name": ensemble.name,
        "networks": [
            {"name": network.name, "arguments": dict(network.arguments)} for network, _ in ensemble.by_network()
        ],
        "members": list(ensemble.members),
        "working_shape_zyx": list(grid.shape_zyx),
        "working_spacing_zyx_mm": [round(size, 6) for size in grid.spacing_zyx_mm],
        "ran_on": predictions[-1].plan.device,
        "forwards": sum(part.forward_count for part in predictions),
        "memory": largest.memory.to_json(),
    }
