"""The makers of test data are right: the same head on every grid."""

import numpy as np
import pytest

from Testing.makers.phantoms import aligned_grid, make_case, make_labels, oblique_grid


@pytest.mark.parametrize("grid", [aligned_grid(), oblique_grid()], ids=["aligned", "oblique"])
def test_tumor_volume_is_that_of_a_sphere_on_every_grid(grid):
    volume_ml = np.count_nonzero(make_labels(grid).array) * grid.voxel_volume_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 1.5**3, rel=0.03)


def test_oblique_grid_is_left_handed_and_tilted():
    assert oblique_grid().is_left_handed
    assert oblique_grid().tilt_degrees() > 10


def test_same_seed_gives_the_same_head():
    first, second = make_case().volumes["FLAIR"].array, make_case().volumes["FLAIR"].array
    assert np.array_equal(first, second)
    assert not np.array_equal(first, make_case(seed=8).volumes["FLAIR"].array)
