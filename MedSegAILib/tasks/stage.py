"""One stage of a task: its ensembles see the case, each in its own preparation, and become one label map. Ring 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.doubt import Doubt
from MedSegAILib.core.result import Probabilities
from MedSegAILib.core.run import Cancel, Progress
from MedSegAILib.core.volume import Array, Grid
from MedSegAILib.image.geometry import Box, reorientation_to
from MedSegAILib.image.resample import resample

from .decide import Surroundings
from .doubt import Evidence, content_on, find_doubt
from .ensemble import Means, PassCount, Seen, look
from .manifest import Ensemble, Stage, Step
from .merge import merge, probabilities_of, voting_shares
from .package import Package
from .prepare import Trail, prepare

DEFAULT_THRESHOLD = 0.5  # for doubt, of a stage that decides without one


@dataclass(frozen=True, eq=False)
class StageOutcome:
    """What a stage found.

    Args:
        labels: ``[z, y, x]`` on the native grid of the case's reference.
        probabilities: of the regions, mean over the ensembles, on the working grid of the first one.
        doubt: where it may be wrong.
        ensembles: facts for the passport.
        fallbacks: steps down that were taken, one sentence each.
    """

    labels: npt.NDArray[Any]
    probabilities: Probabilities
    doubt: Doubt
    ensembles: tuple[dict[str, Any], ...]
    fallbacks: tuple[str, ...]


def pass_count_of(stage: Stage, means: Means) -> int:
    """Give the looks by a member that a stage takes."""
    return sum(len(ensemble.members) for ensemble in stage.ensembles) * len(means.views)


def run_stage(
    case: Case, package: Package, stage: Stage, means: Means, count: PassCount, box: Box | None = None
) -> StageOutcome:
    """Run a stage on a checked case.

    Args:
        case: its volumes lie on one lattice.
        package: holds the weights.
        stage: one of the package's, with the members that take part.
        means: by what to run, and whom to tell.
        count: of the forwards of all stages.
        box: part of the reference's volume, in its own axis order, that alone is seen; None is all of it.

    Raises:
        MedSegAIError: as ``pipeline.segment``.
    """
    has_votes = pass_count_of(stage, means) > 1
    trails: dict[str, Trail] = {}
    seen: dict[str, Seen] = {}
    for ensemble in stage.ensembles:
        means.progress(Progress("prepare", 0, 1))
        with means.watch.step("prepare"):
            prepared = prepare(case, ensemble.inputs, ensemble.prepare, box, means.cancel)
        means.cancel.check()
        with means.watch.step("predict"):
            levels = [threshold_of(stage.decide, name) for name in ensemble.channels] if has_votes else None
            seen[ensemble.name] = look(prepared, package, ensemble, means, count, levels)
        trails[ensemble.name] = prepared.trail
    means.progress(Progress("decide", 0, 1))
    with means.watch.step("decide"):
        labels = _decide(stage, case, means.cancel, trails, seen)
    means.cancel.check()
    with means.watch.step("doubt"):
        common = _Common(stage, trails, {name: part.probabilities for name, part in seen.items()})
        evidence = _evidence(common, seen, content_on(common.grid, case) if package.is_head else None)
        doubt = find_doubt(evidence, package.scheme)
    means.cancel.check()
    return StageOutcome(
        labels,
        common.mean(),
        doubt,
        tuple(part.facts for part in seen.values()),
        tuple(dict.fromkeys(sentence for part in seen.values() for sentence in part.fallbacks)),
    )


def threshold_of(decide: Sequence[Step], region: str) -> float:
    """Give the probability above which a decision takes a voxel into a region, for counting votes.

    What is no number is left to the decision, which refuses it by name.
    """
    above = next((step.get("above") for step in decide if step.get("step") == "threshold"), None)
    level = above.get(region) if isinstance(above, Mapping) else above
    return float(level) if isinstance(level, (int, float)) else DEFAULT_THRESHOLD


def _decide(
    stage: Stage, case: Case, cancel: Cancel, trails: dict[str, Trail], seen: dict[str, Seen]
) -> npt.NDArray[Any]:
    first = trails[stage.ensembles[0].name]
    # Ensembles may look at slices of other planes: all come back in the axis order of the first.
    moved = {name: trail.in_order_of(first) for name, trail in trails.items()}
    box = _union([trail.box for trail in moved.values()])
    outcomes = {
        ensemble.name: dict(
            zip(ensemble.channels, moved[ensemble.name].undo(seen[ensemble.name].probabilities, box), strict=True)
        )
        for ensemble in stage.ensembles
    }

    def image() -> Array:
        axes = (reorientation_to(volume.grid, first.axes).apply(volume.array)[box] for volume in case.volumes.values())
        return np.stack([np.asarray(part, dtype=np.float32) for part in axes])

    around = Surroundings(first.reorientation.grid(first.native_grid).spacing_zyx_mm, image, cancel)
    return first.place(merge(outcomes, stage.decide, stage.merge, around), box)


def _union(boxes: list[Box]) -> Box:
    sides = [slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes)) for axis in range(3)]
    return sides[0], sides[1], sides[2]


class _Common:
    """What the ensembles see, on the working grid of the first one."""

    def __init__(self, stage: Stage, trails: dict[str, Trail], probabilities: dict[str, Array]) -> None:
        self._trails = trails
        self.stage = stage
        self.trail = trails[stage.ensembles[0].name]
        self.grid: Grid = self.trail.working_grid
        self.by_ensemble = {ensemble.name: self.regions(ensemble, probabilities) for ensemble in stage.ensembles}

    def regions(self, ensemble: Ensemble, arrays: dict[str, Array]) -> dict[str, Array]:
        """Give an ensemble's ``[k, z, y, x]`` by region on the common grid."""
        own = self._trails[ensemble.name].working_grid
        array = arrays[ensemble.name]
        moved = array if own.is_same_as(self.grid, 0.0) else resample(array, own, self.grid)
        return dict(zip(ensemble.channels, moved, strict=True))

    def mean(self) -> Probabilities:
        """Give the mean over the ensembles."""
        names = self.stage.ensembles[0].channels
        mean = probabilities_of(self.by_ensemble, self.stage.merge)
        return Probabilities(np.stack([mean[name] for name in names]), names, np.array(self.grid.ijk_to_ras))


def _evidence(common: _Common, seen: dict[str, Seen], content: Array | None) -> Evidence:
    stage = common.stage
    passes = {name: part.pass_count for name, part in seen.items()}
    counted = {name: part.votes for name, part in seen.items() if part.votes is not None}
    votes: dict[str, Array] = {}
    for ensemble in (ensemble for ensemble in stage.ensembles if ensemble.name in counted):
        for region, array in common.regions(ensemble, counted).items():
            share = voting_shares(passes, region, stage.merge).get(ensemble.name)
            if share is not None:
                votes[region] = votes.get(region, np.float32(0.0)) + array * np.float32(share)
    return Evidence(
        common.grid,
        merge(common.by_ensemble, stage.decide, stage.merge, Surroundings(common.grid.spacing_zyx_mm)),
        common.trail.native_grid,
        np.ones(common.grid.shape_zyx, dtype=bool) if content is None else content,
        votes,
        sum(passes.values()),
        {region: threshold_of(stage.decide, region) for region in votes},
    )
