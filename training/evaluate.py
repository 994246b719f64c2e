"""What a package is worth on labeled studies: Dice by region and study, through the pipeline that users run.

The challenge rule for empty regions: both empty 1, one empty 0. Unknown regions are not scored. Beside the library.
"""

from __future__ import annotations

import json
import logging
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from MedSegAILib import segment
from MedSegAILib.core.case import Case
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.metrics import evaluate_regions

from .datasets import find_studies, read_study
from .phantoms import draw_phantom
from .tasks import find_task

logger = logging.getLogger(__name__)
UNSEEN_SEED = 900_000  # phantoms that train have seeds below
PHANTOM_COUNT = 20


@dataclass(frozen=True)
class StudyScore:
    """Agreement of one study.

    Args:
        study: its id.
        roles: sequences that went in.
        dice: by known region, 0 to 1.
        volume_ml: of the prediction, by known region.
        reference_ml: of the reference, by known region.
        hausdorff_mm, hausdorff95_mm: surface distances by known region; None where one surface is missing.
    """

    study: str
    roles: tuple[str, ...]
    dice: Mapping[str, float]
    volume_ml: Mapping[str, float]
    reference_ml: Mapping[str, float]
    hausdorff_mm: Mapping[str, float | None] = field(default_factory=dict)
    hausdorff95_mm: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class SetScore:
    """Agreement of one part of a set, with the command that prints it again."""

    task: str
    set_name: str
    part: str
    preset: str
    studies: tuple[StudyScore, ...]
    project: str = ""  # run folder of a training of somebody's own, beside the package

    @property
    def command(self) -> str:
        """The command that prints these numbers again."""
        project = f" --project {self.project}" if self.project else ""
        preset = "" if self.preset == "balanced" else f" --preset {self.preset}"
        return f"python -m training evaluate {self.task} --set {self.set_name} --part {self.part}{preset}{project}"

    def values(self, region: str) -> list[float]:
        """Give the Dice of every study that knows the region."""
        return [score.dice[region] for score in self.studies if region in score.dice]

    def regions(self) -> tuple[str, ...]:
        """Give the regions that some study knows, in the order of the task."""
        return tuple(name for name in find_task(self.task).regions if self.values(name))

    def means(self) -> dict[str, float]:
        """Give the mean Dice by region, for the regions that some study knows."""
        return {name: statistics.fmean(self.values(name)) for name in self.regions()}


def evaluate_set(
    task: str,
    set_name: str,
    part: str,
    preset: str = "balanced",
    limit: int | None = None,
    packages: Sequence[Path] = (),
) -> SetScore:
    """Segment every study of a part of a set and score it.

    Args:
        task: an installed package.
        set_name: see ``datasets.SETS``; "phantom" draws studies from seeds that never train.
        part: "train" or "test".
        preset: of ``RunOptions``.
        limit: only so many studies; None takes all, or 20 phantoms.
        packages: folders that are searched for the package before the usual ones.
    """
    options = RunOptions(preset=preset)  # type: ignore[arg-type]  # RunOptions refuses an unknown name
    scores = []
    for case, reference, known in labeled_cases(task, set_name, part, limit):
        scores.append(evaluate_case(task, (case, reference), known, options, packages))
        told = ", ".join(f"{name} {value:.3f}" for name, value in scores[-1].dice.items())
        logger.info("%s: %s", case.name, told)
    return SetScore(task, set_name, part, preset, tuple(scores))


def labeled_cases(
    task: str, set_name: str, part: str, limit: int | None
) -> Iterator[tuple[Case, Volume, tuple[str, ...]]]:
    """Give cases with their label map and the regions that it tells, one after the other."""
    facts = find_task(task)
    if set_name == "phantom":
        for seed in range(UNSEEN_SEED, UNSEEN_SEED + (limit or PHANTOM_COUNT)):
            yield (*draw_phantom(task, seed), tuple(facts.regions))
        return
    for study in find_studies(set_name, part)[:limit]:
        yield (*read_study(study, facts), study.known)


def evaluate_case(
    task: str, labeled: tuple[Case, Volume], known: tuple[str, ...], options: RunOptions, packages: Sequence[Path] = ()
) -> StudyScore:
    """Segment one case and score the regions that its reference tells."""
    case, reference = labeled
    result = segment(case, task, options=options, packages=packages)
    found = evaluate_regions(result.labels.array, reference.array, result.scheme, reference.grid)
    told = [score for score in found if score.region in known]
    return StudyScore(
        case.name,
        tuple(case.volumes),
        {score.region: score.dice for score in told},
        {score.region: score.volume_ml for score in told},
        {score.region: score.reference_ml for score in told},
        {score.region: score.hausdorff_mm for score in told},
        {score.region: score.hausdorff95_mm for score in told},
    )


def table(score: SetScore) -> str:
    """Give the scores as a Markdown table: a row for each study, then mean and median."""
    regions = score.regions()
    main = find_task(score.task).main_region
    lines = [
        f"| {score.set_name}, {score.part} | inputs | {' | '.join(regions)} | {main} ml (reference) |",
        "|---|---|" + "---|" * (len(regions) + 1),
    ]
    for one in score.studies:
        cells = " | ".join(f"{one.dice[name]:.3f}" if name in one.dice else "-" for name in regions)
        volume = f"{one.volume_ml[main]:.1f} ({one.reference_ml[main]:.1f})" if main in one.volume_ml else "-"
        lines.append(f"| {one.study} | {', '.join(one.roles)} | {cells} | {volume} |")
    for title, average in (("mean", statistics.fmean), ("median", statistics.median)):
        cells = " | ".join(f"**{average(score.values(name)):.3f}**" for name in regions)
        lines.append(f"| **{title}** | | {cells} | |")
    return "\n".join(lines) + "\n" + _distances(score, regions)


def _distances(score: SetScore, regions: Sequence[str]) -> str:
    """Give mean distances and volume differences as a second table; nothing when none was measured."""
    rows = []
    for name in regions:
        largest = [value for one in score.studies if (value := one.hausdorff_mm.get(name)) is not None]
        most = [value for one in score.studies if (value := one.hausdorff95_mm.get(name)) is not None]
        shares = [
            abs(one.volume_ml[name] - one.reference_ml[name]) / one.reference_ml[name]
            for one in score.studies
            if one.reference_ml.get(name)
        ]
        if largest and shares:
            numbers = (statistics.fmean(largest), statistics.fmean(most), statistics.fmean(shares))
            rows.append(f"| {name} | {numbers[0]:.1f} | {numbers[1]:.1f} | {numbers[2]:.3f} |")
    if not rows:
        return ""
    head = "| mean | Hausdorff mm | 95 % mm | volume difference, share of the reference |"
    return "\n".join(["", head, "|---|---|---|---|", *rows]) + "\n"


def write_json(score: SetScore, path: Path) -> None:
    """Keep the scores for the card of a package."""
    path.write_text(json.dumps(asdict(score), indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> SetScore:
    """Read what :func:`write_json` wrote."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    studies: Sequence[dict[str, Any]] = data.pop("studies")
    return SetScore(**data, studies=tuple(StudyScore(**{**s, "roles": tuple(s["roles"])}) for s in studies))
