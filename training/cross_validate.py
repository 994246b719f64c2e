"""What a recipe is worth on studies that did not train it: every study of a set is held out once.

Each fold trains a run of its own, becomes a package in the run's folder, and segments the studies that it did not see
by the pipeline that users run. Folds stand in a file, grouped by patient, and are never made a second time; a fold
that is whole is not trained again. Beside the library (training).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions

from .cache import load_training
from .datasets import find_studies, read_study
from .evaluate import SetScore, StudyScore, evaluate_case
from .export import export_runs
from .folds import FOLDS, keep_folds
from .loop import RunSettings, train
from .recipes.recipe import Recipe
from .run import Run, read_run
from .tasks import find_task
from .tasks.task import EnsemblePlan, StagePlan, Task

logger = logging.getLogger(__name__)
FOLDS_FILE = "folds.json"


@dataclass(frozen=True)
class Validation:
    """How to cross-validate.

    Args:
        set_name: the set whose train studies are held out in turn; other sets of the recipe train every fold.
        folder: of the folds' runs and their list.
        folds: how many, five as in the paper; at most one a patient.
        steps: of each training; None takes the recipe's.
    """

    set_name: str
    folder: Path
    folds: int = FOLDS
    steps: int | None = None


def cross_validate(recipe: Recipe, plan: Validation) -> SetScore:
    """Train every fold that is not whole yet and score the studies that it held out.

    Args:
        recipe: of a task of one stage; what it holds out itself trains here, but where it is its turn.
        plan: set, folder, folds, length.

    Returns:
        Scores of all train studies of the set, part "cross-validation".

    Raises:
        UsageError: "training.folds_set" when the set does not train the recipe, "training.stages" for a cascade.
    """
    if plan.set_name not in recipe.set_names:
        raise UsageError(
            "training.folds_set",
            f"{recipe.name} does not train on {plan.set_name!r}.",
            f"Choose one of {', '.join(name for name in recipe.set_names if name != 'phantom')}.",
        )
    task = alone(find_task(recipe.task), recipe)
    studies = {study.name: study for study in find_studies(plan.set_name, "train")}
    folds = keep_folds(plan.folder / FOLDS_FILE, list(studies), count=plan.folds)
    scores: list[StudyScore] = []
    for number, names in enumerate(folds.folds):
        folder = plan.folder / f"fold-{number}"
        run = _run(replace(recipe, held_out=names), RunSettings(folder, steps=plan.steps))
        export_runs(task, lambda _, run=run: run, folder / "packages" / task.name)  # type: ignore[misc]
        for name in names:
            labeled = read_study(studies[name], task)
            score = evaluate_case(task.name, labeled, studies[name].known, RunOptions(), packages=[folder / "packages"])
            logger.info("fold %d, %s: %s", number, name, {key: round(value, 3) for key, value in score.dice.items()})
            scores.append(score)
    return SetScore(task.name, plan.set_name, "cross-validation", "balanced", tuple(scores))


def alone(task: Task, recipe: Recipe) -> Task:
    """Give the task with this recipe as its only member.

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
    only = StagePlan(stage.name, (EnsemblePlan(stage.ensembles[0].name, (recipe.name,)),), stage.decide)
    return replace(task, stages=(only,), travels=False)


def _run(recipe: Recipe, settings: RunSettings) -> Run:
    samples, held_out = load_training(recipe)
    train(recipe, samples, held_out, settings)
    return read_run(recipe, settings.folder)
