"""Slices to a grid: order, even distance, tilt. Pure geometry on arrays; world is LPS mm as in DICOM. Ring 1 (io)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Array, Matrix

SAME_POSITION_MM = 1e-2
# Scanners round positions; steps within this share of the smallest are even (0.01 mm of 3 mm in the samples read).
EVEN_STEP_SHARE = 0.02
# A stack that leans sideways by less than this share of a pixel over its whole height is upright.
UPRIGHT_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Stack:
    """An even stack of parallel slices.

    Args:
        order: input index of each slice, along the slice normal.
        origin_mm: first pixel of the first slice.
        row_mm: step from one column to the next; ``column_mm``: from one row to the next.
        step_mm: from one slice to the next; not along the normal when the stack leans.
    """

    order: tuple[int, ...]
    origin_mm: Matrix
    row_mm: Matrix
    column_mm: Matrix
    step_mm: Matrix

    @property
    def normal(self) -> Matrix:
        """Unit vector across the slices, right-handed with row and column."""
        across = np.cross(self.row_mm, self.column_mm)
        return np.asarray(across / np.linalg.norm(across))

    def tilt_degrees(self) -> float:
        """Give the angle between the direction of the stack and the normal of its slices."""
        cosine = float(self.step_mm @ self.normal / np.linalg.norm(self.step_mm))
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

    def leans(self) -> bool:
        """Tell whether first and last slice are out of line by more than :data:`UPRIGHT_SHARE` of a pixel."""
        sideways = self.step_mm - (self.step_mm @ self.normal) * self.normal
        pixel_mm = min(np.linalg.norm(self.row_mm), np.linalg.norm(self.column_mm))
        return bool(np.linalg.norm(sideways) * (len(self.order) - 1) > UPRIGHT_SHARE * pixel_mm)

    def matrix(self) -> Matrix:
        """Give index (column, row, slice) to LPS mm, 4x4."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([self.row_mm, self.column_mm, self.step_mm], axis=1)
        matrix[:3, 3] = self.origin_mm
        return matrix


def stack_slices(
    positions_mm: Matrix, directions: Matrix, spacing_mm: tuple[float, float], thickness_mm: float, name: str
) -> Stack:
    """Order the slices along their normal and check that they are one even stack.

    Args:
        positions_mm: ``[n, 3]`` first pixel of each slice.
        directions: ``[2, 3]`` direction of the row, of the column; unit vectors.
        spacing_mm: between rows, between columns.
        thickness_mm: step when there is a single slice; 0 when unknown, then 1 mm.
        name: what messages call the series.

    Raises:
        InputError: "series.same_position" for slices on top of each other; "series.missing_slices" for uneven
            steps; "series.not_a_stack" for slices that are shifted sideways irregularly.
    """
    row, column = directions[0] * spacing_mm[1], directions[1] * spacing_mm[0]
    normal = np.cross(directions[0], directions[1])
    normal /= np.linalg.norm(normal)
    heights = positions_mm @ normal
    order = np.argsort(heights, kind="stable")
    count = len(order)
    ordered = positions_mm[order]
    if count == 1:
        return Stack((0,), ordered[0], row, column, normal * (thickness_mm or 1.0))
    _check_steps(heights[order], name)
    step = (ordered[-1] - ordered[0]) / (count - 1)
    off_line = np.linalg.norm(ordered - (ordered[0] + np.arange(count)[:, None] * step), axis=1)
    if off_line.max() > max(min(spacing_mm), EVEN_STEP_SHARE * float(np.linalg.norm(step))):
        raise InputError(
            "series.not_a_stack",
            f"{name} is no stack: its slices are shifted sideways by up to {off_line.max():.1f} mm.",
            "Give a series whose slices lie in line.",
        )
    return Stack(tuple(int(index) for index in order), ordered[0], row, column, step)


def upright(stack: Stack, shape: tuple[int, int, int]) -> tuple[Stack, tuple[int, int, int]]:
    """Give the perpendicular stack and the shape ``[z, y, x]`` of the canvas that holds a leaning one."""
    shift_x, shift_y = _shifts(stack, shape[0])
    first_x, first_y = int(np.floor(shift_x.min())), int(np.floor(shift_y.min()))
    straight = Stack(
        stack.order,
        stack.origin_mm + first_x * stack.row_mm + first_y * stack.column_mm,
        stack.row_mm,
        stack.column_mm,
        (stack.step_mm @ stack.normal) * stack.normal,
    )
    height, width = shape[1] + int(np.ceil(shift_y.max())) - first_y, shape[2] + int(np.ceil(shift_x.max())) - first_x
    return straight, (shape[0], height, width)


