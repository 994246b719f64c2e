"""Laws of windows: they cover every voxel, lie within the box, and their shares sum to one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from MedSegAILib.core.errors import PackageError
from MedSegAILib.engine.windows import SMALLEST_SIZE, Windows, smaller

lengths = st.integers(1, 60)
shapes = st.tuples(lengths, lengths, lengths)
window_sets = st.builds(Windows, shapes, st.floats(0.0, 0.9), st.sampled_from(["gaussian", "flat"]))


@settings(max_examples=80, deadline=None)
@given(shapes, window_sets)
def test_shares_of_all_windows_sum_to_one_at_every_voxel(shape, windows):
    total = np.zeros(shape)
    count = 0
    for box, shares in windows.lay(shape):
        assert all(0 <= side.start < side.stop <= length for side, length in zip(box, shape, strict=True))
        assert shares.shape == windows.clipped(shape) == total[box].shape
        assert shares.min() > 0
        total[box] += shares
        count += 1
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-6)
    assert count == windows.count(shape)


@settings(max_examples=80, deadline=None)
@given(shapes, window_sets)
def test_neighbors_overlap_by_at_least_what_was_asked(shape, windows):
    for axis in range(3):
        starts = windows._starts(shape, axis)
        size, count = windows.clipped(shape)[axis], shape[axis]
        assert starts[0] == 0
        assert starts[-1] == count - size
        steps = np.diff(starts)
        assert (steps > 0).all()
        assert (steps <= max(1, size * (1 - windows.overlap))).all()


def test_starts_keep_the_phase_of_three_poolings():
    for size in (16, 32, 40, 64):
        starts = Windows((size,) * 3)._starts((144, 176, 152), 1)
        assert all(start % 8 == 0 for start in starts)
        assert len(starts) > 1


@settings(max_examples=40, deadline=None)
@given(shapes, window_sets)
def test_windows_of_a_turned_box_are_the_turned_windows(shape, windows):
    turned_shape = (shape[0], shape[2], shape[1])
    assert windows.turned(swaps_yx=True).count(turned_shape) == windows.count(shape)
    assert windows.turned(swaps_yx=False) == windows


@given(st.tuples(*[st.integers(1, 40).map(lambda blocks: blocks * 8)] * 3))
def test_smaller_windows_shrink_and_keep_what_poolings_need(shape):
    before = shape
    for size in smaller(shape):
        assert math.prod(size) < math.prod(before)
        assert all(ours % 8 == 0 and ours <= theirs for ours, theirs in zip(size, before, strict=True))
        assert all(ours >= min(SMALLEST_SIZE, whole) for ours, whole in zip(size, shape, strict=True))
        before = size


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"size": [16, 16]},
        {"size": "large"},
        {"size": [16, 16, 0]},
        {"size": [16, 16, 16], "overlap": 1.0},
        {"size": [16, 16, 16], "overlap": float("nan")},
        {"size": [16, 16, 16], "weights": "round"},
    ],
)
def test_windows_that_cannot_be_laid_are_refused(entry):
    with pytest.raises(PackageError) as caught:
        Windows.from_manifest(entry)
    assert caught.value.code == "package.window"


def test_windows_are_read_from_a_manifest():
    assert Windows.from_manifest({"size": [64, 64, 16]}) == Windows((64, 64, 16), 0.5, "gaussian")
    assert Windows.from_manifest({"size": [8, 8, 8], "overlap": 0, "weights": "flat"}) == Windows((8, 8, 8), 0, "flat")
