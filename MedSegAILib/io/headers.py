"""What every image reader checks before it trusts a header: axes, place in space, data files beside it.

A header is a claim of somebody else. These checks turn a false or unusable claim into one sentence before a
voxel is allocated. The formats themselves are in ``nifti``, ``nrrd``, ``metaimage``. Ring 1 (io).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import SMALLEST_DETERMINANT, Grid, Matrix, Volume

EXPORT_AGAIN = "Export the image again from its source."
# A grid is called sheared when the best rectangular grid would misplace a corner by this share of the smallest
# voxel edge. Less is rounding of the header (0.05 degrees in one scanner's files) and stays in the matrix as it is.
SHEAR_SHARE = 0.5
# Edges of voxels outside of a nanometer and a kilometer are damage, not geometry.
VOXEL_EDGES_MM = (1e-6, 1e6)
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class ReadVolume:
    """A volume with the warnings of its reader.

    Args:
        volume: as :func:`MedSegAILib.io.read_volume` gives it.
        notices: what was odd but did not stop the reader.
    """

    volume: Volume
    notices: tuple[Notice, ...] = ()


def three_axes(sizes_xyz: Sequence[int], name: str) -> tuple[int, int, int]:
    """Give the three sizes of a 3D image, fastest axis first; trailing axes of length 1 are dropped.

    Args:
        sizes_xyz: sizes as the header has them, fastest first.
        name: what messages call the file.

    Raises:
        InputError: "volume.empty_axis" for a size below 1; "volume.not_3d" for 2D, 4D and more.
    """
    sizes = list(sizes_xyz)
    if any(size < 1 for size in sizes):
        raise InputError(
            "volume.empty_axis",
            f"{name} claims axes of {_times(sizes)} voxels; each must be at least 1.",
            f"The header is damaged. {EXPORT_AGAIN}",
        )
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) < 3:
        raise InputError(
            "volume.not_3d",
            f"{name} is a 2D image of {_times(sizes)} pixels; a 3D volume is needed.",
            "Give the whole volume that the slice was taken from.",
            sizes=sizes,
        )
    if len(sizes) > 3:
        raise InputError(
            "volume.not_3d",
            f"{name} has {len(sizes)} axes ({_times(sizes)}); a single 3D volume is needed.",
            "Export one time point or one channel of it.",
            sizes=sizes,
        )
    return sizes[0], sizes[1], sizes[2]


def checked_grid(sizes_xyz: tuple[int, int, int], ijk_to_ras: Matrix, name: str) -> Grid:
    """Give the grid, or say what is wrong with its place in space.

    Args:
        sizes_xyz: voxels along i, j, k.
        ijk_to_ras: 4x4, RAS mm.
        name: what messages call the file.

    Raises:
        InputError: "grid.matrix" for a matrix that is not finite or not invertible; "grid.sheared" when the axes
            are not perpendicular (see :data:`SHEAR_SHARE`).
    """
    linear = ijk_to_ras[:3, :3]
    edges_mm = np.abs(linear).max(axis=0)
    if (
        not np.isfinite(ijk_to_ras).all()
        or edges_mm.min() < VOXEL_EDGES_MM[0]
        or edges_mm.max() > VOXEL_EDGES_MM[1]
        or abs(np.linalg.det(linear)) < SMALLEST_DETERMINANT
    ):
        raise InputError(
            "grid.matrix",
            f"{name} has no usable place in space: its axes have no sensible length or point the same way.",
            f"The header is damaged. {EXPORT_AGAIN}",
        )
    grid = Grid((sizes_xyz[2], sizes_xyz[1], sizes_xyz[0]), ijk_to_ras)
    shear_mm = corner_shift_mm(grid)
    if shear_mm > SHEAR_SHARE * min(grid.spacing_zyx_mm):
        raise InputError(
            "grid.sheared",
            f"The axes of {name} are not perpendicular; its corners lie {shear_mm:.1f} mm off a right-angled grid.",
            "Resample it to a right-angled grid with the program that made it.",
            shear_mm=shear_mm,
        )
    return grid


def corner_shift_mm(grid: Grid) -> float:
    """Give how far the corners move when the axes are made perpendicular, spacing and center kept; 0 if they are.

    The rectangular axes are the nearest ones in the least-squares sense (polar decomposition).
    """
    linear = grid.ijk_to_ras[:3, :3]
    lengths = np.linalg.norm(linear, axis=0)
    left, _, right = np.linalg.svd(linear / lengths)
    half_extent = (np.array(grid.shape_zyx[::-1]) - 1) / 2
    corners = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)]).T * half_extent[:, None]
    return float(np.linalg.norm((linear - (left @ right) * lengths) @ corners, axis=0).max())


def data_file_beside(header: Path, named: str) -> Path:
    """Give the data file that a header names, only if it lies in the header's own folder.

    A header from elsewhere could otherwise make us read any file of the machine.

    Raises:
        InputError: "file.outside_folder" for a path that climbs out or is absolute; "file.data_missing" when the
            file is not there.
    """
    if named != Path(named).name or "\\" in named or ":" in named or named in ("", ".", ".."):
        raise InputError(
            "file.outside_folder",
            f"{header.name} keeps its voxels in {named!r}, outside its own folder; that is not followed.",
            "Put both files in one folder and let the header name the data file without a path.",
        )
    data = header.parent / named
    if not os.path.isfile(data):
        raise InputError(
            "file.data_missing",
            f"{header.name} keeps its voxels in {named!r}, which is not there.",
            "Copy the data file to the folder of the header.",
        )
    if not data.resolve().is_relative_to(header.parent.resolve()):
        raise InputError(
            "file.outside_folder",
            f"{header.name} keeps its voxels in {named!r}, a link out of its folder; that is not followed.",
            "Put both files in one folder.",
        )
    return data


def not_gray(name: str, kind: str) -> InputError:
    """Give the error for color or vector voxels ("RGB") and for complex ones ("complex")."""
    return InputError(
        "volume.complex" if kind == "complex" else "volume.color",
        f"{name} has {kind} voxels; one gray value a voxel is needed.",
        "Export the magnitude image." if kind == "complex" else "Export the gray-value image, not a picture of it.",
    )


def damaged(name: str, what: str) -> InputError:
    """Give the error for a header that contradicts its own format; ``what`` completes "NAME cannot be read: "."""
    return InputError("file.damaged", f"{name} cannot be read: {what}.", EXPORT_AGAIN)


def voxel_count(sizes: Sequence[int]) -> int:
    """Give the product of the sizes as an exact Python integer (no overflow)."""
    return prod(int(size) for size in sizes)


def _times(sizes: Sequence[int]) -> str:
    return " x ".join(str(size) for size in sizes)
