"""Connected parts of a mask: which voxels hang together, and where a part is. Ring 1 (image)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array

_ALL_NEIGHBORS = np.ones((3, 3, 3), dtype=bool)  # also those that touch at an edge or a corner


def parts_of(mask: Array) -> list[npt.NDArray[np.intp]]:
    """Give the connected parts of a mask.

    Args:
        mask: bool, ``[z, y, x]``; voxels hang together over faces, edges and corners (26 neighbors).

    Returns:
        The indices of the voxels of each part, ``[n, 3]`` in (z, y, x); the largest part first, ties in scan order.
    """
    numbers, count = ndimage.label(mask, _ALL_NEIGHBORS)
    if not count:
        return []
    where = np.argwhere(numbers)
    owner = numbers[tuple(where.T)]
    order = np.argsort(owner, kind="stable")
    sizes = np.bincount(owner, minlength=count + 1)[1:]
    parts = np.split(where[order], np.cumsum(sizes)[:-1])
    return sorted(parts, key=len, reverse=True)


def without_holes(mask: Array) -> npt.NDArray[np.bool_]:
    """Give the mask with every hole filled that is closed in three dimensions (over faces)."""
    filled: npt.NDArray[np.bool_] = ndimage.binary_fill_holes(mask)
    return filled


def smooth(array: Array, sigma_zyx: tuple[float, float, float]) -> npt.NDArray[np.float32]:
    """Give the array blurred by a Gaussian; outside the array counts as 0.

    Args:
        array: ``[z, y, x]``.
        sigma_zyx: standard deviations in voxels.
    """
    smoothed: npt.NDArray[np.float32] = ndimage.gaussian_filter(
        array.astype(np.float32), sigma_zyx, mode="constant", truncate=3.0
    )
    return smoothed
