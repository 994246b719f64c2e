"""What a training leaves behind, read from its run folder. Beside the library (training)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from .checkpoint import CHECKPOINT, read_average
from .recipes.recipe import Recipe

Weights = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Run:
    """What a training leaves: its recipe, the averaged weights, steps done and hours on the clock."""

    recipe: Recipe
    weights: Weights
    steps: int
    hours: float


def read_run(recipe: Recipe, folder: Path) -> Run:
    """Read a run folder.

    Raises:
        InputError: "checkpoint.missing".
    """
    weights, steps, elapsed_s = read_average(folder / CHECKPOINT)
    return Run(recipe, weights, steps, elapsed_s / 3600.0)
