"""Axis order and boxes: exact moves of voxels, never an interpolation (that is ``resample``). Ring 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.volume import Array, Grid, Matrix, Volume

# Letter: patient axis (0 right, 1 anterior, 2 superior) and the direction in which the index grows.
_LETTERS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Reorientation:
    """Which array axes change places, then which are reversed; exact, and exactly undone.

    Args:
        order_zyx: new axis n is old axis ``order_zyx[n]``.
        reversed_zyx: whether new axis n runs backwards.
    """

    order_zyx: tuple[int, int, int]
    reversed_zyx: tuple[bool, bool, bool]

    def apply(self, array: Array) -> Array:
        """Give ``[z, y, x]`` in the new axis order, as a view."""
        return np.transpose(array, self.order_zyx)[self._flips()]

    def undo(self, array: Array) -> Array:
        """Give an array in the new order back in the old one, as a view."""
        return np.transpose(array[self._flips()], np.argsort(self.order_zyx))

    def grid(self, grid: Grid) -> Grid:
        """Give the same voxels' grid in the new order."""
        new_to_old = np.zeros((4, 4))
        new_to_old[3, 3] = 1.0
        for new, (old, is_reversed) in enumerate(zip(self.order_zyx, self.reversed_zyx, strict=True)):
            # Array axes are (z, y, x), index vectors (i, j, k) = (x, y, z): axis n is component 2 - n.
            new_to_old[2 - old, 2 - new] = -1.0 if is_reversed else 1.0
            if is_reversed:
                new_to_old[2 - old, 3] = grid.shape_zyx[old] - 1
        shape = tuple(grid.shape_zyx[old] for old in self.order_zyx)
        return Grid((shape[0], shape[1], shape[2]), grid.ijk_to_ras @ new_to_old)

    def box(self, box: Box, shape_zyx: tuple[int, int, int]) -> Box:
        """Give a box of an array of that shape in the new axis order."""
        moved = [
            _mirrored(box[old], shape_zyx[old]) if is_reversed else box[old]
            for old, is_reversed in zip(self.order_zyx, self.reversed_zyx, strict=True)
        ]
        return moved[0], moved[1], moved[2]

    def undo_box(self, box: Box, shape_zyx: tuple[int, int, int]) -> Box:
        """Give a box in the new order back in the old one; ``shape_zyx`` is that of the array in the old order."""
        old = list(box)
        for new, (axis, is_reversed) in enumerate(zip(self.order_zyx, self.reversed_zyx, strict=True)):
            old[axis] = _mirrored(box[new], shape_zyx[axis]) if is_reversed else box[new]
        return old[0], old[1], old[2]

    def _flips(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1) if is_reversed else slice(None) for is_reversed in self.reversed_zyx)


def _mirrored(side: slice, count: int) -> slice:
    return slice(count - side.stop, count - side.start)


def reorientation_to(grid: Grid, axes: str = "LPS") -> Reorientation:
    """Give the move that brings each index axis to its nearest patient axis.

    Args:
        grid: any grid, oblique ones too.
        axes: for i, j, k in turn the side to which the index shall grow, one letter of each pair RL, AP, SI.

    Raises:
        UsageError: "orient.axes" when the letters do not name three different patient axes.
    """
    wanted = [_LETTERS.get(letter, (-1, 0)) for letter in axes]
    if sorted(axis for axis, _ in wanted) != [0, 1, 2]:
        raise UsageError("orient.axes", f"{axes!r} does not name three patient axes.", 'Give for example "LPS".')
    directions = grid.ijk_to_ras[:3, :3] / np.linalg.norm(grid.ijk_to_ras[:3, :3], axis=0)
    # Best one-to-one match of index axes to patient axes; near 45 degrees the nearest axis of each alone may collide.
    match = max(permutations(range(3)), key=lambda p: sum(abs(directions[p[i], i]) for i in range(3)))
    order, backwards = [0, 0, 0], [False, False, False]
    for new_index, (patient_axis, sign) in enumerate(wanted):
        old_index = match.index(patient_axis)
        order[2 - new_index] = 2 - old_index
        backwards[2 - new_index] = bool(directions[patient_axis, old_index] * sign < 0)
    return Reorientation((order[0], order[1], order[2]), (backwards[0], backwards[1], backwards[2]))


def patient_axes(axes: str = "LPS") -> Matrix:
    """Give the unit vectors, 3x3 in RAS, along which i, j, k grow on a grid that is parallel to the patient."""
    directions = np.zeros((3, 3))
    for index, letter in enumerate(axes):
        patient_axis, sign = _LETTERS[letter]
        directions[patient_axis, index] = sign
    return directions


def orient(volume: Volume, axes: str = "LPS") -> Volume:
    """Give the same voxels in another axis order; see :func:`reorientation_to`."""
    move = reorientation_to(volume.grid, axes)
    return Volume(np.ascontiguousarray(move.apply(volume.array)), move.grid(volume.grid), name=volume.name)


def nonzero_box(arrays: Sequence[Array]) -> Box:
    """Give the smallest box ``(z, y, x)`` that holds every voxel that is not 0 in any of the arrays.

    Args:
        arrays: each ``[z, y, x]``, all of one shape, at least one.

    Returns:
        Half-open slices; the whole array when all voxels are 0.
    """
    shape = arrays[0].shape
    sides = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        filled = np.zeros(shape[axis], dtype=bool)
        for array in arrays:
            filled |= np.any(array, axis=others)
        where = np.flatnonzero(filled)
        sides.append(slice(int(where[0]), int(where[-1]) + 1) if where.size else slice(0, shape[axis]))
    return sides[0], sides[1], sides[2]


def grown_box(box: Box, added_zyx: Sequence[int], shape_zyx: Sequence[int]) -> Box:
    """Give a box that is larger on every side by so many voxels, as far as the array goes."""
    z, y, x = (
        slice(max(0, side.start - more), min(count, side.stop + more))
        for side, more, count in zip(box, added_zyx, shape_zyx, strict=True)
    )
    return z, y, x


def crop_grid(grid: Grid, box: Box) -> Grid:
    """Give the grid of a box of another grid; the voxels stay where they are in space."""
    depth, height, width = (side.stop - side.start for side in box)
    return Grid((depth, height, width), shifted(grid.ijk_to_ras, [side.start for side in box]))


def whole_box(shape_zyx: tuple[int, int, int]) -> Box:
    """Give the box of all voxels."""
    depth, height, width = shape_zyx
    return slice(0, depth), slice(0, height), slice(0, width)


def spanning_grid(grid: Grid, shape_zyx: tuple[int, int, int]) -> Grid:
    """Give a grid of another shape over the same box: same outer faces, same axes, other spacing."""
    scale = [count / new for count, new in zip(grid.shape_zyx, shape_zyx, strict=True)]
    matrix = shifted(grid.ijk_to_ras, [(factor - 1.0) / 2.0 for factor in scale])
    return Grid(shape_zyx, matrix @ np.diag([scale[2], scale[1], scale[0], 1.0]))


def shifted(ijk_to_ras: Matrix, start_zyx: Sequence[float]) -> Matrix:
    """Give the matrix of a grid whose first voxel is voxel ``start_zyx`` of the given one."""
    moved = np.array(ijk_to_ras, dtype=np.float64)
    moved[:3, 3] += moved[:3, :3] @ np.asarray(start_zyx, dtype=np.float64)[::-1]
    return moved
