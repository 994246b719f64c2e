"""Intensity scaling of one channel: windows of CT, percentiles, z-scores. Ring 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array

SMALLEST_INNER_SHARE = 0.1  # when less than this is left without its margin, the mask is a sheet, not a body


def scale_percentiles(
    array: Array, lower: float = 1.0, upper: float = 99.0, margin_zyx: tuple[int, int, int] = (0, 0, 0)
) -> npt.NDArray[np.float32]:
    """Clip to two percentiles of the voxels > 0, then scale the whole volume to 0 ... 1.

    Args:
        array: one channel, ``[z, y, x]``; background 0.
        lower: percentile that becomes 0.
        upper: percentile that becomes 1.
        margin_zyx: voxels next to the background that do not count. Every interpolation leaves a seam of dim voxels
            around a stripped brain, and the lower percentile would follow it: 290 became 35 on a turned study.

    Returns:
        float32, same shape; all 0 when no voxel is > 0 or all of them are equal.

    Source: Henry et al. 2021, pipeline A; percentiles by NumPy's linear rule, as in the published code.
    """
    inside = array[_without_margin(array > 0, margin_zyx)]
    if inside.size == 0:
        return np.zeros(array.shape, dtype=np.float32)
    low, high = np.percentile(inside.astype(np.float64), [lower, upper])
    clipped = np.clip(array.astype(np.float64), low, high)
    # The published code divides by max - min after clipping; without background (a crop inside the brain) the
    # minimum is the lower percentile all the same, because voxels below it are clipped to it.
    if high <= low:
        return np.zeros(array.shape, dtype=np.float32)
    scaled: npt.NDArray[np.float32] = ((clipped - low) / (high - low)).astype(np.float32)
    return scaled


def _without_margin(mask: npt.NDArray[np.bool_], margin_zyx: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    """Take a margin off a mask, axis by axis; the image's own border is no background. A thin mask stays whole."""
    inner = mask
    for axis, margin in enumerate(margin_zyx):
        if margin:
            size = [1, 1, 1]
            size[axis] = 2 * margin + 1
            inner = ndimage.minimum_filter(inner, size, mode="nearest")
    return inner if np.count_nonzero(inner) >= SMALLEST_INNER_SHARE * np.count_nonzero(mask) else mask


def zscore_nonzero(array: Array, margin_zyx: tuple[int, int, int] = (0, 0, 0)) -> npt.NDArray[np.float32]:
    """Subtract the mean and divide by the standard deviation of the voxels that are not 0; zeros stay 0.

    Args:
        array: one channel, ``[z, y, x]``.
        margin_zyx: voxels next to the background that do not count and whose scores are 0 at least. The dim seam that
            every interpolation leaves around a stripped brain doubled the deviation of a study, and would be the
            darkest rim of it, as thick as its grid makes it.

    Returns:
        float32, same shape; all 0 when no voxel differs from 0 or all of them are equal.

    Source: Henry et al. 2021, pipeline B; population standard deviation, computed in float (the published code
        truncates the scores of integer files).
    """
    scaled = np.zeros(array.shape, dtype=np.float32)
    inside = array != 0
    inner = _without_margin(inside, margin_zyx)
    values = array[inner].astype(np.float64)
    if values.size and (deviation := values.std()) > 0:
        # In float64 under every numpy: the scores of a float32 image are those of before.
        scaled[inside] = (array[inside].astype(np.float64) - values.mean()) / deviation
        rim = inside & ~inner
        scaled[rim] = np.maximum(scaled[rim], 0.0)
    return scaled


def zscore(array: Array) -> npt.NDArray[np.float32]:
    """Subtract the mean and divide by the standard deviation of all values.

    Args:
        array: any shape; one channel of a volume, or of a window of it.

    Returns:
        float32, same shape; all 0 when all values are equal.
    """
    values = array.astype(np.float64)
    deviation = values.std()
    if deviation <= 0:
        return np.zeros(array.shape, dtype=np.float32)
    scaled: npt.NDArray[np.float32] = ((values - values.mean()) / deviation).astype(np.float32)
    return scaled


def window_map(array: Array, low: float, high: float, to: tuple[float, float] = (0.0, 1.0)) -> npt.NDArray[np.float32]:
    """Clip to a window and map it linearly, as a CT is shown.

    Args:
        array: one channel, ``[z, y, x]``; HU for CT.
        low: value that becomes ``to[0]``.
        high: value that becomes ``to[1]``; above ``low``.
        to: range of the result.

    Returns:
        float32, same shape.

    Raises:
        ValueError: when ``high`` is not above ``low``.
    """
    if not high > low:
        raise ValueError(f"a window from {low} to {high}")
    shares = (np.clip(array.astype(np.float64), low, high) - low) / (high - low)
    mapped: npt.NDArray[np.float32] = (to[0] + shares * (to[1] - to[0])).astype(np.float32)
    return mapped
