"""A click spreads over what is known: how far, along which odds, over which image. Ring 4 (interaction).

A reader clicks in the middle of what is wrong. So the true border is about as far behind the click as the present one
is before it. How hard it is to move the border to a voxel is its depth behind the border in mm, plus a share of the
odds of the network; at the click that is wrong by twice its size. The error is taken to be alike nearby and in like
tissue: it is passed on by a kernel of distance and image, whose width is the depth of the click times ``WIDTH``. What
the error looks like is told by the voxels around the click. Then the local energy is settled, and of what has changed
sides only the part that hangs together with the prompt counts.

How far a click lies behind the border says how thick its error is only where the two touch; for an island it is no
more than a bound. So what an include click is about ends where most of the voxels around it look otherwise, what lies
deeper than it resists all the more, and no click changes more of a region than ``LARGEST_GAIN`` or ``LARGEST_LOSS``.

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
ALIKE = 0.5  # of the voxels around an include click look like those at it, as far as its error goes
NEXT = 1.5  # voxels from a prompt that show what those at it look like
# One click changes at most so much of a region, in shares of its size; but the ball up to the border may always change.
LARGEST_GAIN, LARGEST_LOSS, BALL_MM = 1.0, 0.25, 6.0
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
    if local.is_include:
        depth_mm = min(depth_mm, _alike_mm(local, seeds, depth_mm))
    width_mm = WIDTH * min(depth_mm, thick_mm)
    now = np.float32(ODDS_SHARE) * odds - depths
    now = np.clip(np.where(wrong, np.minimum(now, -BARE), np.maximum(now, BARE)), -SUREST, SUREST)
    now -= np.maximum(depths - max(depths[middle], np.float32(LARGEST_DEPTH_MM)), np.float32(0.0))
    shown = seeds | (wrong & (distance_mm <= np.float32(LOOK * depth_mm)))
    kernel = _kernel(distance_mm, width_mm, images, seeds, shown)
    lack = max(LEAST, -float(now[middle])) - float(now[middle])
    moved = now + np.float32(lack) * kernel
    moved[seeds] = HELD
    settled = settle(moved, images, seeds)
    changed = seeds | _surest(settled, wrong & (settled > 0.0), _most(local, depth_mm))
    return parts_with(changed, seeds), WIDTHS * width_mm


def _alike_mm(local: Local, seeds: Mask, depth_mm: float) -> float:
    """Give how far around a prompt most voxels look like those at it, mm; ``depth_mm`` where they do all the way."""
    images, distance_mm = local.evidence.images, local.distance_mm
    near_mm = NEXT * max(local.evidence.grid.spacing_zyx_mm)
    around = local.free & (distance_mm <= np.float32(depth_mm))
    if not len(images) or depth_mm <= near_mm:
        return depth_mm
    look, squares = _look(images[:, seeds].mean(axis=1), images[:, around & (distance_mm <= np.float32(near_mm))])
    unlike = np.square(images[:, around] - look[:, None]) / squares[:, None]
    order = np.argsort(distance_mm[around], kind="stable")
    alike = np.exp(unlike.mean(axis=0)[order] / np.float32(-2.0))
    share = np.cumsum(alike) / np.arange(1, len(order) + 1)
    far_mm = distance_mm[around][order]
    ends = far_mm[(share < ALIKE) & (far_mm > near_mm)]
    return float(ends[0]) if len(ends) else depth_mm


def _most(local: Local, depth_mm: float) -> int:
    """Give how many voxels a click may change at most."""
    ball_ml = 4.0 / 3.0 * np.pi * min(depth_mm, BALL_MM) ** 3 / 1000.0
    share = LARGEST_GAIN if local.is_include else LARGEST_LOSS
    return int(max(share * local.size, ball_ml / local.evidence.grid.voxel_volume_ml))


def _surest(settled: Floats, changed: Mask, most: int) -> Mask:
    """Give of the voxels that would change at most so many: those that want it most."""
    spare = int(changed.sum()) - most
    if spare <= 0:
        return changed
    surest: Mask = changed & (settled > np.partition(settled[changed], spare - 1)[spare - 1])
    return surest


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
