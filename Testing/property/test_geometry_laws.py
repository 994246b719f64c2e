import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import crop_grid, nonzero_box, orient, reorientation_to
from MedSegAILib.image.resample import axis_weights, resample

AXIS_ORDERS = [
    (order, flips) for order in itertools.permutations(range(3)) for flips in itertools.product([False, True], repeat=3)
]


def stored_in(volume: Volume, order, flips) -> Volume:
    """Give the same voxels stored in another axis order, computed index by index, without our own code."""
    shape = tuple(volume.array.shape[axis] for axis in order)
    array = np.zeros(shape, volume.array.dtype)
    new_to_old = np.zeros((4, 4))
    new_to_old[3, 3] = 1
    for index in np.ndindex(shape):
        old = [0, 0, 0]
        for new, axis in enumerate(order):
            old[axis] = volume.array.shape[axis] - 1 - index[new] if flips[new] else index[new]
        array[index] = volume.array[tuple(old)]
    for new, axis in enumerate(order):
        new_to_old[2 - axis, 2 - new] = -1 if flips[new] else 1
        if flips[new]:
            new_to_old[2 - axis, 3] = volume.array.shape[axis] - 1
    return Volume(array, Grid(shape, volume.grid.ijk_to_ras @ new_to_old))


def a_volume(matrix) -> Volume:
    array = np.random.default_rng(3).integers(0, 99, (3, 4, 5)).astype(np.int16)
    return Volume(array, Grid(array.shape, matrix))


def rotation(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = (3, -7, 11)
    return matrix


@pytest.mark.parametrize(("order", "flips"), AXIS_ORDERS)
@pytest.mark.parametrize("degrees", [0, 20])
def test_all_48_axis_orders_come_to_the_same_canonical_volume(order, flips, degrees):
    volume = orient(a_volume(rotation(degrees) @ np.diag([0.9, 1.1, 3.0, 1.0])), "LPS")
    stored = stored_in(volume, order, flips)
    again = orient(stored, "LPS")
    assert (again.array == volume.array).all()
    assert again.grid.is_same_as(volume.grid, 1e-9)
    move = reorientation_to(stored.grid)
    assert (move.undo(move.apply(stored.array)) == stored.array).all()


def test_canonical_axes_grow_to_the_named_sides():
    grid = orient(a_volume(np.diag([2.0, 2.0, 2.0, 1.0])), "LPS").grid
    assert np.allclose(grid.ijk_to_ras[:3, :3], np.diag([-2, -2, 2]))


def test_box_holds_every_nonzero_voxel_of_any_channel():
    first, second = np.zeros((6, 7, 8)), np.zeros((6, 7, 8))
    first[2, 3, 4] = 1
    second[4, 1, 7] = -1
    assert nonzero_box([first, second]) == (slice(2, 5), slice(1, 4), slice(4, 8))
    assert nonzero_box([np.zeros((2, 3, 4))]) == (slice(0, 2), slice(0, 3), slice(0, 4))


def test_cropped_grid_keeps_voxels_in_place():
    volume = a_volume(rotation(30))
    box = (slice(1, 3), slice(2, 4), slice(0, 5))
    corner = crop_grid(volume.grid, box).ijk_to_ras @ [0, 0, 0, 1]
    assert np.allclose(corner, volume.grid.ijk_to_ras @ [0, 2, 1, 1])


@given(
    count=st.integers(2, 40),
    scale=st.floats(0.2, 5.0),
    offset=st.floats(-3.0, 3.0),
    new_count=st.integers(1, 40),
)
def test_weights_sum_to_one_inside_and_zero_outside(count, scale, offset, new_count):
    positions = offset + scale * np.arange(new_count)
    sums = axis_weights(count, positions, scale).sum(axis=1)
    inside = (positions >= -0.5) & (positions <= count - 0.5)
    assert np.allclose(sums[inside], 1, atol=1e-5)
    clearly_outside = (positions < -0.51) | (positions > count - 0.49)
    assert not sums[clearly_outside].any()


@settings(deadline=None, max_examples=25)
@given(order=st.sampled_from(AXIS_ORDERS), degrees=st.sampled_from([0.0, 25.0]))
def test_resampling_to_the_same_lattice_in_another_axis_order_moves_no_value(order, degrees):
    volume = a_volume(rotation(degrees))
    stored = stored_in(volume, *order)
    moved = resample(volume.array.astype(np.float32), volume.grid, stored.grid)
    assert (moved == stored.array).all()
    labels = resample(volume.array, volume.grid, stored.grid, order=0)
    assert labels.dtype == volume.array.dtype
    assert (labels == stored.array).all()


def test_constant_stays_constant_and_outside_gets_the_fill():
    grid = Grid((6, 6, 6), np.eye(4))
    target = np.diag([2.0, 2.0, 2.0, 1.0])
    target[:3, 3] = 0.5
    moved = resample(np.full((6, 6, 6), 7.0), grid, Grid((5, 3, 3), target), fill=-9)
    assert np.allclose(moved[:3], 7)
    assert np.allclose(moved[3:], -9)


def test_larger_voxels_get_the_average_of_the_smaller_ones():
    values = np.random.default_rng(0).random((8, 8, 8)).astype(np.float32)
    matrix = np.diag([2.0, 2.0, 2.0, 1.0])
    matrix[:3, 3] = 0.5
    moved = resample(values, Grid((8, 8, 8), np.eye(4)), Grid((4, 4, 4), matrix))
    assert np.allclose(moved, values.reshape(4, 2, 4, 2, 4, 2).mean(axis=(1, 3, 5)), atol=1e-6)
