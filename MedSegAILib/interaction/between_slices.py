"""A region drawn on a few slices fills between them: shape-based interpolation. Ring 4 (interaction).

Between two drawn slices the signed distance to the outline runs linearly from one to the other; inside is where it is
above 0. Slices of any of the three axes of the array.

Source: Raya and Udupa, "Shape-based interpolation of multidimensional objects", IEEE TMI 9(1), 1990.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import UsageError

Mask = npt.NDArray[np.bool_]


def fill_between(mask: Mask, axis: int, spacing_mm: tuple[float, float]) -> Mask:
    """Give the mask with the gaps between drawn slices filled.

    Args:
        mask: bool ``[z, y, x]``; slices that hold a voxel count as drawn.
        axis: across the slices: 0 for z, 1 for y, 2 for x.
        spacing_mm: of the two axes within a slice, in the order of the array.

    Returns:
        The drawn slices as they are, those between two of them filled, those beyond untouched.

    Raises:
        UsageError: "between.too_few" when fewer than two slices are drawn.
    """
    slices = np.moveaxis(mask, axis, 0)
    drawn = np.flatnonzero(slices.any(axis=(1, 2)))
    if len(drawn) < 2:
        raise UsageError(
            "between.too_few",
            f"The region is drawn on {len(drawn)} slice, at least 2 are wanted.",
            "Draw it on another slice of the same direction.",
        )
    filled = slices.copy()
    for low, high in pairwise(drawn):
        if high - low < 2:
            continue
        first, last = _signed(slices[low], spacing_mm), _signed(slices[high], spacing_mm)
        for index in range(low + 1, high):
            share = (index - low) / (high - low)
            filled[index] = (1.0 - share) * first + share * last > 0.0
    return np.ascontiguousarray(np.moveaxis(filled, 0, axis))


def drawn_axis(mask: Mask) -> int:
    """Give the axis across which a region was drawn on single slices: the one with the largest share of empty slices.

    Args:
        mask: bool ``[z, y, x]``, some voxel set.
    """
    shares = []
    for axis in range(3):
        filled = mask.any(axis=tuple(other for other in range(3) if other != axis))
        where = np.flatnonzero(filled)
        shares.append(1.0 - len(where) / (where[-1] - where[0] + 1) if len(where) else 0.0)
    return int(np.argmax(shares))


def _signed(outline: npt.NDArray[np.bool_], spacing_mm: tuple[float, float]) -> npt.NDArray[np.float64]:
    """Give the distance to the outline in mm, above 0 inside."""
    from scipy import ndimage

    inside = ndimage.distance_transform_edt(np.pad(outline, 1), sampling=spacing_mm)[1:-1, 1:-1]
    outside = ndimage.distance_transform_edt(~outline, sampling=spacing_mm)
    signed: npt.NDArray[np.float64] = inside - outside
    return signed
