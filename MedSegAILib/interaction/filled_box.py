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

from .appearance import looks_like
from .energy import settle
from .evidence import Floats

Mask = npt.NDArray[np.bool_]

ROUNDS = 4
HINT = 1.0  # log-odds that a box speaks for its region
SUREST = 3.0  # of odds and of appearance each


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
        look = known + looks_like(images, found, ~held | (held & ~found & ~core), SUREST) + np.float32(HINT)
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
