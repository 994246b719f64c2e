"""Where a stage looks: the voxels of a rough box, of the box around a region, and of a box that a caller gives.

Boxes are half-open slices of a volume in its own axis order; what is counted from one end of the patient to the other
is counted along the nearest axes. Training cuts its samples with the same functions. Ring 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.volume import Array, Grid
from MedSegAILib.image.geometry import Box, crop_grid, grown_box, nonzero_box, reorientation_to, shifted, whole_box
from MedSegAILib.image.survey import filled, largest_piece

# Between air (-1000 HU) and fat (-100), well above lung and table foam.
BODY_ABOVE = -300.0
BODY_SPACING_MM = 4.0  # the body's outline needs no finer voxels
SHARES = ("R_to_L", "A_to_P", "I_to_S")  # along x, y, z of the axis order LPS
_NOISE = 1e-6  # of a voxel; sums of shares and margins are not exact


def rough_box(channels: Sequence[Array], grid: Grid, rough: Mapping[str, Any]) -> Box:
    """Give the voxels in given shares of the extent.

    Args:
        channels: inputs on the grid, each ``[z, y, x]``, at least one.
        grid: any axis order.
        rough: ``{"of": "image" | "nonzero" | "body", "above": -300, "R_to_L": [low, high], "A_to_P": ..., "I_to_S":
            ...}``; see ``docs/reference/manifest.md``.

    Raises:
        ValueError: unknown words, or shares that are not 0 <= low < high <= 1.
    """
    unknown = set(rough) - {"of", "above", *SHARES}
    of = rough.get("of", "image")
    if unknown or of not in _EXTENTS:
        raise ValueError(f"rough box {dict(rough)}")
    move = reorientation_to(grid, "LPS")
    extent = _EXTENTS[of]([move.apply(channel) for channel in channels], move.grid(grid), rough)
    sides = []
    for axis, name in enumerate(reversed(SHARES)):
        low, high = (float(share) for share in rough.get(name, (0.0, 1.0)))
        if not 0.0 <= low < high <= 1.0:
            raise ValueError(f"{name} {low} to {high}")
        start, count = extent[axis].start, extent[axis].stop - extent[axis].start
        sides.append(slice(start + math.floor(low * count + _NOISE), start + math.ceil(high * count - _NOISE)))
    return move.undo_box((sides[0], sides[1], sides[2]), grid.shape_zyx)


def region_box(
    mask: Array, grid: Grid, margin_mm: float | Sequence[float] = 0.0, at_least_mm: float | Sequence[float] = 0.0
) -> Box | None:
    """Give the voxels around a region.

    Args:
        mask: bool, ``[z, y, x]``.
        grid: of the mask.
        margin_mm: added on each side; a number, or along x, y, z of the patient (left-right, front-back, up-down).
        at_least_mm: smallest length of the sides, likewise; longer ones stay.

    Returns:
        The box, cut at the image's border; None for an empty mask.
    """
    if not mask.any():
        return None
    move = reorientation_to(grid, "LPS")
    box = nonzero_box([move.apply(mask)])
    spacing = move.grid(grid).spacing_zyx_mm
    added = []
    for axis in range(3):
        count = box[axis].stop - box[axis].start
        margin, least = (_along(value, axis) / spacing[axis] for value in (margin_mm, at_least_mm))
        wider = math.ceil(margin - _NOISE)
        added.append(max(wider, math.ceil((least - count) / 2.0 - _NOISE)))
    return move.undo_box(grown_box(box, added, move.grid(grid).shape_zyx), grid.shape_zyx)


def larger_box(box: Box, shape_zyx: tuple[int, int, int], factor: float) -> Box:
    """Give a box whose sides are longer by a factor, around the same center, cut at the image's border."""
    return grown_box(
        box, [math.ceil((side.stop - side.start) * (factor - 1.0) / 2.0 - _NOISE) for side in box], shape_zyx
    )


