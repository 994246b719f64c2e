"""Smooth building blocks of phantoms: soft thresholds, random fields, blobs along a path.

Nothing here knows anatomy. Arrays are [z, y, x]; lengths are millimeters. Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float32]
Point = tuple[float, float, float]


def soft_below(values: Floats, limit: float, width: float) -> Floats:
    """Give 1 where ``values`` lies well below ``limit``, 0 well above, with a smooth edge of about ``width``.

    The edge stands for partial volume: a voxel on a border holds a mixture of tissues.
    """
    scaled = np.clip((values - limit) / width, -30.0, 30.0)
    return (1.0 / (1.0 + np.exp(scaled))).astype(np.float32)


def random_field(generator: np.random.Generator, shape_zyx: tuple[int, int, int], sigma_voxels: float) -> Floats:
    """Give a smooth random field of mean 0 and standard deviation 1.

    A wide field is drawn on a coarse lattice and enlarged: the same look for a fraction of the time.
    """
    coarse = max(1, int(sigma_voxels / 2.0))
    margin = 4
    small = tuple(count // coarse + 2 * margin for count in shape_zyx)
    noise = generator.standard_normal(small).astype(np.float32)
    smooth = ndimage.gaussian_filter(noise, sigma_voxels / coarse, mode="wrap")
    if coarse > 1:
        smooth = ndimage.zoom(smooth, coarse, order=1)
    offset = tuple((have - want) // 2 for have, want in zip(smooth.shape, shape_zyx, strict=True))
    field = smooth[tuple(slice(first, first + count) for first, count in zip(offset, shape_zyx, strict=True))]
    return ((field - field.mean()) / field.std()).astype(np.float32)


def ellipsoid(coordinates_mm: Sequence[Floats], center_mm: Point, radii_mm: Point) -> Floats:
    """Give a rough signed distance in mm to an ellipsoid: negative inside, about right near its surface."""
    terms = [
        ((axis - middle) / radius) ** 2
        for axis, middle, radius in zip(coordinates_mm, center_mm, radii_mm, strict=True)
    ]
    return ((np.sqrt(terms[0] + terms[1] + terms[2]) - 1.0) * min(radii_mm)).astype(np.float32)


def chain(coordinates_mm: Sequence[Floats], knots_mm: Sequence[Point], radii_mm: Sequence[float]) -> Floats:
    """Give the signed distance in mm to a tube through ``knots_mm`` whose radius changes from knot to knot."""
    distance = np.full(coordinates_mm[0].shape, np.inf, dtype=np.float32)
    for (start, end), (first, last) in zip(pairwise(knots_mm), pairwise(radii_mm), strict=True):
        direction = [b - a for a, b in zip(start, end, strict=True)]
        length_squared = sum(step * step for step in direction)
        along = sum(
            (axis - a) * step for axis, a, step in zip(coordinates_mm, start, direction, strict=True)
        ) / np.float32(length_squared)
        along = np.clip(along, 0.0, 1.0)
        squared = sum(
            (axis - (a + along * step)) ** 2 for axis, a, step in zip(coordinates_mm, start, direction, strict=True)
        )
        np.minimum(distance, np.sqrt(squared) - (first + along * (last - first)), out=distance)
    return distance
