"""The same study on other grids: oblique, anisotropic, shifted. Same place in the world, linear interpolation."""

from __future__ import annotations

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.result import Result
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.resample import resample

Vector3 = tuple[float, float, float]


def turn(axis: int, degrees: float) -> np.ndarray:
    """Give the 3x3 rotation about one of the patient's axes."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[[first, second], [first, second]] = cos
    matrix[first, second], matrix[second, first] = -sin, sin
    return matrix


# Name: directions of the axes against the patient's, voxel size (x, y, z) in mm.
OTHER_GRIDS: dict[str, tuple[np.ndarray, Vector3]] = {
    "shifted by part of a voxel": (turn(2, 0), (1.0, 1.0, 1.0)),
    "turned by 10 degrees": (turn(2, 10), (1.0, 1.0, 1.0)),
    "turned by 20 and 15 degrees": (turn(2, 20) @ turn(0, 15), (1.0, 1.0, 1.0)),
    "0.7 x 0.7 x 2 mm": (turn(2, 0), (0.7, 0.7, 2.0)),
    "turned by 17 degrees, 1 x 1 x 2 mm": (turn(0, 17), (1.0, 1.0, 2.0)),
    "1 x 1 x 3 mm": (turn(2, 0), (1.0, 1.0, 3.0)),
}


def covering(grid: Grid, directions: np.ndarray, spacing_xyz_mm: Vector3) -> Grid:
    """Give a grid with other axes and voxels that covers another one, moved by a third of a voxel."""
    axes = directions @ np.diag([-1.0, -1.0, 1.0]) @ np.diag(spacing_xyz_mm)
    corners = np.linalg.inv(axes) @ grid.corners_ras_mm()
    counts = np.ceil(np.ptp(corners, axis=1)).astype(int) + 2
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = axes @ (corners.min(axis=1) - 1 / 3)
    return Grid((int(counts[2]), int(counts[1]), int(counts[0])), matrix)


def stored_on(case: Case, grid: Grid) -> Case:
    """Give the study as a scanner with that grid would hold it."""
    moved = {role: resample(np.float32(volume.array), volume.grid, grid) for role, volume in case.volumes.items()}
    return Case({role: Volume(array, grid) for role, array in moved.items()})


def regions_on(result: Result, grid: Grid) -> dict[str, np.ndarray]:
    """Give the regions of a result on another grid, from its kept probabilities: finer than its own voxels.

    As in the label map, a region holds what lies in the regions nested in it.
    """
    kept = result.probabilities
    if kept is None:
        raise ValueError("Ask for the probabilities with RunOptions(keep_probabilities=True).")
    inside = resample(kept.array, Grid(kept.array.shape[1:], np.array(kept.ijk_to_ras)), grid) > 0.5
    by_name = dict(zip(kept.regions, inside, strict=True))
    return {
        region.name: np.any(
            [by_name[other.name] for other in result.scheme.regions if set(other.labels) <= set(region.labels)], axis=0
        )
        for region in result.scheme.regions
    }
