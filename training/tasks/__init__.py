"""Tasks by name: what a package says of itself besides its weights. Beside the library (training)."""

from __future__ import annotations

from MedSegAILib.core.errors import UsageError

from .brain_tumor import BRAIN_TUMOR
from .hippocampus import HIPPOCAMPUS
from .task import Task

TASKS: dict[str, Task] = {task.name: task for task in (BRAIN_TUMOR, HIPPOCAMPUS)}


def find_task(name: str) -> Task:
    """Give a task.

    Raises:
        UsageError: "training.task" for an unknown name.
    """
    if name not in TASKS:
        raise UsageError("training.task", f"There is no task {name!r}.", f"Choose one of {', '.join(TASKS)}.")
    return TASKS[name]
