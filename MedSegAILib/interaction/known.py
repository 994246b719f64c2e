"""A click spreads over what is known: how far, along which odds, over which image. Ring 4 (interaction).

A reader clicks in the middle of what is wrong. So the true border is about as far behind the click as the present one
is before it. How hard it is to move the border to a voxel is its depth behind the border in mm, plus a share of the
odds of the network; at the click that is wrong by twice its size. The error is taken to be alike nearby and in like
tissue: it is passed on by a kernel of distance and image, whose width is the depth of the click times ``WIDTH``. What
the error looks like is told by the voxels around the click. Then the local energy is settled, and of what has changed
sides only the part that hangs together with the prompt counts.

This is for thick errors; thin ones are the matter of ``learned``. ``Testing/benchmarks/interaction.py`` measures all
constants; docs/decisions/0012 tells what else was tried.
"""

from __future__ import annotations

import numpy as np

from MedSegAILib.core.correction import REACH_MM
from MedSegAILib.image.components import parts_with

from .depth import LARGEST_DEPTH_MM, Floats, Mask, depths_of
from .energy import settle
from .local import Answer, Local

WIDTH = 2.0  # of the kernel, in distances from the click to the present border
# What is right in a region is dearer than what is wrong with it: an exclude click far from any border spreads less.
DEEPEST_EXCLUDE_MM = 6.0
THICK = 1.5  # an include click spreads as if its error were so many times as thick as the region near it, at most
LIKE = 0.8  # images differ by so much of their spread within one tissue, and by what they differ around the prompt
LOOK = 0.6  # the voxels around a prompt up to this share of its depth show what is wrong; one alone may be noise
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
    found, wanted_mm = _spread(local, seeds, sign * local.log_odds)
    turned = (found & ~local.fixed & (local.distance_mm <= REACH_MM)) | seeds
    if any(bool(turned.take(edge, axis=axis).any()) for axis in range(3) for edge in (0, -1)):
        wanted_mm = max(wanted_mm, GROWTH * local.seen_mm)
    return Answer(np.where(turned, local.is_include, local.mask), wanted_mm)


def _spread(local: Local, seeds: Mask, odds: Floats) -> tuple[Mask, float]:
    """Give the voxels that change sides together with a prompt, and how far around it this would look, mm.

    Args:
        local: the region.
        seeds: voxels of the prompt that are on the wrong side, at least one.
        odds: log-odds of the side of the prompt, ``[z, y, x]``.
    """
    wrong, images, distance_mm = local.free, local.evidence.images, local.distance_mm
    depths = depths_of(wrong, local.evidence.grid.spacing_zyx_mm)
    middle = np.unravel_index(int(np.argmax(np.where(seeds, depths, -1.0))), wrong.shape)
    depth_mm = min(float(depths[middle]), LARGEST_DEPTH_MM)
    thick_mm = max(DEEPEST_EXCLUDE_MM, THICK * float(-depths.min())) if local.is_include else DEEPEST_EXCLUDE_MM
    width_mm = WIDTH * min(depth_mm, thick_mm)
    now = np.float32(ODDS_SHARE) * odds - depths
    now = np.clip(np.where(wrong, np.minimum(now, -BARE), np.maximum(now, BARE)), -SUREST, SUREST)
    shown = seeds | (wrong & (distance_mm <= np.float32(LOOK * depth_mm)))
    kernel = _kernel(distance_mm, width_mm, images, seeds, shown)
    lack = max(LEAST, -float(now[middle])) - float(now[middle])
    moved = now + np.float32(lack) * kernel
    moved[seeds] = HELD
    settled = settle(moved, images, seeds)
    changed = wrong & ((settled > 0.0) | seeds)
    return parts_with(changed, seeds), WIDTHS * width_mm


def _kernel(distance_mm: Floats, width_mm: float, images: Floats, seeds: Mask, around: Mask) -> Floats:
    """Give how much a voxel shares the error of the prompt, 0 to 1; ``around`` shows what the error looks like."""
    exponent = np.square(distance_mm / np.float32(width_mm))
    inside = np.maximum(1.0 - exponent / np.float32(WIDTHS**2), 0.0)
    if len(images):
        look, squares = _look(images[:, seeds].mean(axis=1), images[:, around])
        exponent += (np.square(images - look[:, None, None, None]) / squares[:, None, None, None]).mean(axis=0)
    kernel: Floats = inside * np.exp(-exponent / np.float32(2.0))
    return kernel


def _look(clicked: Floats, around: Floats) -> tuple[Floats, Floats]:
    """Give what an error looks like, by image, and the square of how far its voxels may differ from that.

    Voxels around the prompt count the more the more they look like it: noise at the prompt is averaged away, but a thin
    structure is not taken for the tissue around it.
    """
    like = np.float32(LIKE**2)
    weight = np.exp(np.square(around - clicked[:, None]).mean(axis=0) / (np.float32(-2.0) * like))
    weight /= weight.sum()
    look: Floats = around @ weight
    squares: Floats = like + np.square(around - look[:, None]) @ weight
    return look, squares
