<<<<<<< HEAD
"""Cross-validation: every fold trained without its studies, and each study measured by the run that never saw it.

The folds lie beside the runs and are made once. One recipe alone, or two whose label maps are merged by the paper's
Table 1. Beside the library (training).
=======
"""What a recipe is worth on studies that did not train it: every study of a set is held out once.

Each fold trains a run of its own, becomes a package in the run's folder, and segments the studies that it did not see
by the pipeline that users run. Folds stand in a file, grouped by patient, and are never made a second time; a fold
that is whole is not trained again. Two recipes, A and B, are merged by the paper's Table 1. Beside the library.
>>>>>>> training
"""

from __future__ import annotations

<<<<<<< HEAD
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
=======
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
>>>>>>> training
from pathlib import Path

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.tasks.importers.brats2020_task import TABLE_1

<<<<<<< HEAD
from .checkpoint import CHECKPOINT
from .datasets import SETS, find_studies, read_groups, read_study, root_of
from .evaluate import evaluate_case
from .export import export_runs
from .folds import Folds, keep_folds
from .recipes import find_recipe
=======
from .cache import load_training
from .datasets import SETS, find_studies, read_groups, read_study, root_of
from .devices import Hardware
from .evaluate import evaluate_case
from .export import export_runs
from .folds import FOLDS, Folds, keep_folds
from .loop import RunSettings, train
>>>>>>> training
from .recipes.recipe import Recipe
from .run import Run, read_run
from .scores import SetScore, StudyScore
from .tasks import find_task
<<<<<<< HEAD
from .tasks.task import EnsemblePlan, Task
=======
from .tasks.task import EnsemblePlan, StagePlan, Task

logger = logging.getLogger(__name__)
FOLDS_FILE = "folds.json"
PART = "cross-validation"
>>>>>>> training

# Dice of the paper by region: design page "brats2020", Tables 2 (369 studies, width 48) and 3 (125 online).
PAPER: dict[str, dict[str, float]] = {
    "Table 2, A": {"ET": 0.8077, "TC": 0.8705, "WT": 0.9070},
    "Table 2, A, cases removed": {"ET": 0.8126, "TC": 0.8686, "WT": 0.9043},
    "Table 2, A with attention": {"ET": 0.8144, "TC": 0.8701, "WT": 0.9037},
    "Table 3, A": {"ET": 0.80585, "TC": 0.85415, "WT": 0.89518},
    "Table 3, B": {"ET": 0.72738, "TC": 0.84921, "WT": 0.91123},
    "Table 3, merged": {"ET": 0.80585, "TC": 0.85416, "WT": 0.91148},
}


<<<<<<< HEAD
def folds_of(recipe: Recipe, runs: Path, splits: Path | None = None) -> Folds:
    """Give the folds of a recipe's studies: of the file that is named, else of one beside the runs.

    All recipes on the same sets share one file, so that their results can be merged study by study.

    Raises:
        InputError: "folds.changed", "folds.file".
    """
    names = [name for name in recipe.set_names if name != "phantom"]
    studies = [study.name for set_name in names for study in find_studies(set_name, "train")]
    groups: dict[str, str] = {}
    for set_name in names:
        groups.update(read_groups(root_of(SETS[set_name])))
    return keep_folds(splits or runs / f"folds-{'-'.join(sorted(names))}.json", studies, groups)


def fold_recipe(recipe: Recipe, folds: Folds, number: int) -> Recipe:
    """Give the recipe of one fold: it holds the fold's studies out, and its run has a folder of its own.

    Raises:
        UsageError: "training.fold".
    """
    return replace(recipe, name=f"{recipe.name}-fold{number}", held_out=folds.held_out(number))


def cross_validate(recipes: Sequence[Recipe], runs: Path, folds: Folds, preset: str = "balanced") -> list[SetScore]:
    """Measure every fold that has a run, each study once.

    Args:
        recipes: one, or A and B whose label maps are merged.
        runs: holds a folder for each fold.
        folds: of the studies.
        preset: of ``RunOptions``.

    Returns:
        Scores by set; folds without a run are left out.

    Raises:
        UsageError: "training.no_folds" when no fold was trained.
    """
    found: dict[str, list[StudyScore]] = {}
    task = _alone(find_task(recipes[0].task), recipes)
    trained = [number for number in range(len(folds.folds)) if _is_trained(recipes, runs, folds, number)]
    if not trained:
        raise UsageError(
            "training.no_folds",
            f"No fold of {recipes[0].name} was trained.",
            f"Train them: python -m training train {recipes[0].name} --fold 0, and so on.",
        )
    for number in trained:
        by_name = {one.name: read_run(one, runs / fold_recipe(one, folds, number).name) for one in recipes}
        for set_name, score in _fold_scores(task, by_name, folds.held_out(number), preset):
            found.setdefault(set_name, []).append(score)
    name = " ".join(one.name for one in recipes)
    words = f"cross-validated, {len(trained)} of {len(folds.folds)} folds"
    return [
        SetScore(task.name, set_name, words, preset, tuple(scores), recipe=name) for set_name, scores in found.items()
    ]
=======
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


def cross_validate(recipe: Recipe, plan: Validation, partner: tuple[Recipe, Path] | None = None) -> SetScore:
    """Train every fold that is not whole yet and score the studies that it held out.

    Args:
        recipe: of a task of one stage; what it holds out itself trains here, but where it is its turn.
        plan: set, folder, folds, length.
        partner: a second recipe and the folder of its folds; the label maps of both are merged.

    Returns:
        Scores of all train studies of the set, part "cross-validation".

    Raises:
        UsageError: "training.folds_set" when the set does not train the recipe, "training.stages" for a cascade.
    """
    both = [(recipe, plan.folder), *([partner] if partner else [])]
    names = [one.name for one, _ in both]
    task = alone(find_task(recipe.task), recipe, partner[0] if partner else None)
    folds = folds_of(recipe, plan)
    studies = {study.name: study for study in find_studies(plan.set_name, "train")}
    scores: list[StudyScore] = []
    for number, held_out in enumerate(folds.folds):
        runs = {one.name: run_fold(one, replace(plan, folder=folder), number) for one, folder in both}
        packages = plan.folder / f"fold-{number}" / ("merged" if partner else "packages")
        export_runs(task, runs.__getitem__, packages / task.name)
        for name in held_out:
            labeled = read_study(studies[name], task)
            score = evaluate_case(task.name, labeled, studies[name].known, RunOptions(), packages=[packages])
            logger.info("fold %d, %s: %s", number, name, {key: round(value, 3) for key, value in score.dice.items()})
            scores.append(score)
    return SetScore(task.name, plan.set_name, PART, "balanced", tuple(scores), recipe=" ".join(names))


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
>>>>>>> training


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


def alone(task: Task, recipe: Recipe, partner: Recipe | None = None) -> Task:
    """Give the task with this recipe as its only member, or with a second ensemble whose labels are merged.

    Raises:
        UsageError: "training.stages" for a task of several stages.
    """
    if len(task.stages) > 1:
        raise UsageError(
            "training.stages",
            f"{task.name} has {len(task.stages)} stages; one recipe alone is no package of it.",
            "Cross-validate a task of one stage.",
        )
<<<<<<< HEAD
    return found
=======
    (stage,) = task.stages
    name = "A" if partner else stage.ensembles[0].name
    ensembles = [EnsemblePlan(name, (recipe.name,))]
    ensembles += [EnsemblePlan("B", (partner.name,))] if partner else []
    only = StagePlan(stage.name, tuple(ensembles), stage.decide, {"merge": TABLE_1} if partner else {})
    return replace(task, stages=(only,), travels=False)
>>>>>>> training
