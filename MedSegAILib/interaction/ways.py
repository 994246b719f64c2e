"""The shortest way from a prompt to a voxel that does not leave the wrong side: a geodesic distance. Ring 4.

Source: Criminisi, Sharp, Blake, "GeoS: Geodesic Image Segmentation", ECCV 2008; here by sweeps over whole arrays.
"""

from __future__ import annotations

import numpy as np

from .depth import Floats, Mask, Spacing
from .energy import halves

NO_WAY = 99.0
_SWEEPS = 16  # a way of more voxels tells no more
_PRICE_OF_LENGTH = 0.15  # of a mm, in units of the spread of the images


def ways(open_voxels: Mask, seeds: Mask, images: Floats, spacing_zyx_mm: Spacing) -> tuple[Floats, Floats]:
    """Give the lengths of the shortest ways in mm, and what the images change along the smoothest ones.

    Args:
        open_voxels: where a way may go, ``[z, y, x]``.
        seeds: where it starts.
        images: ``[c, z, y, x]`` in units of their spread.
        spacing_zyx_mm: of the voxels.
    """
    lengths = [np.asarray(size, dtype=np.float32) for size in spacing_zyx_mm]
    length = _shortest(open_voxels, seeds, lengths)
    if not len(images):
        return length, np.multiply(length, np.float32(_PRICE_OF_LENGTH))
    prices = []
    for axis, size in enumerate(spacing_zyx_mm):
        low, high = halves(axis)
        steps = [np.square(image[high] - image[low]) for image in images]
        unlike: Floats = np.sqrt(np.mean(steps, axis=0, dtype=np.float32))
        prices.append(unlike + np.float32(_PRICE_OF_LENGTH * size))
    return length, _shortest(open_voxels, seeds, prices)


def _shortest(open_voxels: Mask, seeds: Mask, prices: list[Floats]) -> Floats:
    found: Floats = np.where(seeds, 0.0, NO_WAY).astype(np.float32)
    closed = ~(open_voxels | seeds)
    for sweep in range(_SWEEPS):
        before = found.copy() if sweep % 4 == 3 else None
        for axis, price in enumerate(prices):
            low, high = halves(axis)
            np.minimum(found[high], found[low] + price, out=found[high])
            np.minimum(found[low], found[high] + price, out=found[low])
        found[closed] = NO_WAY
        if before is not None and np.array_equal(found, before):
            break
    return found
