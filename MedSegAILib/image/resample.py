"""Bring an array from one grid to another, with averaging where the new voxels are larger. Ring 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array, Grid, Matrix

from .geometry import shifted

# Matrices come out of float32 headers and chains of products; below this share of a voxel a difference is noise.
# Rounding it away makes equal cases equal to the last bit, whatever the axis order they arrived in.
INDEX_NOISE = 1e-6
# A grid counts as parallel to another when no voxel is misplaced by more than this share of a voxel.
PARALLEL_TOLERANCE = 0.02


def resample(array: Array, from_grid: Grid, to_grid: Grid, *, order: int = 1, fill: float = 0.0) -> Array:
    """Give the array's values at the voxels of another grid.

    Where a new voxel is larger than an old one it gets the average over its own extent, else a linear
    interpolation; the two agree at equal size. Between parallel grids this is separable, hence fast and exact
    under flips; between rotated grids the values are first interpolated on a fine parallel grid, then averaged.

    Args:
        array: ``[z, y, x]`` or ``[c, z, y, x]`` on ``from_grid``.
        from_grid: grid of the array.
        to_grid: wanted grid.
        order: 1 (average or linear, gives float32) or 0 (nearest voxel, keeps the dtype; for label maps).
        fill: value of voxels outside ``from_grid``.

    Returns:
        Array of ``to_grid``'s shape, with the leading channel axis if there was one.

    Source: align-corners-false convention; agrees with SimpleITK (Testing/component/image/test_resample.py).
    """
    channels = array[None] if array.ndim == 3 else array
    to_index = _rounded(np.linalg.inv(from_grid.ijk_to_ras) @ to_grid.ijk_to_ras)
    axis_of = _parallel_axes(to_index, to_grid.shape_zyx)
    if axis_of is not None:
        moved = _separable(channels, to_index, axis_of, to_grid.shape_zyx, order, fill)
    elif order == 0:
        moved = np.stack([_rotated(c, to_index, to_grid.shape_zyx, 0, fill) for c in channels])
    else:
        moved = _rotated_and_averaged(channels, from_grid, to_grid, fill)
    return moved[0] if array.ndim == 3 else moved


def _rounded(matrix: Matrix) -> Matrix:
    return np.round(matrix / INDEX_NOISE) * INDEX_NOISE


def _parallel_axes(to_index: Matrix, shape_zyx: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """Give for each source axis (i, j, k) the target axis that runs along it; None for rotated grids."""
    linear = np.abs(to_index[:3, :3])
    match = (int(linear[0].argmax()), int(linear[1].argmax()), int(linear[2].argmax()))
    if sorted(match) != [0, 1, 2]:
        return None
    rest = linear.copy()
    for row, column in enumerate(match):
        rest[row, column] = 0.0
    drift = rest @ np.array(shape_zyx[::-1], dtype=np.float64)
    return match if drift.max() <= PARALLEL_TOLERANCE else None


def _separable(
    channels: Array,
    to_index: Matrix,
    axis_of: tuple[int, int, int],
    shape_zyx: tuple[int, int, int],
    order: int,
    fill: float,
) -> Array:
    # Bring the source axes into the target's order first; flips stay in the weights.
    source_axes = [2 - axis_of.index(2 - axis) for axis in range(3)]
    moved = np.transpose(channels, (0, *(1 + axis for axis in source_axes)))
    if order == 1:
        moved = moved.astype(np.float32) - np.float32(fill)
    for axis in range(3):
        index = 2 - source_axes[axis]
        scale, offset = float(to_index[index, 2 - axis]), float(to_index[index, 3])
        positions = offset + scale * np.arange(shape_zyx[axis])
        moved = (_take if order == 0 else _weigh)(moved, axis + 1, positions, abs(scale), fill)
    return moved if order == 0 else moved + np.float32(fill)


def _take(array: Array, axis: int, positions: Array, scale: float, fill: float) -> Array:
    count = array.shape[axis]
    nearest = np.floor(positions + 0.5).astype(int)
    taken: Array = np.take(array, np.clip(nearest, 0, count - 1), axis=axis)
    outside = (nearest < 0) | (nearest >= count)
    taken[(slice(None),) * axis + (outside,)] = fill
    return taken


def _weigh(array: Array, axis: int, positions: Array, scale: float, fill: float) -> Array:
    weights = axis_weights(array.shape[axis], positions, scale)
    start = round(float(positions[0]))
    if scale == 1.0 and np.array_equal(positions, start + np.arange(len(positions))):
        inside = slice(max(start, 0), start + len(positions))
        if start >= 0 and start + len(positions) <= array.shape[axis]:
            whole: Array = array[(slice(None),) * axis + (inside,)]
            return whole  # whole voxels keep their values, no arithmetic
    return np.moveaxis(np.asarray(np.tensordot(array, weights, axes=(axis, 1))), -1, axis)


def axis_weights(count: int, positions: Array, scale: float) -> npt.NDArray[np.float32]:
    """Give the weights by which old voxels enter new ones along one axis.

    Args:
        count: number of old voxels.
        positions: centers of the new voxels, in old voxels.
        scale: size of a new voxel in old voxels, > 0.

    Returns:
        ``[len(positions), count]``, float32; rows sum to 1, or to 0 where a center lies outside.
    """
    half = max(scale, 1.0) / 2.0
    old = np.arange(count)[None, :]
    center = np.clip(positions, 0.0, count - 1.0)[:, None] if scale <= 1.0 else positions[:, None]
    overlap = np.minimum(center + half, old + 0.5) - np.maximum(center - half, old - 0.5)
    weights = np.maximum(overlap, 0.0)
    weights[(positions < -0.5 - INDEX_NOISE) | (positions > count - 0.5 + INDEX_NOISE)] = 0.0
    total = weights.sum(axis=1, keepdims=True)
    shares: npt.NDArray[np.float32] = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).astype(
        np.float32
    )
    return shares


def _rotated(channel: Array, to_index: Matrix, shape_zyx: tuple[int, int, int], order: int, fill: float) -> Array:
    backwards = to_index[:3, :3][::-1, ::-1]  # scipy counts (z, y, x), our matrices (i, j, k)
    offset = to_index[:3, 3][::-1]
    moved: Array = ndimage.affine_transform(
        channel, backwards, offset, output_shape=shape_zyx, order=order, mode="constant", cval=fill
    )
    return moved


def _rotated_and_averaged(channels: Array, from_grid: Grid, to_grid: Grid, fill: float) -> Array:
    finest = min(from_grid.spacing_zyx_mm)
    steps = [max(1, round(size / finest)) for size in to_grid.spacing_zyx_mm]
    fine_to_grid = np.diag([1.0 / steps[2], 1.0 / steps[1], 1.0 / steps[0], 1.0])
    first = [(1.0 - step) / (2.0 * step) for step in steps]  # center of the first fine voxel, in coarse ones
    shape = tuple(count * step for count, step in zip(to_grid.shape_zyx, steps, strict=True))
    fine_shape = (shape[0], shape[1], shape[2])
    to_index = np.linalg.inv(from_grid.ijk_to_ras) @ (shifted(to_grid.ijk_to_ras, first) @ fine_to_grid)
    blocks = [part for count, step in zip(to_grid.shape_zyx, steps, strict=True) for part in (count, step)]
    return np.stack(
        [
            _rotated(channel.astype(np.float32), to_index, fine_shape, 1, fill).reshape(blocks).mean(axis=(1, 3, 5))
            for channel in channels
        ]
    )
