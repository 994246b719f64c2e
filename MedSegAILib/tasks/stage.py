"""One stage of a task: its ensembles see the case, each in its own preparation, and become one label map. Ring 3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.result import Probabilities
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback
from MedSegAILib.core.volume import Array
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.device import Plan
from MedSegAILib.engine.predict import Job, predict
from MedSegAILib.engine.views import View
from MedSegAILib.image.geometry import Box
from MedSegAILib.image.resample import resample

from .merge import merge
from .package import Ensemble, Package, Stage
from .prepare import Prepared, Trail, prepare
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
    """

    plan: Plan
    views: tuple[View, ...]
    progress: ProgressCallback
    cancel: Cancel
    watch: Stopwatch


@dataclass(frozen=True, eq=False)
class StageOutcome:
    """What a stage found.

    Args:
        labels: ``[z, y, x]`` on the native grid of the case's reference.
        probabilities: of the regions, mean over the ensembles, on the working grid of the first one.
        ensembles: facts for the passport.
    """

    labels: npt.NDArray[Any]
    probabilities: Probabilities
    ensembles: tuple[dict[str, Any], ...]


def run_stage(case: Case, package: Package, stage: Stage, means: Means) -> StageOutcome:
    """Run a stage on a checked case.

    Raises:
        MedSegAIError: as ``pipeline.segment``.
    """
    before = 0
    total = sum(len(ensemble.members) for ensemble in stage.ensembles) * len(means.views)
    trails: dict[str, Trail] = {}
    probabilities: dict[str, Array] = {}
    for ensemble in stage.ensembles:
        means.progress(Progress("prepare", 0, 1))
        with means.watch.step("prepare"):
            prepared = prepare(case, package.roles, ensemble.prepare)
        means.cancel.check()
        with means.watch.step("predict"):
            probabilities[ensemble.name] = _predict(prepared, package, ensemble, means, (before, total))
        trails[ensemble.name] = prepared.trail
        before += len(ensemble.members) * len(means.views)
    means.progress(Progress("decide", 0, 1))
    with means.watch.step("decide"):
        first = next(iter(trails.values()))
        box = _union([trail.box for trail in trails.values()])
        outcomes = {
            ensemble.name: dict(
                zip(
                    ensemble.channels,
                    trails[ensemble.name].undo(probabilities[ensemble.name], box),
                    strict=True,
                )
            )
            for ensemble in stage.ensembles
        }
        labels = first.place(merge(outcomes, stage.decide, stage.merge), box)
    means.cancel.check()
    return StageOutcome(
        labels,
        _mean_probabilities(stage, probabilities, trails),
        tuple(_facts(ensemble, trails[ensemble.name]) for ensemble in stage.ensembles),
    )


def _predict(
    prepared: Prepared, package: Package, ensemble: Ensemble, means: Means, passes: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Average the members; an ensemble has at least one."""
    shares = _shares(prepared, package, ensemble, means, passes)
    mean = next(shares)
    for share in shares:
        np.add(mean, share, out=mean)
    return np.clip(mean, 0.0, 1.0, out=mean)  # the sum of shares may be 1 + 1e-7


def _shares(
    prepared: Prepared, package: Package, ensemble: Ensemble, means: Means, passes: tuple[int, int]
) -> Iterator[npt.NDArray[np.float32]]:
    """Give for each network the mean of its members, weighted by their number."""
    before, total = passes
    for network, files in ensemble.by_network():
        job = Job(
            members=tuple(partial(package.weights, name) for name in files),
            network=NetworkSpec(network.name, network.arguments, package.graph(network)),
            plan=means.plan,
            views=means.views,
            activation=ensemble.activation,
        )

        def report(done: int, _total: int, before: int = before) -> None:
            means.progress(Progress("predict", before + done, total))

        share = predict(prepared.array, job, report, means.cancel)
        share *= np.float32(len(files) / len(ensemble.members))
        yield share
        before += job.forward_count


def _union(boxes: list[Box]) -> Box:
    sides = [slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in range(3)]
    return sides[0], sides[1], sides[2]


def _mean_probabilities(stage: Stage, probabilities: dict[str, Array], trails: dict[str, Trail]) -> Probabilities:
    names = stage.ensembles[0].channels
    grid = trails[stage.ensembles[0].name].working_grid
    same = []
    for ensemble in stage.ensembles:
        order = [ensemble.channels.index(name) for name in names]
        same.append(resample(probabilities[ensemble.name][order], trails[ensemble.name].working_grid, grid))
    mean: Array = same[0] if len(same) == 1 else np.asarray(np.mean(np.stack(same), axis=0, dtype=np.float32))
    return Probabilities(mean, names, np.array(grid.ijk_to_ras))


def _facts(ensemble: Ensemble, trail: Trail) -> dict[str, Any]:
    return {
        "name": ensemble.name,
        "members": list(ensemble.members),
        "working_shape_zyx": list(trail.working_grid.shape_zyx),
        "working_spacing_zyx_mm": [round(size, 6) for size in trail.working_grid.spacing_zyx_mm],
    }
