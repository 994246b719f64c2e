"""What a package is worth on labeled studies: Dice by region and study, through the pipeline that users run.

The challenge rule for empty regions: both empty 1, one empty 0. Unknown regions are not scored. Beside the library.
"""

from __future__ import annotations

import json
import logging
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from MedSegAILib import segment
from MedSegAILib.core.run import RunOptions
from MedSegAILib.image.metrics import evaluate_regions

from .datasets import REGIONS, Study, find_studies, read_study

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyScore:
    """Agreement of one study.

    Args:
        study: its id.
        roles: sequences that went in.
        dice: by known region, 0 to 1.
        volume_ml: of the prediction, by known region.
        reference_ml: of the reference, by known region.
    """

    study: str
    roles: tuple[str, ...]
    dice: Mapping[str, float]
    volume_ml: Mapping[str, float]
    reference_ml: Mapping[str, float]


@dataclass(frozen=True)
class SetScore:
    """Agreement of one part of a set, with the command that prints it again."""

    task: str
    set_name: str
    part: str
    preset: str
    studies: tuple[StudyScore, ...]

    @property
    def command(self) -> str:
        """The command that prints these numbers again."""
        preset = "" if self.preset == "balanced" else f" --preset {self.preset}"
        return f"python -m training evaluate {self.task} --set {self.set_name} --part {self.part}{preset}"

    def values(self, region: str) -> list[float]:
        """Give the Dice of every study that knows the region."""
        return [score.dice[region] for score in self.studies if region in score.dice]

    def means(self) -> dict[str, float]:
        """Give the mean Dice by region, for the regions that some study knows."""
        return {name: statistics.fmean(found) for name in REGIONS if (found := self.values(name))}


def evaluate_set(task: str, set_name: str, part: str, preset: str = "balanced", limit: int | None = None) -> SetScore:
    """Segment every study of a part of a set and score it.

    Args:
        task: an installed package.
        set_name: see ``datasets.SETS``.
        part: "train" or "test".
        preset: of ``RunOptions``.
        limit: only so many studies; None takes all.
    """
    options = RunOptions(preset=preset)  # type: ignore[arg-type]  # RunOptions refuses an unknown name
    scores = []
    for study in find_studies(set_name, part)[:limit]:
        scores.append(evaluate_study(task, study, options))
        told = ", ".join(f"{name} {value:.3f}" for name, value in scores[-1].dice.items())
        logger.info("%s: %s", study.name, told)
    return SetScore(task, set_name, part, preset, tuple(scores))


def evaluate_study(task: str, study: Study, options: RunOptions) -> StudyScore:
    """Segment one study and score the regions that its reference tells."""
    case, reference = read_study(study)
    result = segment(case, task, options=options)
    found = evaluate_regions(result.labels.array, reference.array, result.scheme, reference.grid, surfaces=False)
    known = [score for score in found if score.region in study.known]
    return StudyScore(
        study.name,
        tuple(case.volumes),
        {score.region: score.dice for score in known},
        {score.region: score.volume_ml for score in known},
        {score.region: score.reference_ml for score in known},
    )


def table(score: SetScore) -> str:
    """Give the scores as a Markdown table: a row for each study, then mean and median."""
    regions = list(score.means())
    lines = [
        f"| {score.set_name}, {score.part} | sequences | {' | '.join(regions)} | WT ml (reference) |",
        "|---|---|" + "---|" * (len(regions) + 1),
    ]
    for one in score.studies:
        cells = " | ".join(f"{one.dice[name]:.3f}" if name in one.dice else "-" for name in regions)
        volume = f"{one.volume_ml['WT']:.1f} ({one.reference_ml['WT']:.1f})" if "WT" in one.dice else "-"
        lines.append(f"| {one.study} | {', '.join(one.roles)} | {cells} | {volume} |")
    for title, average in (("mean", statistics.fmean), ("median", statistics.median)):
        cells = " | ".join(f"**{average(score.values(name)):.3f}**" for name in regions)
        lines.append(f"| **{title}** | | {cells} | |")
    return "\n".join(lines) + "\n"


def write_json(score: SetScore, path: Path) -> None:
    """Keep the scores for the card of a package."""
    path.write_text(json.dumps(asdict(score), indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> SetScore:
    """Read what :func:`write_json` wrote."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    studies: Sequence[dict[str, Any]] = data.pop("studies")
    return SetScore(**data, studies=tuple(StudyScore(**{**s, "roles": tuple(s["roles"])}) for s in studies))
