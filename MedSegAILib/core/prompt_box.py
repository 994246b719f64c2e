"""The part of an image around prompts: what crosses to the worker, and what a corrector looks at. Ring 0 (nouns)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .correction import REACH_MM
from .errors import InputError
from .prompts import Prompt
from .volume import Grid

Box = tuple[slice, slice, slice]


def part_around(prompts: Sequence[Prompt], grid: Grid) -> Box:
    """Give the part of an image that the newest prompt may look at: all within reach of it, and one voxel.

    Raises:
        InputError: "prompt.outside".
    """
    return box_around(prompts[-1:], grid, REACH_MM + max(grid.spacing_zyx_mm))


def box_around(prompts: Sequence[Prompt], grid: Grid, margin_mm: float) -> Box:
    """Give the voxels within a margin of prompts, cut to the grid.

    Raises:
        InputError: "prompt.outside" when no point of theirs lies in the image.
    """
    to_index = np.linalg.inv(grid.ijk_to_ras)
    points = np.array([point for prompt in prompts for point in prompt.points_ras_mm])
    indices = (points @ to_index[:3, :3].T + to_index[:3, 3])[:, ::-1]
    margins = np.array([margin_mm / size for size in grid.spacing_zyx_mm])
    shape = np.array(grid.shape_zyx)
    first = np.maximum(np.floor(indices.min(axis=0) - margins + 0.5), 0).astype(int)
    last = np.minimum(np.ceil(indices.max(axis=0) + margins - 0.5), shape - 1).astype(int)
    if np.any(indices.max(axis=0) < -0.5) or np.any(indices.min(axis=0) > shape - 0.5):
        raise InputError("prompt.outside", "The prompt lies outside of the image.", "Click within the image.")
    sides = [slice(int(low), int(high) + 1) for low, high in zip(first, last, strict=True)]
    return sides[0], sides[1], sides[2]