def straighten(array: Array, stack: Stack) -> Array:
    """Undo a tilt: shift each slice within its plane (linear interpolation) so that the stack is perpendicular.

    The canvas, that of :func:`upright`, is larger so that nothing is cut off; new pixels get the lowest value of the
    array (air in CT).

    Args:
        array: ``[z, y, x]`` in the order of the stack.
        stack: a leaning stack.

    Returns:
        The array on the canvas, its dtype kept (integers rounded).
    """
    shift_x, shift_y = _shifts(stack, len(array))
    shift_x, shift_y = shift_x - np.floor(shift_x.min()), shift_y - np.floor(shift_y.min())
    _, shape = upright(stack, (array.shape[0], array.shape[1], array.shape[2]))
    fill = float(array.min())
    moved = np.empty(shape, dtype=np.float32)
    for k in range(shape[0]):
        wide = _shifted_line(array[k].astype(np.float32), shift_x[k], shape[2], fill)
        moved[k] = _shifted_line(wide.T, shift_y[k], shape[1], fill).T
    return np.rint(moved).astype(array.dtype) if array.dtype.kind in "iu" else moved.astype(array.dtype, copy=False)


def lean(mask: Array, stack: Stack, shape: tuple[int, int, int]) -> Array:
    """Give back what :func:`straighten` moved: each pixel of the leaning slices takes the nearest on the canvas.

    Args:
        mask: bool or labels, ``[z, y, x]`` on the canvas of :func:`upright`.
        stack: the leaning stack.
        shape: ``[z, y, x]`` of the leaning slices.
    """
    shift_x, shift_y = _shifts(stack, shape[0])
    left = np.rint(shift_x - np.floor(shift_x.min())).astype(int)
    top = np.rint(shift_y - np.floor(shift_y.min())).astype(int)
    height, width = shape[1:]
    return np.stack([mask[k, top[k] : top[k] + height, left[k] : left[k] + width] for k in range(shape[0])])


def _shifts(stack: Stack, depth: int) -> tuple[Matrix, Matrix]:
    """Give by slice how far it leans sideways, in columns and in rows."""
    slices = np.arange(depth)
    return (
        slices * float(stack.step_mm @ stack.row_mm) / np.linalg.norm(stack.row_mm) ** 2,
        slices * float(stack.step_mm @ stack.column_mm) / np.linalg.norm(stack.column_mm) ** 2,
    )


def _shifted_line(image: Array, shift: float, length: int, fill: float) -> Array:
    """Shift the last axis by ``shift`` >= 0 pixels into a canvas of ``length``, linear between pixels."""
    whole = int(np.floor(shift))
    part = np.float32(shift - whole)
    edge = np.full((image.shape[0], 1), fill, dtype=np.float32)
    mixed = (1 - part) * np.concatenate([image, edge], axis=1) + part * np.concatenate([edge, image], axis=1)
    canvas = np.full((image.shape[0], length + 1), fill, dtype=np.float32)
    canvas[:, whole : whole + mixed.shape[1]] = mixed
    return canvas[:, :length]


def _check_steps(heights_mm: Matrix, name: str) -> None:
    steps = np.diff(heights_mm)
    same = int((steps < SAME_POSITION_MM).sum())
    if same:
        raise InputError(
            "series.same_position",
            f"{name} is no single volume: {same} of its {len(heights_mm)} images lie where another one lies.",
            "It holds several time points, echoes or b-values; export one of them, or give one multi-frame file.",
        )
    smallest = float(steps.min())
    wide = np.flatnonzero(steps > smallest * (1 + EVEN_STEP_SHARE) + SAME_POSITION_MM)
    if not len(wide):
        return
    missing = int(sum(round(float(steps[k]) / smallest) - 1 for k in wide))
    first = int(wide[0])
    raise InputError(
        "series.missing_slices",
        f"{name} is not evenly spaced: slices lie {smallest:.2f} mm apart, but {steps[first]:.2f} mm between slice"
        f" {first + 1} and {first + 2}" + (f"; {missing} missing." if missing else "."),
        "Export the whole series again.",
        gaps_mm=[[float(heights_mm[k]), float(heights_mm[k + 1])] for k in wide],
        step_mm=smallest,
        missing=missing,
    )
