"""A plain 3D U-Net on T1 crops around one hippocampus: small enough for ten minutes of one core. Beside the library."""

from __future__ import annotations

from .recipe import Augmentation, CropKind, PhantomShare, Recipe

HIPPOCAMPUS = Recipe(
    name="hippocampus",
    task="hippocampus",
    channels=("anterior", "posterior"),
    network="brats2020.Unet",
    arguments={"width": 8, "norm": "instance", "in_channels": 1, "out_channels": 2},
    prepare=(
        {"step": "orient", "axes": "LPS"},
        # 40 x 56 x 40 mm hold nearly every crop of the set.
        {"step": "resample", "spacing_mm": 1.0, "multiple": 8, "at_least_zyx": (32, 48, 32)},
        {"step": "zscore_nonzero"},
    ),
    crops=(CropKind(2, (40, 56, 40), {"hippocampus": 1.0}),),
    # Subjects 191 to 197, for monitoring only.
    held_out=tuple(f"hippocampus_{number}" for number in (381, 383, 385, 386, 387, 389, 390, 393, 394)),
    tumor_chance=0.3,
    # Sides are not marked in the set, so x may be mirrored; head and tail may not change places.
    augmentation=Augmentation(
        flip_chances_zyx=(0.0, 0.0, 0.5), gamma=0.3, gain=0.0, bias_chance=0.3, noise_size=0.03, drop_chance=0.0,
        lowest=-4.0, highest=6.0,
    ),
    phantoms=PhantomShare(count=0, with_skull=0),
    learning_rate=2e-3,
    warmup_steps=50,
    steps=1859,
    average_decay=0.998,
    start_from="hippocampus/u-net0.safetensors",
    history="The weights that it began with are those of 0.1.0, which had seen 750 steps of the same kind; the run and "
    "its cosine followed the clock: 22 minutes of a core that other programs shared.",
    seed=20261122,
)  # fmt: skip
