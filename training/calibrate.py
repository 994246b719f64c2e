"""Calibration: thresholds and smallest volumes that suit studies which never trained; they go into the manifest.

One threshold a region, by the mean Dice over held-out train studies; then the smallest volume that a found piece must
have. What is no better than the usual threshold by ``LEAST_GAIN`` stays as it is: few studies invite luck. Only stages
that paint masks are calibrated; argmax has no threshold. Beside the library (training).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from MedSegAILib import segment
from MedSegAILib.core.result import Result
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.components import large_parts
from MedSegAILib.image.metrics import dice
from MedSegAILib.image.resample import resample

from .datasets import find_studies, read_study, region_masks
from .recipes.recipe import Recipe
from .tasks.task import Json, Task

logger = logging.getLogger(__name__)
USUAL = 0.5
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
SMALLEST_ML = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
LEAST_GAIN = 0.005


@dataclass(frozen=True, eq=False)
class Shown:
    """A held-out study: probabilities and reference of one region on the same voxels, and the volume of one of them."""

    probability: npt.NDArray[np.floating]
    reference: npt.NDArray[np.bool_]
    voxel_ml: float


@dataclass(frozen=True)
class Calibration:
    """What was chosen for a region, and the mean Dice before and after."""

    region: str
    threshold: float
    smallest_ml: float
    before: float
    after: float
    studies: int


def shown_studies(task: Task, folder: Path, recipe: Recipe) -> dict[str, list[Shown]]:
    """Run a package on the held-out studies of a recipe; give the regions of its stage, by name.

    Args:
        task: of the package.
        folder: of the package.
        recipe: its held-out studies belong to parts "train".
    """
    found: dict[str, list[Shown]] = {name: [] for name in recipe.channels}
    for set_name in (name for name in recipe.set_names if name != "phantom"):
        for study in find_studies(set_name, "train"):
            if study.name in recipe.held_out:
                case, reference = read_study(study, task)
                options = RunOptions(preset="fast", keep_probabilities=True)
                result = segment(case, task.name, options=options, packages=[folder])
                for name, shown in _shown(result, reference, task).items():
                    if name in study.known:
                        found[name].append(shown)
    return found


def _shown(result: Result, reference: Volume, task: Task) -> dict[str, Shown]:
    told = result.probabilities
    if told is None:
        return {}
    shape = told.array.shape
    grid = Grid((shape[1], shape[2], shape[3]), told.ijk_to_ras)
    names = tuple(name for name in told.regions if name in task.regions)
    masks = resample(region_masks(reference.array, task, names).astype(np.float32), reference.grid, grid) >= 0.5
    # Half precision is enough to compare with a threshold, and holds twice as many studies.
    return {
        name: Shown(told.array[told.regions.index(name)].astype(np.float16), mask, grid.voxel_volume_ml)
        for name, mask in zip(names, masks, strict=True)
    }


def calibrate_region(region: str, studies: Sequence[Shown]) -> Calibration:
    """Choose threshold and smallest volume of a region.

    Args:
        region: its name.
        studies: held-out ones that know the region; none leaves the usual values.
    """
    if not studies:
        return Calibration(region, USUAL, 0.0, 0.0, 0.0, 0)
    before = _score(studies, USUAL, 0.0)
    scores = {threshold: _score(studies, threshold, 0.0) for threshold in THRESHOLDS}
    # The middle one of equals: nearer to the usual.
    best = max(THRESHOLDS, key=lambda one: (scores[one], -abs(one - USUAL)))
    threshold = best if scores[best] >= before + LEAST_GAIN else USUAL
    by_size = {size: _score(studies, threshold, size) for size in SMALLEST_ML}
    size = max(SMALLEST_ML, key=lambda one: (by_size[one], -one))
    if by_size[size] < by_size[0.0] + LEAST_GAIN:
        size = 0.0
    return Calibration(region, threshold, size, before, by_size[size], len(studies))


def calibrated(task: Task, found: Mapping[str, Calibration]) -> Task:
    """Give the task whose last stage decides with what was found."""
    stage = task.stages[-1]
    steps: list[Json] = []
    for step in stage.decide:
        if step["step"] == "threshold":
            old = step["above"]
            names = old if isinstance(old, Mapping) else found
            steps.append({"step": "threshold", "above": {name: found[name].threshold for name in names}})
            sizes = {name: one.smallest_ml for name, one in found.items() if one.smallest_ml}
            steps += [{"step": "min_volume", "ml": sizes}] if sizes else []
        else:
            steps.append(dict(step))
    for one in found.values():
        logger.info(
            "%s: above %.2f, from %.2f mL on; mean Dice %.3f -> %.3f on %d held-out studies",
            one.region, one.threshold, one.smallest_ml, one.before, one.after, one.studies,
        )  # fmt: skip
    return replace(task, stages=(*task.stages[:-1], replace(stage, decide=tuple(steps))))


def can_be_calibrated(task: Task) -> bool:
    """Tell whether the last stage makes masks by thresholds."""
    return any(step["step"] == "threshold" for step in task.stages[-1].decide)


def _score(studies: Sequence[Shown], threshold: float, smallest_ml: float) -> float:
    total = 0.0
    for one in studies:
        mask = one.probability > threshold
        if smallest_ml:
            mask = large_parts(mask, smallest_ml / one.voxel_ml)
        total += dice(mask, one.reference)
    return total / len(studies)
