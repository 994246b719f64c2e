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
from .slices import every_slice
from .tasks import find_task


def monitor(state: State, recipe: Recipe, samples: Sequence[Sample], path: Path) -> float:
    """Score the averaged weights on the samples and add one line for each to a CSV file.

    Returns:
        The mean Dice over samples and known regions.
    """
    network = networks.build(recipe.network, **dict(recipe.arguments))
    # Heads of deep supervision stay behind.
    network.load_state_dict({name: state.average[name].cpu() for name in network.state_dict()})
    network.eval()
    everything: list[float] = []
    is_new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if is_new:
            writer.writerow(["step", "elapsed_s", "set", "study", *(f"dice_{name}" for name in recipe.channels)])
        for sample in samples:
            values = score(network, sample, recipe)
            everything += [value for value in values if not math.isnan(value)]
            scores = ["" if math.isnan(value) else f"{value:.3f}" for value in values]
            writer.writerow([state.step, f"{state.elapsed_s:.0f}", sample.set_name, sample.name, *scores])
    return float(np.mean(everything)) if everything else 0.0


def score(network: torch.nn.Module, sample: Sample, recipe: Recipe) -> list[float]:
    """Give Dice by channel of one whole prepared study; NaN where the reference does not tell."""
    roles = find_task(recipe.task).roles
    image = np.zeros((1, len(roles), *sample.image.shape[1:]), dtype=np.float32)
    for role, channel in zip(sample.roles, sample.image, strict=True):
        image[0, roles.index(role)] = channel
    with torch.inference_mode():
        study = torch.from_numpy(image)
        logits = every_slice(network, study, recipe.slices) if recipe.slices else network(study)
        found = masks_of(logits, recipe.activation)[0].numpy()
    return [
        dice(ours, theirs.astype(bool)) if known else math.nan
        for ours, theirs, known in zip(found, sample.target, sample.known, strict=True)
    ]
