"""Where a drawing lies: grids of patients lying on their back, places of voxels, individual bending, thick slices.

Axes of arrays are [z, y, x] to the head, to the back, to the left; lengths are millimeters. Beside the library.
"""

from __future__ import annotations

import numpy as np

from MedSegAILib.core.volume import Grid

from .fields import Floats, random_field

Point = tuple[float, float, float]


def make_grid(extent_xyz_mm: Point, spacing_xyz_mm: Point) -> Grid:
    """Give a grid whose axes run to the left, to the back and up; its middle is the world's origin."""
    counts = [round(length / step) for length, step in zip(extent_xyz_mm, spacing_xyz_mm, strict=True)]
    matrix = np.eye(4)
    for axis, (count, step, sign) in enumerate(zip(counts, spacing_xyz_mm, (-1.0, -1.0, 1.0), strict=True)):
        matrix[axis, axis] = sign * step
        matrix[axis, 3] = -sign * step * (count - 1) / 2.0
    return Grid((counts[2], counts[1], counts[0]), matrix)


def places_of(grid: Grid) -> list[Floats]:
    """Give for every voxel its place to the left, to the back and up in mm, [z, y, x] each."""
    z, y, x = np.meshgrid(*(np.arange(count) for count in grid.shape_zyx), indexing="ij")
    matrix = grid.ijk_to_ras
    return [
        (-(matrix[0, 0] * x + matrix[0, 3])).astype(np.float32),
        (-(matrix[1, 1] * y + matrix[1, 3])).astype(np.float32),
        (matrix[2, 2] * z + matrix[2, 3]).astype(np.float32),
    ]


def bent(places_mm: list[Floats], generator: np.random.Generator, wave_mm: float, reach_voxels: float) -> list[Floats]:
    """Give individual bodies: another size along each axis and a smooth bending of a few mm."""
    shape = places_mm[0].shape
    size = (shape[0], shape[1], shape[2])
    return [
        (place / float(generator.uniform(0.92, 1.08)) + wave_mm * random_field(generator, size, reach_voxels)).astype(
            np.float32
        )
        for place in places_mm
    ]


def thicker(array: Floats, grid: Grid, factor: int) -> tuple[Floats, Grid]:
    """Average ``factor`` slices into one, as thick slices do; slices that are left over are dropped."""
    count = array.shape[0] // factor
    thick = array[: count * factor].reshape(count, factor, *array.shape[1:]).mean(axis=1)
    matrix = np.array(grid.ijk_to_ras)
    matrix[:3, 3] += matrix[:3, 2] * (factor - 1) / 2.0
    matrix[:3, 2] *= factor
    return thick.astype(np.float32), Grid((count, array.shape[1], array.shape[2]), matrix)
