"""A look at held-out train studies during a run: Dice on the working grid, by region and set. Not a result."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from MedSegAILib import networks
from MedSegAILib.image.metrics import dice

from .cache import Sample
from .checkpoint import State
from .objective import masks_of
from .recipes.recipe import Recipe
from .tasks import find_task


def monitor(state: State, recipe: Recipe, samples: Sequence[Sample], path: Path) -> None:
    """Score the averaged weights on the samples and add one line for each to a CSV file."""
    network = networks.build(recipe.network, **dict(recipe.arguments))
    network.load_state_dict(state.average)
    network.eval()
    is_new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if is_new:
            writer.writerow(["step", "elapsed_s", "set", "study", *(f"dice_{name}" for name in recipe.channels)])
        for sample in samples:
            scores = ["" if math.isnan(value) else f"{value:.3f}" for value in score(network, sample, recipe)]
            writer.writerow([state.step, f"{state.elapsed_s:.0f}", sample.set_name, sample.name, *scores])


def score(network: torch.nn.Module, sample: Sample, recipe: Recipe) -> list[float]:
    """Give Dice by channel of one whole prepared study; NaN where the reference does not tell."""
    roles = find_task(recipe.task).roles
    image = np.zeros((1, len(roles), *sample.image.shape[1:]), dtype=np.float32)
    for role, channel in zip(sample.roles, sample.image, strict=True):
        image[0, roles.index(role)] = channel
    with torch.inference_mode():
        found = masks_of(network(torch.from_numpy(image)), recipe.activation)[0].numpy()
    return [
        dice(ours, theirs.astype(bool)) if known else math.nan
        for ours, theirs, known in zip(found, sample.target, sample.known, strict=True)
    ]
