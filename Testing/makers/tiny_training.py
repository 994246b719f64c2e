"""A training of seconds: four drawn balls, one a set, and a recipe of width 4."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.cache import Sample
from training.recipes import BRAIN_TUMOR_SMALL
from training.recipes.recipe import CropKind

MIX = {"four_sequences": 0.4, "more": 0.3, "lgg": 0.2, "phantom": 0.1}
TINY = replace(
    BRAIN_TUMOR_SMALL,
    name="tiny",
    arguments={"width": 4, "norm": "group"},
    crops=(CropKind(2, (16, 16, 16), MIX), CropKind(1, (16, 24, 16), MIX)),
    warmup_steps=2,
    learning_rate=5e-3,
    steps=8,
)


def make_samples() -> list[Sample]:
    """Give a sample of each set, with the sequences and regions that the set has."""
    generator = np.random.default_rng(1)
    samples = []
    for number, set_name in enumerate(("four_sequences", "more", "lgg", "phantom")):
        roles = {"four_sequences": 4, "phantom": 4, "more": 1, "lgg": 2}[set_name]
        z, y, x = np.meshgrid(*(np.arange(28),) * 3, indexing="ij")
        distance = np.sqrt((z - 12.0 - number) ** 2 + (y - 14.0) ** 2 + (x - 10.0 - number) ** 2)
        target = np.stack([distance < limit for limit in (4, 6, 9)]).astype(np.uint8)
        image = 0.3 + 0.5 * target[2] + 0.05 * generator.standard_normal((roles, 28, 28, 28))
        names = ("T1", "T1ce", "T2", "FLAIR") if roles == 4 else ("T1ce", "FLAIR")[2 - roles :]
        known = (set_name != "lgg", set_name != "lgg", True)
        samples.append(Sample(set_name, f"{set_name}-1", image.astype(np.float16), target, names, known))
    return samples


def padded(sample: Sample) -> Sample:
    """Give a sample up to a multiple of 8, as prepared studies are."""
    widths = ((0, 0), (0, 4), (0, 4), (0, 4))
    return replace(sample, image=np.pad(sample.image, widths), target=np.pad(sample.target, widths))
