"""The further members of the shipped brain tumor package: A with attention, and two of B. Beside the library."""

from __future__ import annotations

from dataclasses import replace

from .brain_tumor_small import BRAIN_TUMOR_SMALL
from .recipe import Augmentation, CropKind

STUDIES = {"four_sequences": 0.60, "more": 0.18, "lgg": 0.12, "phantom": 0.10}
HEADS = {"lgg": 0.84, "phantom": 0.08, "four_sequences": 0.08}

# Its predecessors had not even learned the heads they saw: Dice .72 on train heads, .82 on held-out ones. So every
# second step shows whole heads, and the run is long.
BRAIN_TUMOR_A1 = replace(
    BRAIN_TUMOR_SMALL,
    name="brain-tumor-a1",
    network="brats2020.AttEquiUnet",
    start_from="brain-tumor/a0.safetensors",
    crops=(
        CropKind(2, (64, 64, 64), {"four_sequences": 0.52, "more": 0.18, "lgg": 0.22, "phantom": 0.08}),
        CropKind(1, (80, 120, 112), HEADS),
        CropKind(1, (80, 96, 80), STUDIES),
        CropKind(1, (80, 120, 112), HEADS),
    ),
    # Milder than before, when changed heads were harder than real ones (soft Dice .65 in training against .8 held
    # out); of coils as uneven as in life there stay enough.
    augmentation=Augmentation(
        affine_chance=0.4, gamma=0.2, gain=0.15, bias_size=0.4, noise_chance=0.25, blur_chance=0.1, drop_chance=0.25
    ),
    learning_rate=1.2e-3,
    warmup_steps=60,
    average_decay=0.998,
    steps=1316,
    history="The weights that it began with are those of 0.2.0, which had seen 2290 steps of the same kind; the cosine "
    "followed the clock.",
    seed=20261122,
)

BRAIN_TUMOR_B0 = replace(
    BRAIN_TUMOR_A1,
    name="brain-tumor-b0",
    network=BRAIN_TUMOR_SMALL.network,
    arguments={"width": 8, "norm": "instance"},
    prepare=(*BRAIN_TUMOR_SMALL.prepare[:-1], {"step": "zscore_nonzero", "margin_mm": 3.0}),
    start_from="",
    squared_dice=False,
    # Scores of -4 to 10 are seen as 0 to 1.
    augmentation=replace(
        BRAIN_TUMOR_A1.augmentation, lowest=-4.0, highest=10.0, gamma=0.15, gain=0.04, bias_size=0.3, noise_size=0.03
    ),
    learning_rate=3e-3,
    warmup_steps=100,
    steps=4812,
    history="The first 2671 steps saw the studies at 3 mm, where a whole head takes a third of the time, those up to "
    "4078 at 2 mm; until then the seam around the brain counted in the z-score. The cosine followed the clock.",
    seed=20201123,
)
BRAIN_TUMOR_B1 = replace(
    BRAIN_TUMOR_B0,
    name="brain-tumor-b1",
    steps=3562,
    history="The first 2643 steps saw the studies at 3 mm, those up to 2850 at 2 mm; until then the seam around the "
    "brain counted in the z-score. Rates and cosines followed the clock.",
    seed=20201124,
)
