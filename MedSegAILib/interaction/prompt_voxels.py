"""Which voxels of a grid a prompt holds. Ring 4 (interaction).

Everything is decided at voxel centers in RAS mm, so a prompt means the same on every grid; a prompt that falls between
all centers takes the nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.prompts import BoxPrompt, Click, Lasso, Prompt, Scribble
from MedSegAILib.core.volume import Grid

Mask = npt.NDArray[np.bool_]
_Centers = npt.NDArray[np.float64]  # [z, y, x, 3], RAS mm


def voxels_of(prompt: Prompt, grid: Grid) -> Mask:
    """Give the voxels of a grid that a prompt holds, bool ``[z, y, x]``.

    Args:
        prompt: any kind.
        grid: small: the box around the prompt.
    """
    if isinstance(prompt, BoxPrompt):
        held = _in_box(prompt, _centers(grid))
    elif isinstance(prompt, Lasso):
        held = _in_lasso(prompt, _centers(grid), grid)
    elif isinstance(prompt, Scribble):
        held = _in_tube(np.array(prompt.points_ras_mm), prompt.radius_mm, _centers(grid))
    else:
        held = np.zeros(grid.shape_zyx, dtype=bool)
    if isinstance(prompt, Click | Scribble):
        for index in (index_of(point, grid) for point in prompt.points_ras_mm):
            if _is_inside(index, grid.shape_zyx):
                held[index] = True
    return held


def index_of(point_ras_mm: Sequence[float], grid: Grid) -> tuple[int, int, int]:
    """Give the voxel (z, y, x) nearest to a point; it may lie outside of the grid."""
    i, j, k = (np.linalg.inv(grid.ijk_to_ras) @ [*point_ras_mm, 1.0])[:3]
    return int(np.floor(k + 0.5)), int(np.floor(j + 0.5)), int(np.floor(i + 0.5))


def _centers(grid: Grid) -> _Centers:
    k, j, i = np.meshgrid(*(np.arange(count) for count in grid.shape_zyx), indexing="ij")
    centers: _Centers = np.stack([i, j, k], axis=-1) @ grid.ijk_to_ras[:3, :3].T + grid.ijk_to_ras[:3, 3]
    return centers


def _in_box(prompt: BoxPrompt, centers: _Centers) -> Mask:
    along = (centers - np.array(prompt.center_ras_mm)) @ np.array(prompt.axes).T
    held: Mask = (np.abs(along) <= np.array(prompt.size_mm) / 2.0 + 1e-6).all(axis=-1)
    return held


def _in_tube(line: npt.NDArray[np.float64], radius_mm: float, centers: _Centers) -> Mask:
    held = np.zeros(centers.shape[:3], dtype=bool)
    for start, end in pairwise(line):
        way = end - start
        length = float(way @ way)
        share = np.clip((centers - start) @ way / length, 0.0, 1.0) if length > 0.0 else np.zeros(centers.shape[:3])
        held |= np.linalg.norm(centers - (start + share[..., None] * way), axis=-1) <= radius_mm
    if len(line) == 1:
        held = np.linalg.norm(centers - line[0], axis=-1) <= radius_mm
    return held


def _in_lasso(prompt: Lasso, centers: _Centers, grid: Grid) -> Mask:
    """Give the voxels of the slab whose projection lies in the polygon (even-odd rule)."""
    corners = np.array(prompt.points_ras_mm)
    middle = corners.mean(axis=0)
    _, _, axes = np.linalg.svd(corners - middle)
    along = (centers - middle) @ axes.T
    # A slab thinner than the voxels still takes the one slice that it was drawn on.
    step_mm = float(np.abs(grid.ijk_to_ras[:3, :3].T @ axes[2]).max())
    held: Mask = np.abs(along[..., 2]) <= max(prompt.thickness_mm, step_mm) / 2.0 + 1e-6
    flat, polygon = along[held][:, :2], (corners - middle) @ axes[:2].T
    inside = np.zeros(len(flat), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > flat[:, 1]) != (y1 > flat[:, 1])
        if crosses.any():
            at = x0 + (flat[crosses, 1] - y0) * (x1 - x0) / (y1 - y0)
            inside[crosses] ^= flat[crosses, 0] < at
    held[held] = inside
    return held


def _is_inside(index: tuple[int, int, int], shape: tuple[int, int, int]) -> bool:
    return all(0 <= at < count for at, count in zip(index, shape, strict=True))
