"""A tumor with another look: only its inside changes, never the background, and its labels stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from training.augment import draw_crop
from training.cache import Sample
from training.lesions import DARK_SHARE, DEEPEST, changed_lesion
from training.recipes import BRAIN_TUMOR_SMALL

SHAPE = (28, 30, 32)


def study() -> tuple[Tensor, Tensor]:
    """Two sequences of a ball of noise in air, with a brighter tumor of radius 7."""
    z, y, x = np.meshgrid(*(np.arange(count) for count in SHAPE), indexing="ij")
    distance = np.sqrt((z - 14) ** 2 + (y - 15) ** 2 + (x - 16) ** 2)
    noise = np.random.default_rng(1).uniform(0.3, 0.5, (2, *SHAPE))
    tumor = (distance < 7).astype(np.float32)
    image = (noise + 0.4 * tumor) * (distance < 13)
    return torch.from_numpy(image.astype(np.float32)), torch.from_numpy(tumor[None])


@pytest.mark.parametrize("seed", range(12))
def test_only_the_inside_changes(seed: int) -> None:
    image, target = study()
    before = image.clone()
    changed = changed_lesion(image, target, np.random.default_rng(seed))
    differs = (changed != before).any(dim=0)
    assert torch.equal(image, before)
    assert differs.any()
    near = torch.nn.functional.max_pool3d(target, 3, stride=1, padding=1)[0] > 0  # the soft edge is one voxel wide
    assert not (differs & ~near).any()
    assert torch.equal(changed == 0, before == 0)


def test_many_are_dark_inside_in_every_sequence_and_some_keep_a_rim() -> None:
    image, target = study()
    inside = target[0] > 0
    dark = rims = 0
    for seed in range(60):
        changed = changed_lesion(image, target, np.random.default_rng(seed))
        middle = changed[:, 12:17, 13:18, 14:19].mean(dim=(1, 2, 3))
        dark += bool((middle < image[:, inside].min()).all())
        rims += bool((changed == image).all(dim=0)[inside].float().mean() > 0.4)
    assert 15 <= dark <= 50
    assert rims >= 60 // (2 * (DEEPEST + 1))
    assert 0.0 < DARK_SHARE < 0.3


def sample(known: bool) -> Sample:
    image, target = study()
    regions = target.numpy().astype(np.uint8).repeat(3, axis=0)
    return Sample("lgg", "one", image.numpy().astype(np.float16), regions, ("T1ce", "FLAIR"), (known, known, True))


@pytest.mark.parametrize(("known", "is_changed"), [(False, True), (True, False)], ids=["parts unknown", "fully drawn"])
def test_only_tumors_whose_parts_are_unknown_are_changed(known: bool, is_changed: bool) -> None:
    still = replace(
        BRAIN_TUMOR_SMALL.augmentation,
        flip_chances_zyx=(0.0, 0.0, 0.0), affine_chance=0.0, gamma=0.0, gain=0.0, bias_chance=0.0, noise_chance=0.0,
        blur_chance=0.0, drop_chance=0.0, lesion_chance=1.0,
    )  # fmt: skip
    recipe = replace(BRAIN_TUMOR_SMALL, augmentation=still)
    plain = replace(recipe, augmentation=replace(still, lesion_chance=0.0))
    image, _ = draw_crop(sample(known), SHAPE, recipe, np.random.default_rng(2))
    as_it_is, _ = draw_crop(sample(known), SHAPE, plain, np.random.default_rng(2))
    assert bool((image != as_it_is).any()) is is_changed
