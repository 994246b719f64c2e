"""Cross-validation: every fold trained without its studies, and each study measured by the run that never saw it.

The folds lie beside the runs and are made once. One recipe alone, or two whose label maps are merged by the paper's
Table 1. Beside the library (training).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.tasks.importers.brats2020_task import TABLE_1

from .checkpoint import CHECKPOINT
from .datasets import SETS, find_studies, read_groups, read_study, root_of
from .evaluate import evaluate_case
from .export import export_runs
from .folds import Folds, keep_folds
from .recipes import find_recipe
from .recipes.recipe import Recipe
from .run import Run, read_run
from .scores import SetScore, StudyScore
from .tasks import find_task
from .tasks.task import EnsemblePlan, Task

# Dice of the paper by region: design page "brats2020", Tables 2 (369 studies, width 48) and 3 (125 online).
PAPER: dict[str, dict[str, float]] = {
    "Table 2, A": {"ET": 0.8077, "TC": 0.8705, "WT": 0.9070},
    "Table 2, A, cases removed": {"ET": 0.8126, "TC": 0.8686, "WT": 0.9043},
    "Table 2, A with attention": {"ET": 0.8144, "TC": 0.8701, "WT": 0.9037},
    "Table 3, A": {"ET": 0.80585, "TC": 0.85415, "WT": 0.89518},
    "Table 3, B": {"ET": 0.72738, "TC": 0.84921, "WT": 0.91123},
    "Table 3, merged": {"ET": 0.80585, "TC": 0.85416, "WT": 0.91148},
}


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


def _alone(task: Task, recipes: Sequence[Recipe]) -> Task:
    """Give the task with these recipes as its ensembles, and of one stage."""
    stage = task.stages[-1]
    names = ("A", "B") if len(recipes) == 2 else ("A",)
    ensembles = tuple(EnsemblePlan(name, (one.name,)) for name, one in zip(names, recipes, strict=True))
    more = {"merge": json.loads(json.dumps(TABLE_1))} if len(recipes) == 2 else {}
    return replace(task, stages=(replace(stage, ensembles=ensembles, more=more),), travels=False)


def _is_trained(recipes: Sequence[Recipe], runs: Path, folds: Folds, number: int) -> bool:
    return all((runs / fold_recipe(one, folds, number).name / CHECKPOINT).is_file() for one in recipes)


def _fold_scores(
    task: Task, by_name: dict[str, Run], held_out: Sequence[str], preset: str
) -> list[tuple[str, StudyScore]]:
    options = RunOptions(preset=preset)  # type: ignore[arg-type]  # RunOptions refuses an unknown name
    recipe = next(iter(by_name.values())).recipe
    scores = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / task.name
        export_runs(task, by_name.__getitem__, folder)
        for set_name in (name for name in recipe.set_names if name != "phantom"):
            for study in find_studies(set_name, "train"):
                if study.name in held_out:
                    labeled = read_study(study, find_task(task.name))
                    scores.append((set_name, evaluate_case(task.name, labeled, study.known, options, [folder])))
    return scores


def recipes_of(names: Sequence[str]) -> list[Recipe]:
    """Give one recipe, or two to merge.

    Raises:
        UsageError: "training.recipe"; "training.merge" for more than two, or recipes of other tasks.
    """
    found = [find_recipe(name) for name in names]
    if len(found) > 2 or len({one.task for one in found}) > 1:
        raise UsageError(
            "training.merge", f"{len(found)} recipes cannot be merged.", "Give one, or two of one task, A and then B."
        )
    return found
