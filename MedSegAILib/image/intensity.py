"""Intensity scaling of one channel; the two pre-processings of the BraTS 2020 system. Ring 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.volume import Array


def scale_percentiles(array: Array, lower: float = 1.0, upper: float = 99.0) -> npt.NDArray[np.float32]:
    """Clip to two percentiles of the voxels > 0, then scale the whole volume to 0 ... 1.

    Args:
        array: one channel, ``[z, y, x]``; background 0.
        lower: percentile that becomes 0.
        upper: percentile that becomes 1.

    Returns:
        float32, same shape; all 0 when no voxel is > 0 or all of them are equal.

    Source: Henry et al. 2021, pipeline A; percentiles by NumPy's linear rule, as in the published code.
    """
    inside = array[array > 0]
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


def zscore_nonzero(array: Array) -> npt.NDArray[np.float32]:
    """Subtract the mean and divide by the standard deviation of the voxels that are not 0; zeros stay 0.

    Args:
        array: one channel, ``[z, y, x]``.

    Returns:
        float32, same shape; all 0 when no voxel differs from 0 or all of them are equal.

    Source: Henry et al. 2021, pipeline B; population standard deviation, computed in float (the published code
        truncates the scores of integer files).
    """
    scaled = np.zeros(array.shape, dtype=np.float32)
    inside = array != 0
    values = array[inside].astype(np.float64)
    if values.size and (deviation := values.std()) > 0:
        scaled[inside] = (values - values.mean()) / deviation
    return scaled
