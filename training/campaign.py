"""From studies to a package that ships, in one go: train every stage, export, calibrate, measure, export again.

Every part goes on where it stood when it is called again. Beside the library (training).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from MedSegAILib.tasks.package import Package

from .cache import load_training
from .calibrate import calibrate_region, calibrated, can_be_calibrated, shown_studies
from .curves import write_curves
from .evaluate import Measured, evaluate_set, write_report
from .export import export_task
from .loop import RunSettings, train
from .project import PROJECT
from .recipes import find_recipe
from .scores import SetScore, write_json
from .tasks.task import Task

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Campaign:
    """How a package is made, apart from its task.

    Args:
        runs: holds a folder for each recipe; scores are kept there too.
        package: folder of the package.
        budget_s: time of each training; None takes the steps.
        steps: of each training; None takes those of its recipe.
        calibrate: choose thresholds and smallest volumes on the held-out train studies of the last stage's recipe.
    """

    runs: Path
    package: Path
    budget_s: float | None = None
    steps: int | None = None
    calibrate: bool = False


def make_package(task: Task, plan: Campaign) -> Package:
    """Make the package of a task; it names the recipes of its stages, and the sets that measure it.

    Raises:
        MedSegAIError: as training, evaluation and export.
    """
    for name in recipe_names(task):
        recipe = find_recipe(name)
        logger.info("training %s", name)
        samples, held_out = load_training(recipe)
        train(recipe, samples, held_out, RunSettings(plan.runs / name, steps=plan.steps, budget_s=plan.budget_s))
        write_curves(plan.runs / name)
    export_task(task, plan.runs, plan.package)
    if plan.calibrate and can_be_calibrated(task):
        recipe = find_recipe(recipe_names(task)[-1])
        shown = shown_studies(task, plan.package, recipe)
        task = calibrated(task, {name: calibrate_region(name, studies) for name, studies in shown.items()})
        export_task(task, plan.runs, plan.package)
    return export_task(task, plan.runs, plan.package, measured(task, plan))


def measured(task: Task, plan: Campaign) -> Sequence[SetScore]:
    """Measure a package on the sets of its task; numbers, tables and pages with pictures are kept beside the runs."""
    own = plan.runs.name if (plan.runs / PROJECT).is_file() else ""
    scores = []
    for set_name, part, inputs in [*((*place, ()) for place in task.measured_on), *task.measured_with]:
        logger.info("measuring on %s, %s, inputs %s", set_name, part, ", ".join(inputs) or "all")
        found = evaluate_set(task.name, Measured(set_name, part, inputs=inputs), packages=[plan.package])
        scores.append(replace(found, project=own))
        file = "-".join([task.name, set_name, part, *inputs])
        write_json(scores[-1], plan.runs / f"{file}.json")
        if not inputs:
            write_report(scores[-1], plan.runs / file, [plan.package])
    return scores


def recipe_names(task: Task) -> list[str]:
    """Give the recipes of all stages, each once, in order."""
    plans = [ensemble for stage in task.stages for ensemble in stage.ensembles]
    return list(dict.fromkeys(name for plan in plans for name in plan.recipes))
