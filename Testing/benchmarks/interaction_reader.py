"""A simulated reader: where the next click goes, given what is there and what should be.

The steady one clicks the middle of the largest connected error (the voxel of it that lies deepest). The human one picks
among the three largest errors by their size, and misses its middle by a normal error of 0.5 mm plus a third of its
depth, but looks where it is: a place that is already right is not clicked. Nothing else is known to either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from MedSegAILib.core.prompts import BoxPrompt, Click
from MedSegAILib.core.volume import Grid

MISS_MM, MISS_SHARE = 0.5, 1.0 / 3.0


@dataclass(eq=False)
class Reader:
    """A reader.

    Args:
        is_human: scatters; else always the middle of the largest error.
        seed: of the scatter.
    """

    is_human: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self._chance = np.random.default_rng(self.seed)

    def next_click(self, mask: np.ndarray, truth: np.ndarray, grid: Grid) -> Click | None:
        """Give the next click; None when nothing is wrong."""
        errors = _errors(mask, truth)
        if not errors:
            return None
        errors.sort(key=lambda error: -error[0])
        size = np.array([error[0] for error in errors[:3]], dtype=float)
        chosen = int(self._chance.choice(len(size), p=size / size.sum())) if self.is_human else 0
        _, numbers, number, box, is_include = errors[chosen]
        part = np.pad(numbers[box] == number, 1)
        depth = ndimage.distance_transform_edt(part, sampling=grid.spacing_zyx_mm)[1:-1, 1:-1, 1:-1]
        middle = np.unravel_index(int(depth.argmax()), depth.shape)
        z, y, x = (index + side.start for index, side in zip(middle, box, strict=True))
        point = (grid.ijk_to_ras @ [x, y, z, 1.0])[:3]
        if self.is_human:
            wrong = mask != truth
            spread_mm = (MISS_MM + MISS_SHARE * float(depth.max())) / np.sqrt(3.0)
            tries = (_inside(point + self._chance.normal(0.0, spread_mm, 3), grid) for _ in range(20))
            seen = (one for one in tries if wrong[_index(one, grid)] and truth[_index(one, grid)] == is_include)
            point = next(seen, point)
        return Click(tuple(float(value) for value in point), is_include)


def truth_box(truth: np.ndarray, grid: Grid) -> BoxPrompt:
    """Give the tight box of a region along the axes of its grid, one voxel larger on each side."""
    where = np.argwhere(truth)[:, ::-1]
    low, high = where.min(axis=0) - 1.5, where.max(axis=0) + 1.5
    directions = grid.ijk_to_ras[:3, :3]
    sizes = np.linalg.norm(directions, axis=0)
    center = directions @ ((low + high) / 2.0) + grid.ijk_to_ras[:3, 3]
    axes = tuple(tuple(float(v) for v in direction) for direction in (directions / sizes).T)
    return BoxPrompt(tuple(map(float, center)), tuple(map(float, (high - low) * sizes)), True, axes)


def _errors(mask, truth):
    """Give all connected errors (over faces): size, numbers, own number, box, whether it lacks there."""
    found = []
    part = next(iter(ndimage.find_objects((mask != truth).astype(np.uint8))), None)
    if part is None:
        return found
    for is_include in (True, False):
        wrong = truth[part] & ~mask[part] if is_include else mask[part] & ~truth[part]
        numbers = np.zeros(mask.shape, np.int32)
        count = ndimage.label(wrong, output=numbers[part])
        if not count:
            continue
        sizes = np.bincount(numbers[part].ravel())
        sizes[0] = 0
        boxes = ndimage.find_objects(numbers)
        for number in np.argsort(sizes)[::-1][:3]:
            if sizes[number]:
                found.append((int(sizes[number]), numbers, int(number), boxes[number - 1], is_include))
    return found


def _inside(point, grid):
    index = np.linalg.solve(grid.ijk_to_ras, [*point, 1.0])[:3]
    index = np.clip(index, 0, np.array(grid.shape_zyx[::-1]) - 1)
    return (grid.ijk_to_ras @ [*index, 1.0])[:3]


def _index(point, grid):
    index = np.linalg.solve(grid.ijk_to_ras, [*point, 1.0])[:3]
    return tuple(int(value) for value in np.floor(index[::-1] + 0.5))
