"""A click on a thick error spreads over tissue that looks alike; one noisy voxel or an island does not carry it far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from MedSegAILib.core.correction import Correction
from MedSegAILib.core.labels import Label, LabelScheme, Region
from MedSegAILib.core.prompts import Click
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.interaction.known import BALL_MM, LARGEST_GAIN, LARGEST_LOSS, from_what_is_known
from MedSegAILib.interaction.session import correct

_GRAY = (0.5, 0.5, 0.5)
SCHEME = LabelScheme((Label(1, "part", "Part", _GRAY),), (Region("part", "Part", (1,), _GRAY),))
GRID = Grid((40, 40, 40), np.eye(4))
MIDDLE = (20, 20, 20)


def ball(center, radius):
    axes = np.ogrid[tuple(slice(0, count) for count in GRID.shape_zyx)]
    return np.asarray(sum((axis - at) ** 2 for axis, at in zip(axes, center, strict=True)) <= radius**2)


def changed(mask, image, index_zyx, is_include):
    labels = Volume(mask.astype(np.uint8), GRID)
    point = tuple(float(at) for at in index_zyx[::-1])
    images = {"T1": Volume(image.astype(np.float32), GRID)}
    answer = correct(Correction(labels, SCHEME, "part", (Click(point, is_include),), images), from_what_is_known)
    after = mask.astype(np.uint8)
    place = tuple(slice(o, o + n) for o, n in zip(answer.offset_zyx, answer.labels.array.shape, strict=True))
    after[place] = answer.labels.array
    return (after > 0) != mask


@pytest.mark.parametrize("is_noisy", [False, True], ids=["plain", "a noisy voxel"])
def test_what_a_click_shows_is_the_tissue_around_it(is_noisy):
    wrong = ball(MIDDLE, 6)
    image = np.where(wrong, 110.0, 100.0) + np.random.default_rng(0).normal(0.0, 2.0, GRID.shape_zyx)
    if is_noisy:
        image[MIDDLE] = 95.0
    found = changed(np.zeros(GRID.shape_zyx, bool) | ball((20, 20, 9), 5), image, MIDDLE, True)
    assert (found & wrong).sum() > 0.8 * wrong.sum()
    assert (found & ~wrong).sum() < 0.25 * wrong.sum()


def test_an_exclude_click_in_the_middle_of_a_region_spreads_less_than_an_include_click_as_far_outside():
    image = np.random.default_rng(0).normal(100.0, 5.0, GRID.shape_zyx)
    region = ball(MIDDLE, 18)
    taken = changed(region, image, MIDDLE, False)
    given = changed(~region, image, MIDDLE, True)
    assert 0 < taken.sum() < 0.5 * given.sum()


@pytest.mark.parametrize("radius", [2, 4])
def test_a_click_on_an_island_far_from_its_region_takes_the_island_and_not_the_tissue_around_it(radius):
    island, chance = ball((20, 20, 30), radius), np.random.default_rng(0)
    texture = ndimage.gaussian_filter(chance.normal(size=GRID.shape_zyx), 2.0)
    image = np.where(island, 85.0, 100.0 + 5.0 * texture / texture.std()) + chance.normal(size=GRID.shape_zyx)
    found = changed(ball((20, 20, 9), 8), image, (20, 20, 30), True)
    assert (found & island).sum() > 0.8 * island.sum()
    assert (found & ~island).sum() < 0.25 * island.sum()


@given(st.integers(2, 15), st.integers(17, 34), st.booleans())
@settings(max_examples=8, deadline=None)
def test_no_click_changes_more_of_a_region_than_is_bound_however_alike_all_looks(radius, along, is_include):
    region = ball((20, 20, 12), radius)
    spot = (20, 20, along) if is_include else (20, 20, 12)
    if region[spot] != is_include:
        most = (LARGEST_GAIN if is_include else LARGEST_LOSS) * region.sum()
        ball_size = 4.0 / 3.0 * np.pi * BALL_MM**3
        assert 0 < changed(region, np.full(GRID.shape_zyx, 100.0), spot, is_include).sum() <= max(most, ball_size) + 1
