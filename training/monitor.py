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
from .datasets import REGIONS, ROLES
from .recipes.recipe import Recipe


def monitor(state: State, recipe: Recipe, samples: Sequence[Sample], path: Path) -> None:
    """Score the averaged weights on the samples and add one line for each to a CSV file."""
    network = networks.build(recipe.network, **dict(recipe.arguments))
    network.load_state_dict(state.average)
    network.eval()
    is_new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if is_new:
            writer.writerow(["step", "elapsed_s", "set", "study", *(f"dice_{name}" for name in REGIONS)])
        for sample in samples:
            scores = ["" if math.isnan(value) else f"{value:.3f}" for value in score(network, sample)]
            writer.writerow([state.step, f"{state.elapsed_s:.0f}", sample.set_name, sample.name, *scores])


def score(network: torch.nn.Module, sample: Sample) -> list[float]:
    """Give Dice by region of one whole prepared study; NaN where the reference does not tell."""
    image = np.zeros((1, len(ROLES), *sample.image.shape[1:]), dtype=np.float32)
    for role, channel in zip(sample.roles, sample.image, strict=True):
        image[0, ROLES.index(role)] = channel
    with torch.inference_mode():
        found = (network(torch.from_numpy(image))[0] > 0).numpy()
    return [
        dice(ours, theirs.astype(bool)) if known else math.nan
        for ours, theirs, known in zip(found, sample.target, sample.known, strict=True)
    ]
