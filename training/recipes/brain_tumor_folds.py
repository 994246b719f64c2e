"""Pipelines A and B as small as a cross-validation on two cores needs them: minutes a fold. Beside the library.

They say what A, B and their merging are to each other on the studies at hand, not what a full training gives; stripped
brains only, at 3 mm, each from chance.
"""

from __future__ import annotations

from dataclasses import replace

from .brain_tumor_members import BRAIN_TUMOR_B0
from .brain_tumor_small import BRAIN_TUMOR_SMALL
from .recipe import CropKind, PhantomShare

AT_3_MM = (
    *BRAIN_TUMOR_SMALL.prepare[:2],
    {"step": "resample", "spacing_mm": 3.0, "multiple": 8, "at_least_zyx": (56, 64, 56)},
)

FOLDS_B = replace(
    BRAIN_TUMOR_B0,
    name="brain-tumor-folds-b",
    prepare=(*AT_3_MM, {"step": "zscore_nonzero"}),
    augmentation=replace(
        BRAIN_TUMOR_B0.augmentation,
        affine_chance=0.5, gamma=0.25, gain=0.05, bias_chance=0.6, bias_size=0.4, noise_chance=0.4, blur_chance=0.2,
        drop_chance=0.0,
    ),
    crops=(CropKind(2, (56, 72, 56), {"four_sequences": 0.75, "phantom": 0.25}),),
    phantoms=PhantomShare(count=36, first_seed=124, with_skull=0),
    held_out=(),
    # From 0 neither had learned after 300 steps that most voxels are no ET, which was then painted all over.
    start_logit=-4.0,
    warmup_steps=40,
    learning_rate=2e-3,
    average_decay=0.98,
    steps=240,
    history="",
)  # fmt: skip
FOLDS_A = replace(
    FOLDS_B,
    name="brain-tumor-folds-a",
    arguments=BRAIN_TUMOR_SMALL.arguments,
    prepare=(*AT_3_MM, BRAIN_TUMOR_SMALL.prepare[-1]),
    augmentation=replace(BRAIN_TUMOR_SMALL.augmentation, drop_chance=0.0),
    squared_dice=BRAIN_TUMOR_SMALL.squared_dice,
)
BRAIN_TUMOR_FOLDS = (FOLDS_A, FOLDS_B)
