"""Bones of the hand, reduced: the paper's multi-scale network at 2 mm, on phantoms alone. Beside the library."""

from __future__ import annotations

from .recipe import Augmentation, CropKind, PhantomShare, Recipe

HAND_BONES_SMALL = Recipe(
    name="hand-bones-small",
    task="hand-bones",
    channels=("metacarpal", "proximal", "middle", "distal"),
    network="multiscale.MultiScale",
    arguments={"width": 8, "in_channels": 1, "out_channels": 5},
    activation="softmax",
    loss="jaccard",
    prepare=(
        {"step": "orient", "axes": "LPS"},
        {"step": "resample", "spacing_mm": 2.0, "multiple": 8, "around": "all"},
        {"step": "zscore"},
    ),
    crops=(CropKind(1, (96, 40, 72), {"phantom": 1.0}),),
    tumor_chance=0.5,
    # Left and right hands come up alike; up and down may not change places, they tell the classes apart.
    augmentation=Augmentation(
        flip_chances_zyx=(0.0, 0.0, 0.5), affine_chance=0.5, rotation_degrees=10.0, gamma=0.3, gain=0.0,
        bias_chance=0.5, bias_size=0.3, noise_size=0.03, blur_chance=0.1, drop_chance=0.0, lowest=-1.0, highest=12.0,
    ),
    phantoms=PhantomShare(count=90, first_seed=100, with_skull=0),
    learning_rate=3e-3,
    warmup_steps=40,
    steps=2000,
    average_decay=0.99,
    history="The rate had fallen to 0 at step 900; up to there it saw 30 phantoms.",
)  # fmt: skip
