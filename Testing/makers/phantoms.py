"""Small heads made by code: an ellipsoid brain with a tumor of three nested spheres, in four sequences.

The shapes are defined in the world (RAS mm), so the same head can be sampled on any grid: oblique, left-handed,
anisotropic. Numbers are drawn from a seed; nothing here resembles a patient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Grid, Volume

ROLES = ("T1", "T1ce", "T2", "FLAIR")
TUMOR_CENTER_RAS_MM = (12.0, -8.0, 6.0)
WHOLE_RADIUS_MM, CORE_RADIUS_MM, RIM_INNER_RADIUS_MM = 15.0, 9.0, 5.0
BRAIN_SEMI_AXES_MM = (28.0, 34.0, 26.0)

# Mean intensity of brain, edema (2), necrotic core (1), enhancing rim (4), by sequence: the usual order of brightness.
INTENSITIES = {
    "T1": (300.0, 240.0, 180.0, 260.0),
    "T1ce": (310.0, 250.0, 190.0, 520.0),
    "T2": (260.0, 420.0, 460.0, 340.0),
    "FLAIR": (240.0, 430.0, 300.0, 360.0),
}


def aligned_grid(spacing_mm: float = 2.0, size: int = 40) -> Grid:
    """Give a cubic grid around the origin whose axes go left, posterior, superior, as BraTS files do."""
    matrix = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    matrix[:3, 3] = -(matrix[:3, :3] @ np.full(3, (size - 1) / 2))
    return Grid((size, size, size), matrix)


def oblique_grid(degrees: float = 20.0) -> Grid:
    """Give a left-handed, anisotropic grid around the origin, turned by ``degrees`` about two axes."""
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    about_z = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    shape_zyx, spacing_xyz_mm = (24, 44, 42), np.array([1.8, 2.0, 3.2])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_x @ np.diag([1.0, 1.0, -1.0]) @ np.diag(spacing_xyz_mm)
    matrix[:3, 3] = -(matrix[:3, :3] @ ((np.array(shape_zyx[::-1]) - 1) / 2))
    return Grid(shape_zyx, matrix)


def centers_ras_mm(grid: Grid) -> np.ndarray:
    """Give the voxel centers of a grid, ``[z, y, x, 3]``, RAS mm."""
    k, j, i = np.meshgrid(*(np.arange(count) for count in grid.shape_zyx), indexing="ij")
    return np.stack([i, j, k], axis=-1) @ grid.ijk_to_ras[:3, :3].T + grid.ijk_to_ras[:3, 3]


def make_labels(grid: Grid) -> Volume:
    """Give the true label map of the head on a grid: 1 core, 2 edema, 4 enhancing rim, uint8."""
    centers = centers_ras_mm(grid)
    distance_mm = np.linalg.norm(centers - np.array(TUMOR_CENTER_RAS_MM), axis=-1)
    labels = np.zeros(grid.shape_zyx, np.uint8)
    labels[distance_mm <= WHOLE_RADIUS_MM] = 2
    labels[distance_mm <= CORE_RADIUS_MM] = 4
    labels[distance_mm <= RIM_INNER_RADIUS_MM] = 1
    return Volume(labels, grid, name="reference labels")


def make_case(
    grid: Grid | None = None, *, seed: int = 7, roles: tuple[str, ...] = ROLES, name: str = "phantom"
) -> Case:
    """Give the head as a case: skull stripped (0 outside the brain), 3 % noise, float32.

    Args:
        grid: where to sample it; None is the aligned 2 mm grid of 40 voxels a side.
        seed: of the noise.
        roles: which sequences, of ``ROLES``.
        name: what messages call the case.
    """
    grid = grid or aligned_grid()
    rng = np.random.default_rng(seed)
    labels = make_labels(grid).array
    is_brain = (np.linalg.norm(centers_ras_mm(grid) / np.array(BRAIN_SEMI_AXES_MM), axis=-1) <= 1.0) | (labels > 0)
    volumes = {}
    for role in roles:
        brain, edema, core, rim = INTENSITIES[role]
        image = np.full(grid.shape_zyx, brain)
        for value, intensity in ((2, edema), (1, core), (4, rim)):
            image[labels == value] = intensity
        image = image * (1.0 + 0.03 * rng.standard_normal(grid.shape_zyx))
        volumes[role] = Volume(np.where(is_brain, image, 0.0).astype(np.float32), grid, name=role)
    return Case(volumes, name=name)


def write_nifti(volume: Volume, path: Path) -> Path:
    """Write a volume as a NIfTI file through SimpleITK, without our own writers (LPS is ITK's world)."""
    import SimpleITK

    lps_matrix = np.diag([-1.0, -1.0, 1.0]) @ volume.grid.ijk_to_ras[:3, :3]
    spacing = np.linalg.norm(lps_matrix, axis=0)
    image = SimpleITK.GetImageFromArray(volume.array)
    image.SetSpacing([float(length) for length in spacing])
    image.SetDirection([float(value) for value in (lps_matrix / spacing).ravel()])
    image.SetOrigin([float(value) for value in np.diag([-1.0, -1.0, 1.0]) @ volume.grid.ijk_to_ras[:3, 3]])
    SimpleITK.WriteImage(image, str(path))
    return path


def write_study(case: Case, folder: Path) -> dict[str, Path]:
    """Write each sequence of a case as ``<role>.nii.gz``; give the paths by role."""
    folder.mkdir(parents=True, exist_ok=True)
    return {role: write_nifti(volume, folder / f"{role}.nii.gz") for role, volume in case.volumes.items()}