def touches_face(mask: Array, box: Box) -> bool:
    """Tell whether a mask of the whole image reaches a face of a box that lies inside the image.

    Args:
        mask: bool, ``[z, y, x]``, of the image; what lies outside of the box does not count.
        box: of it.
    """
    inside = mask[box]
    for axis, (side, count) in enumerate(zip(box, mask.shape, strict=True)):
        if side.start > 0 and inside.take(0, axis).any():
            return True
        if side.stop < count and inside.take(-1, axis).any():
            return True
    return False


def to_space(stage: str, grid: Grid, box: Box) -> StageBox:
    """Give a box of voxels as a box in space, along the axes of the grid."""
    part = crop_grid(grid, box)
    middle = shifted(part.ijk_to_ras, [(count - 1) / 2.0 for count in part.shape_zyx])[:3, 3]
    depth, height, width = (count * size for count, size in zip(part.shape_zyx, part.spacing_zyx_mm, strict=True))
    axes = part.ijk_to_ras[:3, :3] / np.linalg.norm(part.ijk_to_ras[:3, :3], axis=0)
    first, second, third = (tuple(float(value) for value in axis) for axis in axes.T)
    right, anterior, superior = (float(value) for value in middle)
    # Vectors of three, whatever the type checker sees in a tuple of unknown length.
    return StageBox(
        stage,
        (right, anterior, superior),
        (width, height, depth),
        ((first[0], first[1], first[2]), (second[0], second[1], second[2]), (third[0], third[1], third[2])),
    )


def from_space(box: StageBox, grid: Grid) -> Box:
    """Give the voxels of a grid that a box in space holds: those whose centers lie between its faces.

    A box that is turned against the grid gives all voxels between its outermost corners.

    Raises:
        UsageError: "options.boxes" when it holds no voxel of the image.
    """
    to_index = np.linalg.inv(grid.ijk_to_ras)
    places = (to_index[:3, :3] @ np.array(box.corners_ras_mm()).T + to_index[:3, 3:])[::-1]  # (z, y, x)
    sides = []
    for low, high, count in zip(places.min(axis=1), places.max(axis=1), grid.shape_zyx, strict=True):
        start, stop = math.ceil(low - _FACE_NOISE), math.floor(high + _FACE_NOISE) + 1
        # A face between two voxels, as those of our own boxes, lies at a half.
        sides.append(slice(max(start, 0), min(stop, count)))
    if any(side.stop <= side.start for side in sides):
        raise UsageError(
            "options.boxes",
            f"The box of stage {box.stage!r} lies outside of the image, or holds no voxel of it.",
            "Move it onto the image, or give none.",
        )
    return sides[0], sides[1], sides[2]


_FACE_NOISE = 1e-3  # voxels; matrices of files are float32


def _along(value: float | Sequence[float], axis: int) -> float:
    """Give the entry for an array axis of a number, or of three of them along x, y, z."""
    return float(value) if isinstance(value, (int, float)) else float(value[2 - axis])


def _body(channels: Sequence[Array], grid: Grid, rough: Mapping[str, Any]) -> Box:
    """Give the box of the largest bright piece of the first input, found on voxels of about 4 mm."""
    steps = [max(1, round(BODY_SPACING_MM / size)) for size in grid.spacing_zyx_mm]
    coarse = channels[0][tuple(slice(step // 2, None, step) for step in steps)]
    mask: npt.NDArray[np.bool_] = filled(largest_piece(coarse > float(rough.get("above", BODY_ABOVE))))
    box = nonzero_box([mask])
    sides = [
        slice(side.start * step, min(side.stop * step, count))
        for side, step, count in zip(box, steps, grid.shape_zyx, strict=True)
    ]
    return sides[0], sides[1], sides[2]


_EXTENTS: dict[str, Callable[[Sequence[Array], Grid, Mapping[str, Any]], Box]] = {
    "image": lambda _channels, grid, _rough: whole_box(grid.shape_zyx),
    "nonzero": lambda channels, _grid, _rough: nonzero_box(channels),
    "body": _body,
}
