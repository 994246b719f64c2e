"""What a recipe is worth on studies that did not train it: every study of a set is held out once.

Each fold trains a run of its own, becomes a package in the run's folder, and segments the studies that it did not see
by the pipeline that users run. Folds stand in a file, grouped by patient, and are never made a second time; a fold
that is whole is not trained again. Two recipes, A and B, are merged by the paper's Table 1, or by the mean of their
probabilities. Beside the library.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.tasks.importers.brats2020_task import TABLE_1

from .cache import load_training
from .datasets import SETS, find_studies, read_groups, read_study, root_of
from .devices import Hardware
from .evaluate import evaluate_case
from .export import export_runs
from .folds import FOLDS, Folds, keep_folds
from .loop import RunSettings, train
from .recipes.recipe import Recipe
from .run import Run, read_run
from .scores import SetScore, StudyScore
from .tasks import find_task
from .tasks.task import EnsemblePlan, StagePlan, Task

logger = logging.getLogger(__name__)
FOLDS_FILE = "folds.json"
PART = "cross-validation"
MERGES: dict[str, dict[str, Any]] = {"table-1": TABLE_1, "mean": {"rule": "mean"}}

# Dice of the paper by region: design page "brats2020", Tables 2 (369 studies, width 48) and 3 (125 online).
PAPER: dict[str, dict[str, float]] = {
    "Table 2, A": {"ET": 0.8077, "TC": 0.8705, "WT": 0.9070},
    "Table 2, A, cases removed": {"ET": 0.8126, "TC": 0.8686, "WT": 0.9043},
    "Table 2, A with attention": {"ET": 0.8144, "TC": 0.8701, "WT": 0.9037},
    "Table 3, A": {"ET": 0.80585, "TC": 0.85415, "WT": 0.89518},
    "Table 3, B": {"ET": 0.72738, "TC": 0.84921, "WT": 0.91123},
    "Table 3, merged": {"ET": 0.80585, "TC": 0.85416, "WT": 0.91148},
}


@dataclass(frozen=True)
class Validation:
    """How to cross-validate.

    Args:
        set_name: the set whose train studies are held out in turn; other sets of the recipe train every fold.
        folder: of the folds' runs and their list.
        folds: how many, five as in the paper; at most one a patient.
        steps: of each training; None takes the recipe's.
        merge: key of ``MERGES``: how two recipes become one result.
    """

    set_name: str
    folder: Path
    folds: int = FOLDS
    steps: int | None = None
    merge: str = "table-1"


def cross_validate(recipe: Recipe, plan: Validation, partner: tuple[Recipe, Path] | None = None) -> SetScore:
    """Train every fold that is not whole yet and score the studies that it held out.

    Args:
        recipe: of a task of one stage; what it holds out itself trains here, but where it is its turn.
        plan: set, folder, folds, length.
        partner: a second recipe and the folder of its folds; both are merged as the plan says.

    Returns:
        Scores of all train studies of the set, part "cross-validation".

    Raises:
        UsageError: "training.folds_set" when the set does not train the recipe, "training.stages" for a cascade.
    """
    both = [(recipe, plan.folder), *([partner] if partner else [])]
    names = [one.name for one, _ in both]
    task = alone(find_task(recipe.task), recipe, partner[0] if partner else None, plan.merge)
    folds = folds_of(recipe, plan)
    studies = {study.name: study for study in find_studies(plan.set_name, "train")}
    scores: list[StudyScore] = []
    for number, held_out in enumerate(folds.folds):
        runs = {one.name: run_fold(one, replace(plan, folder=folder), number) for one, folder in both}
        packages = plan.folder / f"fold-{number}" / (f"merged-{plan.merge}" if partner else "packages")
        export_runs(task, runs.__getitem__, packages / task.name)
        for name in held_out:
            labeled = read_study(studies[name], task)
            score = evaluate_case(task.name, labeled, studies[name].known, RunOptions(), packages=[packages])
            logger.info("fold %d, %s: %s", number, name, {key: round(value, 3) for key, value in score.dice.items()})
            scores.append(score)
    merge = ["--merge", plan.merge] if partner and plan.merge != Validation.merge else []
    return SetScore(task.name, plan.set_name, PART, "balanced", tuple(scores), recipe=" ".join([*names, *merge]))


def folds_of(recipe: Recipe, plan: Validation) -> Folds:
    """Give the folds of a set, of the file in the plan's folder; made there once, by patient.

    Raises:
        UsageError: "training.folds_set". InputError: "folds.changed", "folds.file".
    """
    if plan.set_name not in recipe.set_names:
        raise UsageError(
            "training.folds_set",
            f"{recipe.name} does not train on {plan.set_name!r}.",
            f"Choose one of {', '.join(name for name in recipe.set_names if name != 'phantom')}.",
        )
    names = [study.name for study in find_studies(plan.set_name, "train")]
    groups = read_groups(root_of(SETS[plan.set_name]))
    return keep_folds(plan.folder / FOLDS_FILE, names, groups, count=plan.folds)


def run_fold(recipe: Recipe, plan: Validation, number: int, hardware: Hardware | None = None) -> Run:
    """Train a fold, or go on with it; several machines may train one each.

    Raises:
        UsageError: "training.fold" for a number that there is not.
    """
    fold = replace(recipe, held_out=folds_of(recipe, plan).held_out(number))
    settings = RunSettings(plan.folder / f"fold-{number}", steps=plan.steps, hardware=hardware or Hardware())
    samples, held_out = load_training(fold)
    train(fold, samples, held_out, settings)
    return read_run(fold, settings.folder)


def beside_the_paper(scores: Sequence[SetScore]) -> str:
    """Give Markdown: our mean Dice and deviation by set, above what the paper prints."""
    regions = ("ET", "TC", "WT")
    lines = [f"| | studies | {' | '.join(regions)} |", "|---|---|---|---|---|"]
    for score in scores:
        cells = []
        for name in regions:
            summary = score.summary(name)
            cells.append("-" if summary is None else f"{summary.mean:.3f} (sd {summary.sd:.3f})")
        lines.append(f"| {score.recipe} on {score.set_name} | {len(score.studies)} | {' | '.join(cells)} |")
    for title, values in PAPER.items():
        count = 369 if "2" in title.split(",")[0] else 125
        lines.append(f"| paper, {title} | {count} | {' | '.join(f'{values[name]:.3f}' for name in regions)} |")
    return "\n".join(lines) + "\n"


def alone(task: Task, recipe: Recipe, partner: Recipe | None = None, merge: str = Validation.merge) -> Task:
    """Give the task with this recipe as its only member, or with a second ensemble, merged by one of ``MERGES``.

    Raises:
        UsageError: "training.stages" for a task of several stages.
    """
    if len(task.stages) > 1:
        raise UsageError(
            "training.stages",
            f"{task.name} has {len(task.stages)} stages; one recipe alone is no package of it.",
            "Cross-validate a task of one stage.",
        )
    (stage,) = task.stages
    name = "A" if partner else stage.ensembles[0].name
    ensembles = [EnsemblePlan(name, (recipe.name,))]
    ensembles += [EnsemblePlan("B", (partner.name,))] if partner else []
    only = StagePlan(stage.name, tuple(ensembles), stage.decide, {"merge": MERGES[merge]} if partner else {})
    return replace(task, stages=(only,), travels=False)
