"""From studies to a package that ships, in one go: train every stage, export, measure, export again with the numbers.

Every part goes on where it stood when it is called again. Beside the library (training).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from MedSegAILib.tasks.package import Package

from .cache import load_training
from .evaluate import evaluate_set
from .export import export_task
from .loop import RunSettings, train
from .project import PROJECT
from .recipes import find_recipe
from .scores import write_json
from .tasks.task import Task

logger = logging.getLogger(__name__)


def make_package(
    task: Task, runs_folder: Path, folder: Path, *, budget_s: float | None = None, steps: int | None = None
) -> Package:
    """Make the package of a task.

    Args:
        task: its stages name the recipes, and it names the sets that measure it.
        runs_folder: holds a folder for each recipe; scores are kept there too.
        folder: of the package.
        budget_s: time of each training; None takes the steps.
        steps: of each training; None takes those of its recipe.

    Raises:
        MedSegAIError: as training, evaluation and export.
    """
    for name in recipe_names(task):
        recipe = find_recipe(name)
        logger.info("training %s", name)
        samples, held_out = load_training(recipe)
        train(recipe, samples, held_out, RunSettings(runs_folder / name, steps=steps, budget_s=budget_s))
    export_task(task, runs_folder, folder)
    scores = []
    own = runs_folder.name if (runs_folder / PROJECT).is_file() else ""
    for set_name, part in task.measured_on:
        logger.info("measuring on %s, %s", set_name, part)
        scores.append(replace(evaluate_set(task.name, set_name, part, packages=[folder]), project=own))
        write_json(scores[-1], runs_folder / f"{task.name}-{set_name}-{part}.json")
    return export_task(task, runs_folder, folder, scores)


def recipe_names(task: Task) -> list[str]:
    """Give the recipes of all stages, each once, in order."""
    plans = [ensemble for stage in task.stages for ensemble in stage.ensembles]
    return list(dict.fromkeys(name for plan in plans for name in plan.recipes))
