"""The cascade for pancreas and tumor, reduced: two U-Nets of width 8, on phantoms alone. Beside the library."""

from __future__ import annotations

from dataclasses import replace

from .recipe import Augmentation, CropKind, PhantomShare, Recipe

WINDOW_HU = (-100.0, 240.0)  # our default; the paper maps [-1024, 3071]
MARGIN_MM = 12.0  # about the five voxels of the source at our resolution

PANCREAS_ORGAN_SMALL = Recipe(
    name="pancreas-organ-small",
    task="pancreas",
    channels=("organ",),
    loss="cross_entropy_dice",
    network="brats2020.Unet",
    arguments={"width": 8, "norm": "instance", "in_channels": 1, "out_channels": 1},
    # Boxes of the pancreas in 40 phantoms, in shares of the body, and a tenth more for people, who vary more.
    box={"rough": {"of": "body", "R_to_L": [0.18, 0.94], "A_to_P": [0.1, 0.82]}},
    prepare=(
        {"step": "orient", "axes": "LPS"},
        {"step": "window_map", "low": WINDOW_HU[0], "high": WINDOW_HU[1], "to": [0.0, 1.0]},
        {"step": "resample", "spacing_mm": 4.0, "multiple": 8, "around": "all"},
    ),
    crops=(CropKind(2, (56, 48, 64), {"phantom": 1.0}),),
    tumor_chance=0.3,
    augmentation=Augmentation(
        flip_chances_zyx=(0.0, 0.0, 0.0), affine_chance=0.5, gamma=0.15, gain=0.05, bias_chance=0.0, noise_size=0.03,
        blur_chance=0.1, drop_chance=0.0,
    ),
    phantoms=PhantomShare(count=120, first_seed=100, with_skull=0),
    learning_rate=3e-3,
    warmup_steps=40,
    steps=3200,
    average_decay=0.99,
    history="The rate had fallen to 0 at step 400, before the network had learned, and again at steps 1500 and 2200; "
    "up to 1500 it saw 40 phantoms.",
)  # fmt: skip

# Both regions: where the gland is tells a cyst in it from the bowel beside it, and 2.5 mm outline it better than 4.
PANCREAS_TUMOR_SMALL = replace(
    PANCREAS_ORGAN_SMALL,
    name="pancreas-tumor-small",
    channels=("organ", "tumor"),
    arguments={**PANCREAS_ORGAN_SMALL.arguments, "out_channels": 2},
    box={"from": "organ", "margin_mm": MARGIN_MM},
    # The organ of stage one is never quite right, so training boxes lie off by chance.
    box_shift_mm=8.0,
    prepare=(
        *PANCREAS_ORGAN_SMALL.prepare[:2],
        {"step": "resample", "spacing_mm": 2.5, "multiple": 8, "around": "all"},
    ),
    crops=(CropKind(2, (40, 48, 72), {"phantom": 1.0}),),
    tumor_chance=0.5,
    # A predecessor knew its 120 by heart (Dice .90) and found a third of the tumors of others.
    phantoms=replace(PANCREAS_ORGAN_SMALL.phantoms, count=400),
    steps=4800,
    history="",
)
