"""What a package is worth on labeled studies, measured through the pipeline that users run. Beside the library.

Scores and their statistics stand in ``scores``, tables in ``score_tables``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from MedSegAILib import segment
from MedSegAILib.core.case import Case
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.metrics import evaluate_regions

from .datasets import find_studies, read_study
from .phantoms import draw_phantom
from .score_pictures import pair_png
from .score_tables import to_csv, to_page
from .scores import SetScore, StudyScore, study_score, write_json
from .tasks import find_task

logger = logging.getLogger(__name__)
UNSEEN_SEED = 900_000  # phantoms that train have seeds below
PHANTOM_COUNT = 20


@dataclass(frozen=True)
class Measured:
    """What is measured.

    Args:
        set_name: see ``datasets.SETS``; "phantom" draws studies from seeds that never train.
        part: "train" or "test".
        limit: only so many studies; None takes all, or 20 phantoms.
        inputs: show only these inputs of each study; studies that lack one are left out. Empty shows all.
    """

    set_name: str
    part: str
    limit: int | None = None
    inputs: tuple[str, ...] = ()


def evaluate_set(task: str, what: Measured, preset: str = "balanced", packages: Sequence[Path] = ()) -> SetScore:
    """Segment every study of a part of a set and score it.

    Args:
        task: an installed package.
        what: the studies.
        preset: of ``RunOptions``.
        packages: folders that are searched for the package before the usual ones.
    """
    options = RunOptions(preset=preset)  # type: ignore[arg-type]  # RunOptions refuses an unknown name
    scores = []
    for case, reference, known in labeled_cases(task, what.set_name, what.part, what.limit):
        if not set(what.inputs) <= set(case.volumes):
            continue
        shown = _shown(case, what.inputs) if what.inputs else case
        scores.append(evaluate_case(task, (shown, reference), known, options, packages))
        told = ", ".join(f"{name} {value:.3f}" for name, value in scores[-1].dice.items())
        logger.info("%s: %s", case.name, told)
    return SetScore(task, what.set_name, what.part, preset, tuple(scores), inputs=what.inputs)


def _shown(case: Case, inputs: Sequence[str]) -> Case:
    """Give a case with these inputs alone."""
    reference = case.reference if case.reference in inputs else ""
    return replace(case, volumes={role: case.volumes[role] for role in inputs}, reference=reference)


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
    return study_score(case.name, tuple(case.volumes), [score for score in found if score.region in known])


def pictures(score: SetScore, packages: Sequence[Path] = ()) -> dict[str, bytes]:
    """Draw the best, the average and the worst study: the result on the left, the reference on the right.

    Returns:
        PNG by what it shows.
    """
    wanted = {one.study: word for word, one in score.ranked().items()}
    drawn = {}
    for case, reference, known in labeled_cases(score.task, score.set_name, score.part, None):
        if case.name in wanted:
            options = RunOptions(preset=score.preset)  # type: ignore[arg-type]  # as above
            result = segment(case, score.task, options=options, packages=packages)
            dice = next(one for one in score.studies if one.study == case.name).dice
            told = ", ".join(f"{name} {value:.2f}" for name, value in dice.items() if name in known)
            words = f"{wanted[case.name]}: {case.name} ({told})"
            drawn[words] = pair_png(case, result, reference, words)
    return dict(sorted(drawn.items(), key=lambda item: ("best", "average", "worst").index(item[0].split(":")[0])))


def write_report(score: SetScore, folder: Path, packages: Sequence[Path] = ()) -> None:
    """Write ``scores.json``, ``scores.csv`` and ``scores.html`` with the best, the average and the worst study."""
    write_json(score, folder / "scores.json")
    (folder / "scores.csv").write_text(to_csv(score), encoding="utf-8")
    (folder / "scores.html").write_text(to_page(score, pictures(score, packages)), encoding="utf-8")
