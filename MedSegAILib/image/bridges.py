"""Thin bridges of a mask: where two parts hang together by little. Ring 1 (image)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array

_ALL_NEIGHBORS = np.ones((3, 3, 3), dtype=bool)

Indices = npt.NDArray[np.intp]


def thin_bridges(
    mask: Array, spacing_zyx_mm: tuple[float, float, float], neck_mm: float, least_voxels: float
) -> list[tuple[Indices, int]]:
    """Give the bridges between large parts of a mask.

    Peel the mask; what falls apart hung together by a neck that is no wider than twice the peel.

    Args:
        mask: bool, ``[z, y, x]``.
        spacing_zyx_mm: edges of a voxel.
        neck_mm: width of the widest neck.
        least_voxels: a part counts when it holds at least so many voxels of the mask.

    Returns:
        For each bridge the indices of its voxels, ``[n, 3]`` in (z, y, x), and the size of the smaller of the parts
        that it joins, in voxels; the largest stake first.
    """
    if not mask.any():
        return []
    box = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in ndimage.find_objects(mask.astype(np.uint8))[0])
    inside = np.pad(mask[box], 1)  # the image's edge is no edge of the mask's parts, but an edge to peel from
    depth_mm = ndimage.distance_transform_edt(inside, sampling=spacing_zyx_mm)
    cores, count = ndimage.label(depth_mm > neck_mm / 2.0, _ALL_NEIGHBORS)
    if count < 2:
        return []
    sizes = _sizes(inside, cores, count, spacing_zyx_mm)
    # A crumb of the peeling is no part: its voxels belong to the bridge that it lies in.
    large = sizes >= least_voxels
    large[0] = False
    kept = np.where(large[cores], cores, 0)
    if np.count_nonzero(large) < 2:
        return []
    far_mm, nearest = ndimage.distance_transform_edt(kept == 0, sampling=spacing_zyx_mm, return_indices=True)
    grown = np.where(inside & (far_mm <= neck_mm / 2.0 + max(spacing_zyx_mm)), kept[tuple(nearest)], 0)
    return _between(inside, grown, sizes, np.array([side.start - 1 for side in box]))


def _sizes(inside: Array, cores: Array, count: int, spacing_zyx_mm: tuple[float, float, float]) -> npt.NDArray[np.intp]:
    """Give the voxels of the mask that lie nearest to each core."""
    nearest = ndimage.distance_transform_edt(
        cores == 0, sampling=spacing_zyx_mm, return_distances=False, return_indices=True
    )
    return np.bincount(cores[tuple(nearest)][inside], minlength=count + 1)


def _between(inside: Array, grown: Array, sizes: npt.NDArray[np.intp], first_zyx: Array) -> list[tuple[Indices, int]]:
    """Find the voxels between parts: a neck that none of them grew into, or the plane in which two of them meet."""
    # The lowest part at or beside a voxel; where it is not the highest one, two parts meet.
    high = ndimage.grey_dilation(grown, footprint=_ALL_NEIGHBORS)
    beyond = int(grown.max()) + 1
    low = ndimage.grey_erosion(np.where(grown > 0, grown, beyond), footprint=_ALL_NEIGHBORS)
    meets = inside & (low < high) & (low < beyond)
    necks, _ = ndimage.label((inside & (grown == 0)) | meets, _ALL_NEIGHBORS)
    found = []
    for number, place in enumerate(ndimage.find_objects(necks), start=1):
        around = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in place)
        neck = necks[around] == number
        beside = ndimage.binary_dilation(neck, _ALL_NEIGHBORS)
        joined = np.unique(grown[around][beside])
        joined = joined[joined > 0]
        if len(joined) >= 2:
            where = np.argwhere(neck) + [side.start for side in around] + first_zyx
            found.append((where, int(np.sort(sizes[joined])[-2])))
    return sorted(found, key=lambda bridge: -bridge[1])
