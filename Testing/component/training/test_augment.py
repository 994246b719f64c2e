"""Crops and augmentation: image and target stay together, nothing hides both FLAIR and T1ce."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from training.augment import blur, choose_start, draw_crop, keep_roles, vary_intensity
from training.cache import Sample
from training.recipes import BRAIN_TUMOR_SMALL
from training.recipes.recipe import Augmentation, Recipe

ROLES = ("T1", "T1ce", "T2", "FLAIR")
GEOMETRY_ONLY = Augmentation(
    affine_chance=1.0, gamma=0.0, gain=0.0, bias_chance=0.0, noise_chance=0.0, blur_chance=0.0, drop_chance=0.0
)
QUIET = Augmentation(
    flip_chances_zyx=(0.0, 0.0, 0.0), affine_chance=0.0, gamma=0.0, gain=0.0, bias_chance=0.0, noise_chance=0.0,
    blur_chance=0.0, drop_chance=0.0,
)  # fmt: skip


def make_sample(shape: tuple[int, int, int] = (30, 40, 36), known: tuple[bool, bool, bool] = (True,) * 3) -> Sample:
    """A lopsided ball in three nested sizes; every channel shows the target of the whole tumor itself."""
    z, y, x = np.meshgrid(*(np.arange(count) for count in shape), indexing="ij")
    distance = np.sqrt((z - 11.0) ** 2 + 0.6 * (y - 24.0) ** 2 + 1.5 * (x - 13.0) ** 2 + 0.5 * (z - 11) * (y - 24))
    target = np.stack([distance < limit for limit in (4, 6, 9)]).astype(np.uint8)
    image = np.repeat(0.2 + 0.6 * target[2:3].astype(np.float16), 4, axis=0)
    return Sample("four_sequences", "ball", image, target, ROLES, known)


def recipe_with(tumor_chance: float, augmentation: Augmentation) -> Recipe:
    return replace(BRAIN_TUMOR_SMALL, tumor_chance=tumor_chance, augmentation=augmentation)


@pytest.mark.parametrize("seed", range(6))
def test_image_and_target_move_together(seed: int) -> None:
    image, target = draw_crop(make_sample(), (24, 24, 24), recipe_with(1.0, GEOMETRY_ONLY), np.random.default_rng(seed))
    shown = image[0] >= 0.5
    wanted = target[2] > 0
    assert wanted.any()
    # Halfway between outside (0.2) and inside (0.8) is where the target is cut too.
    assert float((shown != wanted).float().mean()) < 1e-3
    assert bool((target[0] <= target[1]).all())
    assert bool((target[1] <= target[2]).all())


def test_without_augmentation_a_crop_is_the_study_itself() -> None:
    sample = make_sample()
    shape = sample.target.shape[1:]
    image, target = draw_crop(sample, (shape[0], shape[1], shape[2]), recipe_with(0.5, QUIET), np.random.default_rng(0))
    assert np.array_equal(target.numpy(), sample.target)
    assert np.allclose(image.numpy(), sample.image.astype(np.float32), atol=1e-6)


def test_a_crop_larger_than_the_study_is_filled_with_zeros() -> None:
    sample = make_sample((10, 40, 36))
    image, target = draw_crop(sample, (16, 40, 36), recipe_with(0.0, QUIET), np.random.default_rng(1))
    assert image.shape == (4, 16, 40, 36)
    assert int(target.sum()) == int(sample.target.sum())
    assert int((image[0].amax(dim=(1, 2)) == 0).sum()) == 6


@pytest.mark.parametrize("seed", range(20))
def test_a_tumor_crop_holds_tumor(seed: int) -> None:
    sample = make_sample((60, 60, 60))
    start = choose_start(sample, (16, 16, 16), 1.0, np.random.default_rng(seed))
    box = tuple(slice(first, first + 16) for first in start)
    assert sample.target[2][box].any()


def test_a_region_that_is_not_known_never_steers_a_crop() -> None:
    sample = make_sample((60, 60, 60), known=(False, False, False))
    starts = {choose_start(sample, (16, 16, 16), 1.0, np.random.default_rng(seed)) for seed in range(30)}
    assert max(start[2] for start in starts) > 30  # far from the ball: anywhere


def test_hidden_sequences_never_include_both_flair_and_t1ce() -> None:
    generator = np.random.default_rng(0)
    seen = {keep_roles(ROLES, 1.0, generator) for _ in range(500)} | {
        keep_roles(("T1ce", "FLAIR"), 1.0, generator) for _ in range(100)
    }
    assert all({"T1ce", "FLAIR"} & set(kept) for kept in seen)
    assert {("T1ce", "FLAIR"), ("FLAIR",)} <= seen  # the subsets that the package names do come up
    assert keep_roles(("FLAIR",), 1.0, generator) == ("FLAIR",)
    assert keep_roles(ROLES, 0.0, generator) == ROLES


def test_changed_intensities_stay_in_range_and_background_stays_zero() -> None:
    channel = torch.zeros((12, 14, 16))
    channel[3:9, 4:10, 5:11] = torch.linspace(0.1, 1.0, 216).reshape(6, 6, 6)
    strong = Augmentation(bias_chance=1.0, noise_chance=1.0, blur_chance=1.0)
    changed = vary_intensity(channel, strong, np.random.default_rng(5))
    assert not torch.equal(changed, channel)
    assert float(changed.min()) >= 0.0
    assert float(changed.max()) <= 1.0
    assert float(changed[channel == 0].abs().max()) == 0.0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_blur_spreads_along_its_axis_alone_and_keeps_the_sum(axis: int) -> None:
    point = torch.zeros((9, 9, 9))
    point[4, 4, 4] = 1.0
    spread = blur(point, axis, 1.0)
    assert float(spread.sum()) == pytest.approx(1.0, abs=1e-6)
    others = [other for other in range(3) if other != axis]
    assert int((spread.sum(dim=others) > 0).sum()) == 5
    assert all(int((spread.sum(dim=[d for d in range(3) if d != other]) > 0).sum()) == 1 for other in others)


def test_the_same_generator_state_gives_the_same_crop() -> None:
    first, second = (
        draw_crop(make_sample(), (16, 16, 16), recipe_with(0.5, Augmentation()), np.random.default_rng(9))
        for _ in range(2)
    )
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
