"""The box of what is not zero."""

from __future__ import annotations

import numpy as np

from MedSegAILib.core.filled_box import filled_box


def test_the_box_touches_the_outermost_voxels():
    array = np.zeros((5, 6, 7), np.uint8)
    array[1, 5, 2] = array[3, 0, 4] = 9
    assert filled_box(array) == (slice(1, 4), slice(0, 6), slice(2, 5))


def test_nothing_has_an_empty_box():
    assert np.zeros((3, 4, 5))[filled_box(np.zeros((3, 4, 5)))].size == 0
