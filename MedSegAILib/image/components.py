"""Connected parts of a mask: which voxels hang together, and where a part is. Ring 1 (image)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array

_ALL_NEIGHBORS = np.ones((3, 3, 3), dtype=bool)  # also those that touch at an edge or a corner
_NEIGHBORS = {6: 1, 18: 2, 26: 3}  # number of neighbors: axes along which they may differ
_ROUNDING = 1e-6  # of a voxel: a volume in mL divided by that of a voxel is not exact


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


def largest_part(mask: Array, connectivity: int = 26) -> npt.NDArray[np.bool_]:
    """Give the largest connected part of a mask; of equal ones the first in scan order, of an empty mask nothing.

    Args:
        mask: bool, ``[z, y, x]``.
        connectivity: 6 (over faces), 18 (and edges) or 26 (and corners).

    Raises:
        ValueError: for another connectivity.
    """
    numbers, sizes = _numbered(mask, connectivity)
    largest: npt.NDArray[np.bool_] = numbers == (int(sizes.argmax()) if sizes.any() else -1)
    return largest


def large_parts(mask: Array, voxels: float, connectivity: int = 26) -> npt.NDArray[np.bool_]:
    """Give the connected parts of a mask that have at least so many voxels; else as :func:`largest_part`."""
    numbers, sizes = _numbered(mask, connectivity)
    kept = sizes >= max(voxels - _ROUNDING, 1.0)
    large: npt.NDArray[np.bool_] = kept[numbers]
    return large


def _numbered(mask: Array, connectivity: int) -> tuple[Array, npt.NDArray[np.intp]]:
    """Give the number of the part at every voxel, and the size of each part; that of the background is 0."""
    if connectivity not in _NEIGHBORS:
        raise ValueError(f"connectivity {connectivity}")
    numbers, _ = ndimage.label(mask, ndimage.generate_binary_structure(3, _NEIGHBORS[connectivity]))
    sizes = np.bincount(numbers.ravel())
    sizes[0] = 0
    return numbers, sizes


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


def parts_with(mask: Array, seeds: Array, connectivity: int = 6) -> npt.NDArray[np.bool_]:
    """Give the connected parts of a mask that hold a seed.

    Args:
        mask: bool, ``[z, y, x]``.
        seeds: bool, likewise.
        connectivity: as in :func:`largest_part`.
    """
    numbers, sizes = _numbered(mask, connectivity)
    kept = np.zeros(len(sizes), dtype=bool)
    kept[np.unique(numbers[seeds & mask])] = True
    kept[0] = False
    held: npt.NDArray[np.bool_] = kept[numbers]
    return held
