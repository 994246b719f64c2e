"""The local energy: every voxel wants its own log-odds, and the same as neighbors that look like it. Ring 4.

    E(f) = sum_v (f_v - u_v)^2  +  strength * sum_{v ~ w} a_vw (f_v - f_w)^2,     f = h on voxels of prompts

with a_vw = exp(-|I_v - I_w|^2) over the six neighbors. It is a random walk with restart: convex, one minimum.

Source: Grady, "Random Walks for Image Segmentation", IEEE TPAMI 28(11), 2006, with the priors of Grady, "Multilabel
Random Walker Image Segmentation Using Prior Models", CVPR 2005, equation 11. Solved by Jacobi steps on arrays, which
converge fast because every voxel has a restart; no sparse matrix is built.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.volume import Array

Floats = npt.NDArray[np.float32]

STRENGTH = 0.35
STEP_COUNT = 6  # the error falls by strength * 6 / (1 + strength * 6) a step at worst


def settle(unary: Floats, images: Floats, fixed: Array, strength: float = STRENGTH) -> Floats:
    """Give the minimum of the energy, ``[z, y, x]``.

    Args:
        unary: log-odds of each voxel.
        images: ``[c, z, y, x]`` in units of their spread; without a channel all neighbors look alike.
        fixed: bool, voxels that keep their ``unary`` (those of prompts).
        strength: of the pull between like neighbors; 0 gives ``unary``.
    """
    if strength <= 0.0:
        return unary
    weights = [_likeness(images, axis, unary.shape, strength) for axis in range(3)]
    total = np.ones_like(unary)
    for axis, weight in enumerate(weights):
        low, high = halves(axis)
        total[low] += weight
        total[high] += weight
    solved: Floats = unary.copy()
    for _ in range(STEP_COUNT):
        pull = unary.copy()
        for axis, weight in enumerate(weights):
            low, high = halves(axis)
            pull[low] += weight * solved[high]
            pull[high] += weight * solved[low]
        np.divide(pull, total, out=solved)
        solved[fixed] = unary[fixed]
    return solved


def _likeness(images: Floats, axis: int, shape: tuple[int, ...], strength: float) -> Floats:
    low, high = halves(axis)
    if not len(images):
        return np.full([count - (along == axis) for along, count in enumerate(shape)], strength, dtype=np.float32)
    squares = np.zeros_like(images[0][low])
    for image in images:
        squares += np.square(image[high] - image[low])
    likeness: Floats = np.float32(strength) * np.exp(squares / np.float32(-len(images)))
    return likeness


def halves(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Give all voxels but the last, and all but the first, along an axis."""
    low, high = [slice(None)] * 3, [slice(None)] * 3
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return tuple(low), tuple(high)
