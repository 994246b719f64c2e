"""Which study gives the next crop. A batch depends on seed and step number alone, so a resumed run repeats it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .augment import draw_crop
from .cache import Sample
from .carve import carve, donors_for
from .recipes.recipe import CropKind, Recipe


@dataclass(frozen=True, eq=False)
class Batch:
    """Crops of one step: images [b, c, z, y, x], targets [b, k, z, y, x], known [b, k], and their sets."""

    images: Tensor
    targets: Tensor
    known: Tensor
    set_names: tuple[str, ...]


def draw_batch(samples: Sequence[Sample], recipe: Recipe, step: int, rank: int = 0) -> Batch:
    """Draw the batch of a step.

    Args:
        samples: everything that trains.
        recipe: crop kinds with their mix of the sets, augmentation, seed.
        step: 0-based; crop kinds take turns.
        rank: number of the process among those of one run; each draws batches of its own.
    """
    generator = np.random.default_rng((recipe.seed, step, rank) if rank else (recipe.seed, step))
    kind = recipe.crops[step % len(recipe.crops)]
    chosen = choose_samples(samples, kind, recipe.favored, generator)
    if recipe.carve_chances:
        chosen = [_with_tumor(sample, samples, recipe, generator) for sample in chosen]
    crops = [draw_crop(sample, kind.size_zyx, recipe, generator) for sample in chosen]
    return Batch(
        torch.stack([image for image, _ in crops]),
        torch.stack([target for _, target in crops]),
        torch.tensor([sample.known for sample in chosen]),
        tuple(sample.set_name for sample in chosen),
    )


def choose_samples(
    samples: Sequence[Sample], kind: CropKind, favored: Mapping[str, float], generator: np.random.Generator
) -> list[Sample]:
    """Draw the studies of a step: first the set by the mix, then a study of it by favor."""
    names = [name for name in kind.mix if any(sample.set_name == name for sample in samples)]
    shares = np.array([kind.mix[name] for name in names])
    chosen = []
    for _ in range(kind.count):
        name = names[int(generator.choice(len(names), p=shares / shares.sum()))]
        there = [sample for sample in samples if sample.set_name == name]
        favor = np.array([_favor(sample.name, favored) for sample in there])
        chosen.append(there[int(generator.choice(len(there), p=favor / favor.sum()))])
    return chosen


def _with_tumor(sample: Sample, samples: Sequence[Sample], recipe: Recipe, generator: np.random.Generator) -> Sample:
    chance = recipe.carve_chances.get(sample.set_name, 0.0)
    donors = donors_for(sample, samples) if chance else []
    if not donors or generator.random() >= chance:
        return sample
    return carve(sample, donors[int(generator.integers(len(donors)))], generator)


def _favor(name: str, favored: Mapping[str, float]) -> float:
    return next((factor for prefix, factor in favored.items() if name.startswith(prefix)), 1.0)
