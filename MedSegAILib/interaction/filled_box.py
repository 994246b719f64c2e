"""A box laid around a structure: its region is looked for within, from odds and image together. Ring 4 (interaction).

For a structure that the run has missed, or for one of a package that knows nothing of it. Nothing outside of the box
changes. Two histograms of each image, of the core of the box and of its surroundings, tell what belongs to it; they are
drawn anew from what was found.

Source: Rother, Kolmogorov, Blake, "GrabCut", ACM TOG 23(3), 2004: box, appearance, energy, again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from MedSegAILib.image.components import largest_part

from .energy import settle
from .evidence import Floats

Mask = npt.NDArray[np.bool_]

ROUNDS = 4
HINT = 1.0  # log-odds that a box speaks for its region
SUREST = 3.0  # of odds and of appearance each
BIN_COUNT = 24
_TOP = 4.0  # of an image, in units of its spread; what is beyond falls into the last bin
_SMALLEST_SHARE = 0.01  # so that a look that was never seen speaks, but does not decide
_FEWEST = 8  # voxels that a histogram is drawn from


def fill_box(odds: Floats, images: Floats, mask: Mask, held: Mask) -> Mask:
    """Give the region when it is looked for in a box.

    Args:
        odds: log-odds of the region, ``[z, y, x]``.
        images: ``[c, z, y, x]`` in units of their spread.
        mask: the region as it is now.
        held: voxels of the box.
    """
    core = _core(held)
    known = np.clip(odds, -SUREST, SUREST)
    found = core if not (mask & held).any() else mask & held
    unsure = np.zeros(held.shape, dtype=bool)
    for _ in range(ROUNDS):
        look = known + _appearance(images, found, ~held | (held & ~found & ~core)) + np.float32(HINT)
        look[~held] = -SUREST
        wanted = settle(look, images, unsure) > 0.0
        found = largest_part(wanted & held)
        if not found.any():
            found = core
            break
    return mask | found


def _core(held: Mask) -> Mask:
    """Give the ellipsoid of half the size in the middle of the box."""
    where = np.argwhere(held)
    if not len(where):
        return held
    low, high = where.min(axis=0), where.max(axis=0)
    middle, half = (low + high) / 2.0, np.maximum((high - low) / 4.0, 0.6)
    axes = np.ogrid[tuple(slice(0, count) for count in held.shape)]
    far = sum(((axis - m) / h) ** 2 for axis, m, h in zip(axes, middle, half, strict=True))
    core: Mask = (np.asarray(far) <= 1.0) & held
    return core


def _appearance(images: Floats, inside: Mask, outside: Mask) -> Floats:
    """Give the log-odds that a voxel looks like the inside."""
    total = np.zeros(inside.shape, dtype=np.float32)
    if inside.sum() < _FEWEST or outside.sum() < _FEWEST:
        return total
    for image in images:
        bins = np.clip((image + _TOP) * (BIN_COUNT / (2.0 * _TOP)), 0, BIN_COUNT - 1).astype(np.intp)
        odds = np.log(_shares(bins[inside]) / _shares(bins[outside])).astype(np.float32)
        total += odds[bins]
    # Sequences of one head tell much the same thing: they do not count as independent witnesses.
    clipped: Floats = np.clip(total / np.float32(np.sqrt(max(len(images), 1))), -SUREST, SUREST)
    return clipped


def _shares(bins: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Give the smoothed histogram of some voxels."""
    counts = np.bincount(bins, minlength=BIN_COUNT).astype(np.float64)
    blurred = np.convolve(np.pad(counts, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    shares: npt.NDArray[np.float64] = (blurred + _SMALLEST_SHARE * counts.sum()) / counts.sum()
    return shares
