"""The further members of the shipped brain tumor package: A with attention, and two of B. Beside the library.

Each begins with the weights of the first member and differs from it by what its pipeline differs in. Normalization by
groups of one channel is what "instance" is; at width 8 most levels of the first member have it already.
"""

from __future__ import annotations

from dataclasses import replace

from .brain_tumor_small import BRAIN_TUMOR_SMALL
from .recipe import Augmentation, CropKind

STUDIES = {"four_sequences": 0.60, "more": 0.18, "lgg": 0.12, "phantom": 0.10}
HEADS = {"lgg": 0.70, "phantom": 0.10, "four_sequences": 0.20}
_B_PREPARE = (*BRAIN_TUMOR_SMALL.prepare[:-1], {"step": "zscore_nonzero"})

_WARM = replace(
    BRAIN_TUMOR_SMALL,
    history="",
    start_from="brain-tumor/a0.safetensors",
    crops=(
        CropKind(2, (64, 64, 64), STUDIES),
        CropKind(1, (80, 96, 80), STUDIES),
        CropKind(1, (80, 120, 112), HEADS),
    ),
    # The first member lost heads to uneven coils.
    augmentation=Augmentation(bias_chance=0.6, bias_size=0.6),
    learning_rate=1e-3,
    warmup_steps=60,
    average_decay=0.995,
    steps=1200,
)

# Its predecessor had not even learned the heads it saw: Dice .72 on train heads, .82 on held-out ones. So every second
# step shows whole heads, and the run is long.
BRAIN_TUMOR_A1 = replace(
    _WARM,
    name="brain-tumor-a1",
    network="brats2020.AttEquiUnet",
    crops=(
        CropKind(2, (64, 64, 64), {"four_sequences": 0.52, "more": 0.18, "lgg": 0.22, "phantom": 0.08}),
        CropKind(1, (80, 120, 112), HEADS),
        CropKind(1, (80, 96, 80), STUDIES),
        CropKind(1, (80, 120, 112), HEADS),
    ),
    learning_rate=1.5e-3,
    average_decay=0.998,
    steps=2290,
    history="The first 677 steps ran at a rate of 0.001 that fell to 0 and took whole heads every third step; up to "
    "step 1385 the cosine was that of a run of 3600 steps, up to 2160 of one of 2500.",
    seed=20201122,
)
BRAIN_TUMOR_B0 = replace(
    _WARM,
    name="brain-tumor-b0",
    arguments={"width": 8, "norm": "instance"},
    prepare=_B_PREPARE,
    squared_dice=False,
    # Scores stay as they are but for a little: a change of gain would be undone by the z-score anyway.
    augmentation=replace(_WARM.augmentation, lowest=-4.0, highest=10.0, gamma=0.2, gain=0.05, bias_size=0.3),
    seed=20201123,
)
BRAIN_TUMOR_B1 = replace(BRAIN_TUMOR_B0, name="brain-tumor-b1", tumor_chance=0.6, seed=20201124)
