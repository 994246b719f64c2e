"""A click spreads over what is known: how far, along which odds, over which image. Ring 4 (interaction).

A reader clicks in the middle of what is wrong. So the true border is about as far behind the click as the present one
is before it. How hard it is to move the border to a voxel is its depth behind the border in mm, plus a share of the
odds of the network; at the click that is wrong by twice its size. The error is taken to be alike nearby and in like
tissue: it is passed on by a kernel of distance and image, whose width is the depth of the click times ``WIDTH``. Then
the local energy is settled, and of what has changed sides only the part that hangs together with the prompt counts.

This is for thick errors; thin ones are the matter of ``learned``. ``Testing/benchmarks/interaction.py`` measures all
constants; docs/decisions/0012 tells what else was tried.
"""

from __future__ import annotations

import numpy as np

from MedSegAILib.core.correction import REACH_MM
from MedSegAILib.image.components import parts_with

from .depth import LARGEST_DEPTH_MM, Floats, Mask, Spacing, depths_of
from .energy import settle
from .local import Answer, Local

WIDTH = 2.0  # of the kernel, in distances from the click to the present border
LIKE = 0.8  # images differ by so much of their spread within one tissue
WIDTHS = 1.5  # the kernel ends at so many widths: three times the distance to the border
ODDS_SHARE = 0.1  # mm a log-odd of the network; more lets a click run where the network is blind (decision 0012)
SUREST = 12.0  # mm that a prompt has to overcome at most
LEAST = 0.5  # what is left at the prompt afterwards, at least
BARE = 0.1  # of a voxel whose label somebody has set against network and depth
HELD = 4.0  # of the voxels of the prompt while the rest settles
GROWTH = 1.8  # of what is looked at, when the change reaches its faces


def from_what_is_known(local: Local) -> Answer:
    """Give the region by spreading the prompt over odds and images."""
    seeds = local.prompt & local.free
    if not seeds.any():
        return Answer(local.mask, 0.0)
    sign = np.float32(1.0 if local.is_include else -1.0)
    spacing = local.evidence.grid.spacing_zyx_mm
    found, wanted_mm = spread(
        sign * local.log_odds, local.evidence.images, local.free, seeds, local.distance_mm, spacing
    )
    turned = (found & ~local.fixed & (local.distance_mm <= REACH_MM)) | seeds
    if any(bool(turned.take(edge, axis=axis).any()) for axis in range(3) for edge in (0, -1)):
        wanted_mm = max(wanted_mm, GROWTH * local.seen_mm)
    return Answer(np.where(turned, local.is_include, local.mask), wanted_mm)


def spread(
    odds: Floats,
    images: Floats,
    wrong: Mask,
    seeds: Mask,
    distance_mm: Floats,
    spacing_zyx_mm: Spacing,
) -> tuple[Mask, float]:
    """Give the voxels that change sides together with a prompt.

    Args:
        odds: log-odds of the side of the prompt, ``[z, y, x]``.
        images: ``[c, z, y, x]`` in units of their spread.
        wrong: voxels on the other side as it is now.
        seeds: those of them that the prompt holds, at least one.
        distance_mm: to the prompt.
        spacing_zyx_mm: of the voxels.

    Returns:
        Bool ``[z, y, x]``, within ``wrong``; and how far around the prompt it would look, mm.
    """
    depths = depths_of(wrong, spacing_zyx_mm)
    middle = np.unravel_index(int(np.argmax(np.where(seeds, depths, -1.0))), wrong.shape)
    width_mm = WIDTH * min(float(depths[middle]), LARGEST_DEPTH_MM)
    now = np.float32(ODDS_SHARE) * odds - depths
    now = np.clip(np.where(wrong, np.minimum(now, -BARE), np.maximum(now, BARE)), -SUREST, SUREST)
    kernel = _kernel(distance_mm, width_mm, images, seeds)
    lack = max(LEAST, -float(now[middle])) - float(now[middle])
    moved = now + np.float32(lack) * kernel
    moved[seeds] = HELD
    settled = settle(moved, images, seeds)
    changed = wrong & ((settled > 0.0) | seeds)
    return parts_with(changed, seeds), WIDTHS * width_mm


def _kernel(distance_mm: Floats, width_mm: float, images: Floats, seeds: Mask) -> Floats:
    """Give how much a voxel shares the error of the prompt, 0 to 1."""
    exponent = np.square(distance_mm / np.float32(width_mm))
    inside = np.maximum(1.0 - exponent / np.float32(WIDTHS**2), 0.0)
    if len(images):
        shown = images[:, seeds].mean(axis=1)[:, None, None, None]
        exponent += np.square((images - shown) / np.float32(LIKE)).mean(axis=0)
    kernel: Floats = inside * np.exp(-exponent / np.float32(2.0))
    return kernel
