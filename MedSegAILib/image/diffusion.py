"""Smoothing that keeps edges: anisotropic diffusion after Perona and Malik. Ring 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.run import Cancel
from MedSegAILib.core.volume import Array

LARGEST_GAMMA = 1.0 / 6.0  # with six neighbors; beyond it the scheme may oscillate


def diffuse(
    array: Array, iterations: int = 10, kappa: float = 50.0, gamma: float = 0.1, cancel: Cancel | None = None
) -> npt.NDArray[np.float32]:
    """Let intensities flow between the six neighbors of each voxel, the less the larger their difference.

    Args:
        array: one channel, ``[z, y, x]``; steps between voxels count as one, whatever their spacing.
        iterations: steps in time.
        kappa: difference at which the flow has fallen to 1/e, in intensities; > 0.
        gamma: length of a step in time, above 0, at most 1/6.
        cancel: checked before every step.

    Returns:
        float32, same shape, same sum up to rounding; nothing flows over the image's border.

    Raises:
        ValueError: kappa or gamma out of range.
        Cancelled: "run.cancelled".

    Source: Perona and Malik, IEEE Trans. PAMI 12(7), 629-639, 1990, equations 7 and 8, exponential conductance.
    """
    if not kappa > 0.0 or not 0.0 < gamma <= LARGEST_GAMMA:
        raise ValueError(f"kappa {kappa}, gamma {gamma}")
    current = array.astype(np.float32)
    for _ in range(iterations):
        if cancel is not None:
            cancel.check()
        change = np.zeros_like(current)
        for axis in range(3):
            difference = np.diff(current, axis=axis)
            flow = difference * np.exp(-np.square(difference / np.float32(kappa)))
            inner = [slice(None)] * 3
            inner[axis] = slice(0, -1)
            change[tuple(inner)] += flow
            inner[axis] = slice(1, None)
            change[tuple(inner)] -= flow
        current = current + np.float32(gamma) * change
    return current
