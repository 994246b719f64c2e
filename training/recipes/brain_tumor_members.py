"""The further members of the shipped brain tumor package: A with attention, and two of B. Beside the library."""

from __future__ import annotations

from dataclasses import replace

from .brain_tumor_small import BRAIN_TUMOR_SMALL
from .recipe import Augmentation, CropKind

STUDIES = {"four_sequences": 0.60, "more": 0.18, "lgg": 0.12, "phantom": 0.10}
HEADS = {"lgg": 0.70, "phantom": 0.10, "four_sequences": 0.20}

# Its predecessor had not even learned the heads it saw: Dice .72 on train heads, .82 on held-out ones. So every second
# step shows whole heads, and the run is long.
BRAIN_TUMOR_A1 = replace(
    BRAIN_TUMOR_SMALL,
    name="brain-tumor-a1",
    network="brats2020.AttEquiUnet",
    start_from="brain-tumor/a1.safetensors",
    crops=(
        CropKind(2, (64, 64, 64), {"four_sequences": 0.52, "more": 0.18, "lgg": 0.22, "phantom": 0.08}),
        CropKind(1, (80, 120, 112), HEADS),
        CropKind(1, (80, 96, 80), STUDIES),
        CropKind(1, (80, 120, 112), HEADS),
    ),
    # The first member lost heads to uneven coils.
    augmentation=Augmentation(bias_chance=0.6, bias_size=0.6),
    learning_rate=1.5e-3,
    warmup_steps=60,
    average_decay=0.998,
    steps=2290,
    history="The first 677 steps ran at a rate of 0.001 that fell to 0 and took whole heads every third step; up to "
    "step 1385 the cosine was that of a run of 3600 steps, up to 2160 of one of 2500.",
    seed=20201122,
)

# B decides the whole tumor when the label maps are merged, so it is the one that looks from farther away: at 3 mm a
# whole head is as large as a crop of A, and every step shows whole studies, as in use.
BRAIN_TUMOR_B0 = replace(
    BRAIN_TUMOR_SMALL,
    name="brain-tumor-b0",
    arguments={"width": 8, "norm": "instance"},
    prepare=(
        *BRAIN_TUMOR_SMALL.prepare[:2],
        {"step": "resample", "spacing_mm": 3.0, "multiple": 8, "at_least_zyx": (56, 64, 56)},
        {"step": "zscore_nonzero"},
    ),
    crops=(
        CropKind(2, (56, 72, 56), {"four_sequences": 0.48, "more": 0.42, "phantom": 0.10}),
        CropKind(2, (56, 80, 72), {"lgg": 0.92, "phantom": 0.08}),
        CropKind(2, (56, 80, 72), {"lgg": 0.92, "phantom": 0.08}),
    ),
    squared_dice=False,
    # Scores of -4 to 10 are seen as 0 to 1.
    augmentation=Augmentation(
        lowest=-4.0, highest=10.0, gamma=0.25, gain=0.05, bias_chance=0.6, bias_size=0.4, noise_size=0.03
    ),
    learning_rate=2e-3,
    warmup_steps=100,
    average_decay=0.998,
    steps=3000,
    history="",
    seed=20201123,
)
BRAIN_TUMOR_B1 = replace(BRAIN_TUMOR_B0, name="brain-tumor-b1", seed=20201124)
