"""From studies to a package that ships, in one go: train every stage, export, measure, export again with the numbers.

Every part goes on where it stood when it is called again. Beside the library (training).
"""

from __future__ import annotations

import logging
from pathlib import Path

from MedSegAILib.tasks.package import Package

from .cache import load_training
from .evaluate import evaluate_set, write_json
from .export import export_task
from .loop import RunSettings, train
from .recipes import find_recipe
from .tasks.task import Task

logger = logging.getLogger(__name__)


def make_package(task: Task, runs_folder: Path, folder: Path) -> Package:
    """Make the package of a task.

    Args:
        task: its stages name the recipes, and it names the sets that measure it.
        runs_folder: holds a folder for each recipe; scores are kept there too.
        folder: of the package.

    Raises:
        MedSegAIError: as training, evaluation and export.
    """
    for name in recipe_names(task):
        recipe = find_recipe(name)
        logger.info("training %s", name)
        samples, held_out = load_training(recipe)
        train(recipe, samples, held_out, RunSettings(runs_folder / name))
    export_task(task, runs_folder, folder)
    scores = []
    for set_name, part in task.measured_on:
        logger.info("measuring on %s, %s", set_name, part)
        scores.append(evaluate_set(task.name, set_name, part, packages=[folder]))
        write_json(scores[-1], runs_folder / f"{task.name}-{set_name}-{part}.json")
    return export_task(task, runs_folder, folder, scores)


def recipe_names(task: Task) -> list[str]:
    """Give the recipes of all stages, each once, in order."""
    plans = [ensemble for stage in task.stages for ensemble in stage.ensembles]
    return list(dict.fromkeys(name for plan in plans for name in plan.recipes))
