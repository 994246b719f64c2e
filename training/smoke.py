"""A smoke run: does a step fit into the memory, and does the loss fall, before days are spent.

The memory of a step is counted without making it: the network runs on tensors without content, and what it keeps for
the way back is added up. Crops that do not fit are made smaller. Beside the library (training).
"""

from __future__ import annotations

import csv
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import torch
from torch import Tensor

from MedSegAILib import networks
from MedSegAILib.core.errors import ResourceError

from .cache import Sample
from .devices import Hardware
from .loop import RunSettings, train
from .recipes.recipe import CropKind, Recipe
from .tasks import find_task
from .watch import LOSSES

SHARE_OF_FREE = 0.7  # of the free memory that a step may take
WORKSPACE = 1.4  # convolutions and their gradients need room besides what is kept
COPIES = 4  # weights, gradients, two moments of the optimizer
MULTIPLE, LEAST_SIDE = 8, 16
WINDOW = 5  # steps whose mean loss is compared, at either end


@dataclass(frozen=True)
class Smoke:
    """What a smoke run found.

    Args:
        recipe: with crops that fit.
        first, last: mean loss of the first and the last steps.
        step_bytes: of the largest step, counted.
        free_bytes: of the device.
        seconds: on the clock, for all steps.
    """

    recipe: Recipe
    first: float
    last: float
    step_bytes: int
    free_bytes: int
    seconds: float

    @property
    def falls(self) -> bool:
        """Whether the loss fell."""
        return self.last < self.first


def smoke(recipe: Recipe, samples: Sequence[Sample], folder: Path, steps: int, hardware: Hardware) -> Smoke:
    """Fit the crops into the memory and train a few steps in a folder of their own.

    Raises:
        ResourceError: "training.memory" when even the smallest crop does not fit.
    """
    free = free_bytes(hardware)
    fitted = fit_crops(recipe, round(free * SHARE_OF_FREE))
    shutil.rmtree(folder, ignore_errors=True)
    short = replace(fitted, steps=steps, warmup_steps=min(recipe.warmup_steps, steps // 4), phases=(), patience=0)
    train(short, samples, [], RunSettings(folder, hardware=hardware))
    with (folder / LOSSES).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    losses = [float(row["loss"]) for row in rows]
    largest = max(step_bytes(fitted, kind) for kind in fitted.crops)
    return Smoke(
        fitted,
        statistics.fmean(losses[:WINDOW]),
        statistics.fmean(losses[-WINDOW:]),
        largest,
        free,
        float(rows[-1]["elapsed_s"]),
    )


def fit_crops(recipe: Recipe, limit_bytes: int) -> Recipe:
    """Give the recipe with each kind of crop cut, longest side first, until its step fits.

    Raises:
        ResourceError: "training.memory".
    """
    kinds = []
    for kind in recipe.crops:
        fitted = kind
        while step_bytes(recipe, fitted) > limit_bytes:
            fitted = _smaller(fitted, recipe, limit_bytes)
        kinds.append(fitted)
    return replace(recipe, crops=tuple(kinds))


def step_bytes(recipe: Recipe, kind: CropKind) -> int:
    """Give the bytes that a step of these crops takes, counted on tensors without content."""
    kept: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage.nbytes()  # views of one storage count once
        alive.append(tensor)  # or another would get its number
        return tensor

    alive: list[Tensor] = []
    heads = {"deep_heads": True} if recipe.deep_supervision else {}
    channels = len(find_task(recipe.task).roles)
    with torch.device("meta"):
        network = networks.build(recipe.network, **{**recipe.arguments, **heads})
        shape = (channels * recipe.slices, *kind.size_zyx[1:]) if recipe.slices else (channels, *kind.size_zyx)
        crops = torch.zeros((kind.count, *shape))
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            network(crops)
    weights = sum(one.numel() * one.element_size() for one in network.parameters())
    return round(WORKSPACE * sum(kept.values())) + COPIES * weights


def free_bytes(hardware: Hardware) -> int:
    """Give the free memory of the device that trains."""
    if hardware.uses_gpu and torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)


def _smaller(kind: CropKind, recipe: Recipe, limit_bytes: int) -> CropKind:
    sides = list(kind.size_zyx)
    free_axes = (1, 2) if recipe.slices else (0, 1, 2)
    longest = max(free_axes, key=lambda axis: sides[axis])
    if sides[longest] - MULTIPLE >= LEAST_SIDE:
        sides[longest] -= MULTIPLE
        return replace(kind, size_zyx=(sides[0], sides[1], sides[2]))
    if kind.count > 1:
        return replace(kind, count=kind.count - 1)
    raise ResourceError(
        "training.memory",
        f"A step of {recipe.name} needs {step_bytes(recipe, kind) >> 20} MiB for its smallest crop; "
        f"{limit_bytes >> 20} MiB are free for it.",
        "Choose a narrower network, or free memory.",
    )
