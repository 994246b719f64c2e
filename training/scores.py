"""Scores of labeled studies: by region and study, their statistics, and the file that keeps them.

The challenge rule for empty regions: both empty 1, one empty 0. Unknown regions are not scored. Beside the library.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.image.metrics import RegionScore

from .tasks import find_task

RESAMPLES, SEED = 2000, 20201121  # of the bootstrap
MEASURES = ("sensitivity", "specificity", "precision", "hausdorff95_mm", "volume_difference", "hausdorff_mm")
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class StudyScore:
    """Agreement of one study; each measure by known region, None where it is not defined.

    Args:
        study: its id.
        roles: sequences that went in.
        dice: 0 to 1.
        volume_ml: of the prediction.
        reference_ml: of the reference.
        hausdorff_mm, hausdorff95_mm: surface distances.
        sensitivity, specificity, precision: shares of voxels.
        volume_difference: as a share of the reference.
    """

    study: str
    roles: tuple[str, ...]
    dice: Mapping[str, float]
    volume_ml: Mapping[str, float]
    reference_ml: Mapping[str, float]
    hausdorff_mm: Values = field(default_factory=dict)
    hausdorff95_mm: Values = field(default_factory=dict)
    sensitivity: Values = field(default_factory=dict)
    specificity: Values = field(default_factory=dict)
    precision: Values = field(default_factory=dict)
    volume_difference: Values = field(default_factory=dict)

    @property
    def mean_dice(self) -> float:
        """Mean over the known regions; 0 when none is known."""
        return statistics.fmean(self.dice.values()) if self.dice else 0.0


def study_score(name: str, roles: Sequence[str], scores: Sequence[RegionScore]) -> StudyScore:
    """Give the score of a study from those of its regions."""
    by = {key: {one.region: getattr(one, key) for one in scores} for key in ("dice", "volume_ml", "reference_ml")}
    more = {key: {one.region: getattr(one, key) for one in scores} for key in MEASURES}
    return StudyScore(name, tuple(roles), by["dice"], by["volume_ml"], by["reference_ml"], **more)


@dataclass(frozen=True)
class Summary:
    """One measure of one region over the studies that define it: 95 % interval of the mean by bootstrap."""

    count: int
    mean: float
    sd: float
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class SetScore:
    """Agreement of one part of a set, with the command that prints it again."""

    task: str
    set_name: str
    part: str
    preset: str
    studies: tuple[StudyScore, ...]
    project: str = ""  # run folder of a training of somebody's own, beside the package
    recipe: str = ""  # whose folds were measured, each by the run that did not see it
    inputs: tuple[str, ...] = ()  # the only ones that went in; empty for all that a study has

    @property
    def command(self) -> str:
        """The command that prints these numbers again."""
        if self.recipe:
            return f"python -m training cross-validate {self.recipe} --set {self.set_name}"
        project = f" --project {self.project}" if self.project else ""
        preset = "" if self.preset == "balanced" else f" --preset {self.preset}"
        inputs = f" --inputs {','.join(self.inputs)}" if self.inputs else ""
        return (
            f"python -m training evaluate {self.task} --set {self.set_name} --part {self.part}{inputs}{preset}{project}"
        )

    def values(self, region: str, measure: str = "dice") -> list[float]:
        """Give a measure of every study that knows the region and defines it."""
        found = (getattr(score, measure).get(region) for score in self.studies)
        return [float(value) for value in found if value is not None]

    def regions(self) -> tuple[str, ...]:
        """Give the regions that some study knows, in the order of the task."""
        return tuple(name for name in find_task(self.task).regions if self.values(name))

    def means(self) -> dict[str, float]:
        """Give the mean Dice by region, for the regions that some study knows."""
        return {name: statistics.fmean(self.values(name)) for name in self.regions()}

    def summary(self, region: str, measure: str = "dice") -> Summary | None:
        """Give the statistics of a measure; None when no study defines it."""
        values = self.values(region, measure)
        return summarize(values) if values else None

    def ranked(self) -> dict[str, StudyScore]:
        """Give the best, the average and the worst study by mean Dice; fewer when there are not three."""
        order = sorted(self.studies, key=lambda one: one.mean_dice)
        places = {"best": len(order) - 1, "average": len(order) // 2, "worst": 0} if order else {}
        if len(order) < 3:
            places.pop("average", None)
        return {word: order[place] for word, place in places.items() if word != "worst" or len(order) > 1}


def summarize(values: Sequence[float]) -> Summary:
    """Give mean, standard deviation, median and 95 % interval of the mean.

    >>> summarize([0.5, 0.7, 0.9]).median
    0.7
    """
    array = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(SEED)
    means = array[generator.integers(len(array), size=(RESAMPLES, len(array)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    sd = float(array.std(ddof=1)) if len(array) > 1 else 0.0
    return Summary(len(array), float(array.mean()), sd, float(np.median(array)), float(low), float(high))


def write_json(score: SetScore, path: Path) -> None:
    """Keep the scores for the card of a package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(score), indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> SetScore:
    """Read what :func:`write_json` wrote."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    studies: Sequence[dict[str, Any]] = data.pop("studies")
    data["inputs"] = tuple(data.get("inputs", ()))
    return SetScore(**data, studies=tuple(StudyScore(**{**s, "roles": tuple(s["roles"])}) for s in studies))
