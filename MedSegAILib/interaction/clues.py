"""What is known about a voxel near a prompt: one row of numbers that a learned rule reads. Ring 4 (interaction).

Everything is told from the side of the prompt (odds above 0 speak for it, the border is what it should move), in mm and
in units of the images' own spread, so that one rule serves all regions, packages and numbers of images. ``NAMES`` says
which clue stands where; the rule in ``learned`` is fitted to this order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .appearance import looks_like, looks_like_nearby
from .depth import LARGEST_DEPTH_MM, Floats, Mask, blurred, depth_of, depths_of, facing
from .local import Local
from .ways import ways

SUREST = 7.0  # log-odds
_DEEPEST, _DEEPEST_MM = 3.0, 2.0  # candidates lie at most so many depths of the click, and so much, behind the border
_KERNEL_MM = 8.0  # of what counts as an example of the looks, at least
_APPEARANCE = 4.0  # log-odds of looks, at most

OF_CLICK = (
    "odds", "depth", "log depth", "look", "local look", "contrast", "on background",
    "include", "thickness", "voxel",
)  # fmt: skip
OF_VOXEL = (
    "odds", "odds around", "depth", "depth by depth", "distance", "distance by depth", "near", "very near", "way",
    "way by depth", "smooth way", "unlike", "unlike around", "look", "look around", "local look", "comparable",
    "contrast", "edge", "inside 1.5 mm", "inside 3 mm", "inside 6 mm", "same label", "background", "along", "aside",
    "facing",
)  # fmt: skip
NAMES = (*(f"click: {name}" for name in OF_CLICK), *OF_VOXEL)


@dataclass(frozen=True, eq=False)
class Clues:
    """What is known about the voxels that a prompt may change.

    Args:
        candidates: which voxels, bool ``[z, y, x]``.
        rows: one for each of them in scan order, ``[n, len(NAMES)]``.
    """

    candidates: Mask
    rows: Floats


@dataclass(frozen=True, eq=False)
class _Scene:
    """What several clues are made of."""

    local: Local
    sign: np.float32
    seeds: Mask
    depths: Floats
    middle: tuple[int, ...]
    depth_mm: np.float32
    candidates: Mask
    odds: Floats
    looks: tuple[Floats, Floats, Floats, Floats]  # odds by histograms, by local means, contrast, comparable


def clues_of(local: Local, seeds: Mask) -> Clues:
    """Give the clues around a prompt.

    Args:
        local: the region around it.
        seeds: voxels of the prompt that are on the wrong side, at least one.
    """
    scene = _scene(local, seeds)
    values = {**_of_border(scene), **_of_images(scene), **_of_ways(scene)}
    here = scene.candidates
    count = int(here.sum())
    rows = np.empty((count, len(NAMES)), dtype=np.float32)
    for column, value in enumerate(_of_click(scene)):
        rows[:, column] = value
    for column, name in enumerate(OF_VOXEL, len(OF_CLICK)):
        rows[:, column] = values[name][here]
    return Clues(here, rows)


def _scene(local: Local, seeds: Mask) -> _Scene:
    spacing = local.evidence.grid.spacing_zyx_mm
    sign = np.float32(1.0 if local.is_include else -1.0)
    depths = depths_of(local.free, spacing)
    middle = np.unravel_index(int(np.argmax(np.where(seeds, depths, -np.inf))), seeds.shape)
    depth_mm = np.float32(depth_of(depths, seeds))
    near = depths <= np.float32(_DEEPEST) * depth_mm + np.float32(_DEEPEST_MM)
    candidates = local.free & near & (local.distance_mm <= local.seen_mm)
    odds = np.clip(sign * local.log_odds, -SUREST, SUREST).astype(np.float32)
    looks = _looks(local, seeds, depth_mm)
    return _Scene(local, sign, seeds, depths, tuple(map(int, middle)), depth_mm, candidates, odds, looks)


def _looks(local: Local, seeds: Mask, depth_mm: np.float32) -> tuple[Floats, Floats, Floats, Floats]:
    """Give what the looks speak for; the prompt is an example of its side, and its surroundings are of neither."""
    images, spacing = local.evidence.images, local.evidence.grid.spacing_zyx_mm
    right = (local.mask if local.is_include else ~local.mask).astype(np.float32)
    around = np.exp(-np.square(local.distance_mm / max(np.float32(_KERNEL_MM), 2.0 * depth_mm)) / 2.0)
    close = np.exp(-np.square(local.distance_mm / depth_mm) / 2.0)
    wrong = (1.0 - right) * (1.0 - close)
    by_histogram = looks_like(images, around * right + 4.0 * seeds, around * wrong, _APPEARANCE)
    nearby, apart, comparable = looks_like_nearby(
        images, np.maximum(right, 0.5 * seeds).astype(np.float32), wrong.astype(np.float32), spacing
    )
    return by_histogram, nearby, apart, comparable


def _of_click(scene: _Scene) -> tuple[float, ...]:
    local, at = scene.local, scene.middle
    look, nearby, apart, _ = scene.looks
    return (
        float(scene.odds[at]) / 4.0,
        float(scene.depth_mm) / 5.0,
        float(np.log(scene.depth_mm)),
        float(look[at]) / 2.0,
        float(nearby[at]) / 2.0,
        min(float(apart[at]), 4.0),
        float(local.labels[at] == 0),
        float(scene.sign),
        float(np.clip(-scene.depths.min(), 0.0, LARGEST_DEPTH_MM)) / 5.0,
        float(np.cbrt(np.prod(local.evidence.grid.spacing_zyx_mm))),
    )


def _of_border(scene: _Scene) -> dict[str, Floats]:
    local, depth_mm, at = scene.local, scene.depth_mm, scene.middle
    spacing = local.evidence.grid.spacing_zyx_mm
    right = local.mask if local.is_include else ~local.mask
    normals = facing(scene.depths, spacing)
    axes = np.ogrid[tuple(slice(0, count) for count in right.shape)]
    along = np.zeros(right.shape, dtype=np.float32)
    alike = np.zeros(right.shape, dtype=np.float32)
    for axis, place, size, normal in zip(axes, at, spacing, normals, strict=True):
        along += (axis - place).astype(np.float32) * np.float32(size) * normal[at]
        alike += normal * normal[at]
    aside = np.sqrt(np.maximum(np.square(local.distance_mm) - np.square(along), 0.0))
    return {
        "odds": scene.odds / 4.0,
        "odds around": blurred(scene.odds, 2.0, spacing) / 4.0,
        "depth": scene.depths / 5.0,
        "depth by depth": np.minimum(scene.depths / depth_mm, 4.0),
        "inside 1.5 mm": blurred(right, 1.5, spacing),
        "inside 3 mm": blurred(right, 3.0, spacing),
        "inside 6 mm": blurred(right, 6.0, spacing),
        "same label": _as_number(local.labels == local.labels[at]),
        "background": _as_number(local.labels == 0),
        "along": np.clip(along / depth_mm, -4.0, 4.0) / 2.0,
        "aside": np.clip(aside / depth_mm, 0.0, 8.0) / 4.0,
        "facing": alike,
    }


def _of_images(scene: _Scene) -> dict[str, Floats]:
    images, spacing = scene.local.evidence.images, scene.local.evidence.grid.spacing_zyx_mm
    look, nearby, apart, comparable = scene.looks
    nothing = np.zeros(look.shape, dtype=np.float32)
    unlike, unlike_around, edge = nothing, nothing, nothing
    if len(images):
        unlike = _unlike(images, scene.seeds)
        unlike_around = _unlike(np.stack([blurred(image, 1.5, spacing) for image in images]), scene.seeds)
        squares = [np.square(step) for image in images for step in np.gradient(image, *spacing)]
        edge = np.sqrt(np.sum(squares, axis=0) / np.float32(len(images)))
    return {
        "unlike": np.minimum(unlike, 4.0),
        "unlike around": np.minimum(unlike_around, 4.0),
        "edge": np.minimum(edge, 4.0),
        "look": look / 2.0,
        "look around": blurred(look, 1.5, spacing) / 2.0,
        "local look": nearby / 2.0,
        "comparable": comparable,
        "contrast": np.minimum(apart, 4.0),
    }


def _of_ways(scene: _Scene) -> dict[str, Floats]:
    local, depth_mm, distance = scene.local, scene.depth_mm, scene.local.distance_mm
    evidence = local.evidence
    way, smooth_way = ways(local.free, scene.seeds, evidence.images, evidence.grid.spacing_zyx_mm)
    return {
        "distance": distance / 10.0,
        "distance by depth": np.minimum(distance / depth_mm, 8.0) / 4.0,
        "near": np.exp(-distance / (2.0 * depth_mm)),
        "very near": np.exp(-np.square(distance / depth_mm) / 2.0),
        "way": np.minimum(way, 40.0) / 10.0,
        "way by depth": np.minimum(way / depth_mm, 8.0) / 4.0,
        "smooth way": np.minimum(smooth_way, 8.0) / 2.0,
    }


def _unlike(images: Floats, seeds: Mask) -> Floats:
    shown = images[:, seeds].mean(axis=1)[:, None, None, None]
    unlike: Floats = np.sqrt(np.square(images - shown).mean(axis=0))
    return unlike


def _as_number(mask: npt.NDArray[np.bool_]) -> Floats:
    number: Floats = mask.astype(np.float32)
    return number
