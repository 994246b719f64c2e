"""Tasks by name: what a package says of itself besides its weights. Beside the library (training)."""

from __future__ import annotations

from MedSegAILib.core.errors import UsageError

from .brain_tissue import BRAIN_TISSUE
from .brain_tumor import BRAIN_TUMOR
from .hand_bones import HAND_BONES
from .hippocampus import HIPPOCAMPUS
from .pancreas import PANCREAS
from .prostate import PROSTATE
from .task import Task

TASKS: dict[str, Task] = {
    task.name: task for task in (BRAIN_TUMOR, HIPPOCAMPUS, BRAIN_TISSUE, PANCREAS, PROSTATE, HAND_BONES)
}


def find_task(name: str) -> Task:
    """Give a task.

    Raises:
        UsageError: "training.task" for an unknown name.
    """
    if name not in TASKS:
        raise UsageError("training.task", f"There is no task {name!r}.", f"Choose one of {', '.join(TASKS)}.")
    return TASKS[name]
