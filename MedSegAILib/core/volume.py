"""A grid in space and an array on it.

World is RAS in millimeters. Arrays are ``[z, y, x]``; matrices act on index vectors ``(i, j, k)``, that is on
``(x, y, z)`` of the array. Resampling and cropping live in ``image``, files in ``io``. Ring 0 (nouns).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError

Matrix = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

# Two grids are one grid when no voxel center moves by more than this. NIfTI stores the matrix as float32, so a
# head-sized grid is exact to about 1e-4 mm only.
SAME_GRID_TOLERANCE_MM = 1e-2
SMALLEST_DETERMINANT = 1e-9  # mm^3; below it the matrix maps the volume onto a plane


@dataclass(frozen=True, eq=False)
class Grid:
    """Shape and place of a voxel grid.

    Args:
        shape_zyx: number of voxels along z, y, x, each >= 1.
        ijk_to_ras: 4x4, maps the index (i, j, k, 1) = (x, y, z, 1) of a voxel center to RAS mm.

    Raises:
        InputError: "grid.matrix" when the matrix is not finite or not invertible; "grid.shape" when an axis is empty.
    """

    shape_zyx: tuple[int, int, int]
    ijk_to_ras: Matrix

    def __post_init__(self) -> None:
        shape = tuple(int(count) for count in self.shape_zyx)
        if len(shape) != 3 or min(shape) < 1:
            raise InputError(
                "grid.shape",
                f"A volume needs three axes of at least one voxel; this one has {shape}.",
                "Give a 3D image.",
            )
        matrix = np.array(self.ijk_to_ras, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise InputError(
                "grid.matrix",
                "The position of the image in space is not a finite 4x4 matrix.",
                "Export the image again from its source; its header is damaged.",
            )
        if abs(np.linalg.det(matrix[:3, :3])) < SMALLEST_DETERMINANT:
            raise InputError(
                "grid.matrix",
                "The position of the image in space is singular: two of its axes point the same way or have no length.",
                "Export the image again from its source; its header is damaged.",
            )
        matrix.setflags(write=False)
        object.__setattr__(self, "shape_zyx", shape)
        object.__setattr__(self, "ijk_to_ras", matrix)

    @property
    def spacing_zyx_mm(self) -> tuple[float, float, float]:
        """Distance between neighboring voxel centers along z, y, x."""
        lengths = np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        return float(lengths[2]), float(lengths[1]), float(lengths[0])

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel; from the determinant, so right for every orientation."""
        return float(abs(np.linalg.det(self.ijk_to_ras[:3, :3]))) / 1000.0

    @property
    def is_left_handed(self) -> bool:
        """Whether the index axes form a left-handed system in RAS."""
        return bool(np.linalg.det(self.ijk_to_ras[:3, :3]) < 0)

    def tilt_degrees(self) -> float:
        """Give the largest angle between an index axis and its nearest patient axis; 0 for an axis-aligned grid."""
        directions = self.ijk_to_ras[:3, :3] / np.linalg.norm(self.ijk_to_ras[:3, :3], axis=0)
        nearest = np.clip(np.abs(directions).max(axis=0), 0.0, 1.0)
        return float(np.degrees(np.arccos(nearest.min())))

    def is_same_as(self, other: Grid, tolerance_mm: float = SAME_GRID_TOLERANCE_MM) -> bool:
        """Tell whether both grids have the same voxels, in the same order, at the same place.

        Compared at the eight corners, so that a tiny error of the matrix counts where it is largest.
        """
        if self.shape_zyx != other.shape_zyx:
            return False
        distances = np.linalg.norm(self.corners_ras_mm() - other.corners_ras_mm(), axis=0)
        return bool(distances.max() <= tolerance_mm)

    def corners_ras_mm(self) -> Matrix:
        """Give the centers of the eight corner voxels, ``[3, 8]``, RAS mm."""
        depth, height, width = (count - 1 for count in self.shape_zyx)
        indices = np.array(
            [[i, j, k, 1] for k in (0, depth) for j in (0, height) for i in (0, width)], dtype=np.float64
        )
        return np.asarray((self.ijk_to_ras @ indices.T)[:3])


@dataclass(frozen=True, eq=False)
class Volume:
    """An array with its place in space.

    Args:
        array: ``[z, y, x]``, any real dtype; integers may be label maps.
        grid: its grid; the shapes must agree.
        name: what a message may call it ("T1", a file's own name); never a patient's name.

    Raises:
        InputError: "volume.shape" when array and grid disagree.
    """

    array: Array
    grid: Grid
    name: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if tuple(self.array.shape) != self.grid.shape_zyx:
            raise InputError(
                "volume.shape",
                f"The array has shape {tuple(self.array.shape)}, its grid {self.grid.shape_zyx}.",
                "Build the grid from the array's own shape.",
            )
