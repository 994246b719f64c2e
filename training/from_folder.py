"""From a folder of images and labels to a package by one command: look, plan, fold, train, measure, export.

Every part goes on where it stood when it is called again. Beside the library (training).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from MedSegAILib.core.errors import InputError
from MedSegAILib.tasks.package import Package

from .campaign import Campaign, make_package
from .data_check import Check, check_folder, write_check
from .datasets import DataSet, read_groups, read_splits
from .folds import keep_folds
from .planner import CPU, GPU, plan_task, slug
from .project import PROJECT, SHIPPED, Project, make_known, read_project, write_project

logger = logging.getLogger(__name__)
FOLDS_FILE = "folds.json"
RUN = "-run"  # ending of the run folder beside the package
FEWEST = 2  # one study trains, one measures


@dataclass(frozen=True)
class FolderOptions:
    """What a newcomer says.

    Args:
        data: folder of the labeled set, in a layout of ``MedSegAILib.io.datasets``.
        package: folder of the package to make; the run folder lies beside it. None takes packages/TASK.
        name: of the task; empty takes that of the folder.
        minutes: of training; None takes the plan's steps.
        steps: of training instead.
        start_from: a package (task or folder) whose weights begin the run; empty starts from chance.
    """

    data: Path
    package: Path | None = None
    name: str = ""
    minutes: float | None = None
    steps: int | None = None
    start_from: str = ""

    @property
    def task(self) -> str:
        """Name of the task; a folder called like a task of the library gives "my-" and its name."""
        plain = slug(self.data.resolve().name)
        return self.name or (f"my-{plain}" if plain in SHIPPED else plain)

    @property
    def run_folder(self) -> Path:
        """Folder of plan, folds, checkpoint and logs."""
        return self.package_folder.with_name(self.package_folder.name + RUN)

    @property
    def package_folder(self) -> Path:
        """Folder of the package."""
        return self.package or Path("packages") / self.task


def package_beside(run_folder: Path) -> Path:
    """Give the folder of the package that a run folder makes."""
    return run_folder.with_name(run_folder.name.removesuffix(RUN))


def train_folder(options: FolderOptions) -> Package:
    """Make a package of a folder.

    Returns:
        The package, with the Dice of studies that never trained on its card.

    Raises:
        InputError: "data.layout", "data.nothing", "data.few"; UsageError: "training.name".
    """
    project = open_project(options)
    make_known(project)
    budget_s = None if options.minutes is None else options.minutes * 60.0
    return make_package(project.task, Campaign(options.run_folder, options.package_folder, budget_s, options.steps))


def open_project(options: FolderOptions) -> Project:
    """Give the plan of a run folder; look at the data and write it when there is none yet."""
    if (options.run_folder / PROJECT).is_file():
        return read_project(options.run_folder)
    check = check_folder(options.data, part="train")
    for finding in check.findings:
        verdict = "is left out: it" if finding.stops else "trains, but it"
        logger.warning("%s %s %s. %s", finding.study, verdict, finding.sentence, finding.next_step)
    if check.findings:
        logger.warning("pictures: %s", write_check(check, options.run_folder / "data-check")["check.html"])
    task, recipe = plan_task(check.facts, options.task, GPU if torch.cuda.is_available() else CPU)
    train = training_names(check, options.data)
    folds = keep_folds(options.run_folder / FOLDS_FILE, train, read_groups(options.data))
    held_out = folds.held_out(0)
    data = DataSet(
        options.task,
        str(options.data.resolve()),
        options.task,
        tuple(task.regions),
        {"train": tuple(train), "held_out": held_out},
    )
    project = Project(task, replace(recipe, held_out=held_out, start_from=options.start_from), data)
    write_project(project, options.run_folder)
    return project


def training_names(check: Check, root: Path) -> list[str]:
    """Give the sound, labeled studies that may train: none of a part "test".

    Raises:
        InputError: "data.few" with less than two.
    """
    told = read_splits(root)
    facts, faulty = check.facts, check.faulty()
    names = [
        study.name
        for study in facts.studies
        if study.labels
        and study.name not in faulty
        and study.part != "test"
        and ("train" not in told or study.name in told["train"])
    ]
    if len(names) < FEWEST:
        raise InputError(
            "data.few",
            f"{facts.name} has {len(names)} sound labeled studies; training and measuring need {FEWEST} at least.",
            "Add studies, or correct those with defects: medsegai train --data FOLDER --check.",
        )
    return names
