"""What a training leaves behind, read from its run folder. Beside the library (training)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from .checkpoint import CHECKPOINT, UNKNOWN_MACHINE, read_shipped
from .recipes.recipe import Recipe

Weights = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Run:
    """What a training leaves: its recipe, the averaged weights, steps done, hours on the clock, and where."""

    recipe: Recipe
    weights: Weights
    steps: int
    hours: float
    machine: str = UNKNOWN_MACHINE


def read_run(recipe: Recipe, folder: Path) -> Run:
    """Read a run folder.

    Raises:
        InputError: "checkpoint.missing".
    """
    shipped = read_shipped(folder / CHECKPOINT)
    return Run(recipe, shipped.weights, shipped.steps, shipped.elapsed_s / 3600.0, shipped.machine)
