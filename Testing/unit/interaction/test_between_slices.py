"""What is drawn on a few slices fills between them."""

import numpy as np
import pytest
from scipy import ndimage

from MedSegAILib.core.errors import UsageError
from MedSegAILib.interaction.between_slices import drawn_axis, fill_between


def cone(shape=(11, 32, 32)):
    z, y, x = np.ogrid[tuple(slice(0, count) for count in shape)]
    return np.hypot(y - 16, x - 16) <= 4 + 0.6 * z


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_cone_drawn_on_three_slices_comes_back(axis):
    truth = np.moveaxis(cone(), 0, axis)
    drawn = np.zeros_like(truth)
    for index in (0, 5, 10):
        place = tuple(index if along == axis else slice(None) for along in range(3))
        drawn[place] = truth[place]
    assert drawn_axis(drawn) == axis
    filled = fill_between(drawn, axis, (1.0, 1.0))
    # The voxels of a drawn outline are whole, so the border may be off by one voxel, the volume hardly.
    near = ndimage.binary_dilation(truth) & ~ndimage.binary_erosion(truth)
    assert not ((filled != truth) & ~near).any()
    assert abs(int(filled.sum()) - int(truth.sum())) < 0.02 * truth.sum()
    assert np.array_equal(filled & drawn, drawn)


def test_slices_beyond_the_drawn_ones_stay_empty():
    drawn = np.zeros((9, 8, 8), bool)
    drawn[2, 2:6, 2:6] = drawn[6, 2:6, 2:6] = True
    filled = fill_between(drawn, 0, (1.0, 1.0))
    assert np.flatnonzero(filled.any(axis=(1, 2))).tolist() == [2, 3, 4, 5, 6]


def test_one_slice_is_too_few():
    drawn = np.zeros((4, 4, 4), bool)
    drawn[1] = True
    with pytest.raises(UsageError) as caught:
        fill_between(drawn, 0, (1.0, 1.0))
    assert caught.value.code == "between.too_few"
