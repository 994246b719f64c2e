"""A training of somebody's own: task, recipe and set in a file of the run folder, made known to the tables by name.

The file is written once, from the plan; later calls go on with what it says. What ships stands in ``training.tasks``
and ``training.recipes`` as code instead. Beside the library (training).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError, UsageError

from .datasets import SETS, DataSet
from .recipes import RECIPES
from .recipes.phase import Phase
from .recipes.recipe import Augmentation, CropKind, PhantomShare, Recipe
from .tasks import TASKS
from .tasks.task import Card, EnsemblePlan, StagePlan, Task

PROJECT = "project.json"
SHIPPED = frozenset(TASKS)


@dataclass(frozen=True)
class Project:
    """What a run folder of somebody's own trains: the task, its one recipe, and the set with its parts."""

    task: Task
    recipe: Recipe
    data: DataSet


def make_known(project: Project) -> None:
    """Put task, recipe and set into the tables, so that every verb finds them by name.

    Raises:
        UsageError: "training.name" when a task of the library has the name.
    """
    name = project.task.name
    if name in SHIPPED:
        raise UsageError("training.name", f"A task called {name!r} comes with MedSegAI.", "Give another one: --name.")
    TASKS[name], RECIPES[project.recipe.name], SETS[project.data.name] = project.task, project.recipe, project.data


def write_project(project: Project, folder: Path) -> Path:
    """Write the file of a run folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PROJECT
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(project), indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def read_project(folder: Path) -> Project:
    """Read the file of a run folder.

    Raises:
        InputError: "project.file" when there is none, or it is none.
    """
    try:
        told = json.loads((folder / PROJECT).read_text(encoding="utf-8"))
        return Project(_task(told["task"]), _recipe(told["recipe"]), _data(told["data"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "project.file",
            f"The folder {folder.name} holds no {PROJECT} of a training.",
            "Start one: medsegai train --data FOLDER --minutes 10 --output PACKAGE.",
        ) from error


def _task(told: Mapping[str, Any]) -> Task:
    stages = tuple(
        StagePlan(
            one["name"],
            tuple(EnsemblePlan(plan["name"], tuple(plan["recipes"])) for plan in one["ensembles"]),
            tuple(one["decide"]),
            one["more"],
            one.get("eight_bit", False),
        )
        for one in told["stages"]
    )
    card = Card(**{**told["card"], "limits": tuple(told["card"]["limits"])})
    measured_on = tuple((set_name, part) for set_name, part in told["measured_on"])
    # Which inputs a task may lack is for hand-made tasks to say.
    return Task(**{**told, "stages": stages, "card": card, "measured_on": measured_on, "measured_with": ()})


def _recipe(told: Mapping[str, Any]) -> Recipe:
    options = told["augmentation"]
    return Recipe(**{
        **told,
        "channels": tuple(told["channels"]),
        "prepare": tuple(told["prepare"]),
        "held_out": tuple(told["held_out"]),
        "left_out": tuple(told.get("left_out", ())),
        "crops": tuple(CropKind(kind["count"], tuple(kind["size_zyx"]), kind["mix"]) for kind in told["crops"]),
        "augmentation": Augmentation(**{**options, "flip_chances_zyx": tuple(options["flip_chances_zyx"])}),
        "phantoms": PhantomShare(**told["phantoms"]),
        "phases": tuple(Phase(**phase) for phase in told["phases"]),
    })  # fmt: skip


def _data(told: Mapping[str, Any]) -> DataSet:
    splits = {part: tuple(names) for part, names in told["splits"].items()}
    return DataSet(**{**told, "known": tuple(told["known"]), "splits": splits})
