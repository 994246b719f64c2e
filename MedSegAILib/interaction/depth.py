"""How deep voxels lie behind the border of a region, and which way the border faces. Ring 4 (interaction)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Spacing = tuple[float, float, float]  # mm, in the order of the array

LARGEST_DEPTH_MM = 12.0  # a click deeper than this tells no more
SMALLEST_DEPTH_MM = 0.3
_FLAT_MM = 6.0  # farther from the border its direction means nothing
_SMOOTHING_MM = 1.5  # of the depths, so that a staircase of voxels has one direction


def depths_of(wrong: Mask, spacing_zyx_mm: Spacing) -> Floats:
    """Give how far each voxel lies behind the present border, in mm; below 0 on the side that is right.

    Args:
        wrong: voxels on the other side than the prompt, ``[z, y, x]``.
        spacing_zyx_mm: of the voxels.
    """
    from scipy import ndimage

    if wrong.all():
        return np.full(wrong.shape, LARGEST_DEPTH_MM / 2.0, dtype=np.float32)
    behind = ndimage.distance_transform_edt(wrong, sampling=spacing_zyx_mm)
    before = ndimage.distance_transform_edt(~wrong, sampling=spacing_zyx_mm)
    depths: Floats = (behind - before).astype(np.float32)
    return depths


def depth_of(depths: Floats, seeds: Mask) -> float:
    """Give how deep the voxels of a prompt lie behind the present border at most, mm."""
    return float(np.clip(depths[seeds].max(), SMALLEST_DEPTH_MM, LARGEST_DEPTH_MM))


def blurred(array: npt.NDArray[np.generic], sigma_mm: float, spacing_zyx_mm: Spacing) -> Floats:
    """Give an array blurred by a Gaussian; beyond its faces it goes on as it ends there."""
    from scipy import ndimage

    sigmas = [sigma_mm / size for size in spacing_zyx_mm]
    smooth: Floats = ndimage.gaussian_filter(array.astype(np.float32), sigmas, mode="nearest", truncate=2.5)
    return smooth


def facing(depths: Floats, spacing_zyx_mm: Spacing) -> Floats:
    """Give the unit vectors away from the border, ``[3, z, y, x]``; shorter where there is no direction."""
    smooth = blurred(np.clip(depths, -_FLAT_MM, _FLAT_MM), _SMOOTHING_MM, spacing_zyx_mm)
    steps = np.array([np.gradient(smooth, size, axis=axis) for axis, size in enumerate(spacing_zyx_mm)], np.float32)
    unit: Floats = steps / (np.sqrt(np.square(steps).sum(axis=0)) + np.float32(1e-3))
    return unit
