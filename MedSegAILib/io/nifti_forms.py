"""Where a NIfTI image lies: the two forms that a header may hold, and which of them is taken. Ring 1 (io).

The rule is ITK's, so that shell, Python and 3D Slicer agree; it is held against SimpleITK for every pair of codes in
Testing/component/io/test_nifti.py:
    no codes                    scaling only, i to the left, j to posterior, as ITK and Slicer show it; a notice
    sform only                  sform
    qform, and sform code 1     sform, unless it is sheared; then qform
    qform, any other            qform
A notice tells when both are given and differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import SAME_GRID_TOLERANCE_MM, Grid, Matrix

from .headers import LPS_TO_RAS, checked_grid

# Sheared beyond this, ITK takes the qform; it compares direction cosines with perpendicular ones.
ITK_ORTHONORMAL_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Forms:
    """The fields of a NIfTI header that place the image, as they stand there.

    Args:
        qform_code: 0 when the quaternion says nothing; ``sform_code`` likewise for the matrix.
        pixdim: handedness (qfac), then the spacing along i, j, k.
        quaternion: b, c, d.
        offset_xyz: of the first voxel, for the quaternion.
        sform_rows: three rows of four.
        unit_mm: length of the file's unit.
    """

    qform_code: int
    sform_code: int
    pixdim: tuple[float, ...]
    quaternion: tuple[float, ...]
    offset_xyz: tuple[float, ...]
    sform_rows: tuple[float, ...]
    unit_mm: float


def grid_of_forms(forms: Forms, sizes: tuple[int, int, int], name: str) -> tuple[Grid, tuple[Notice, ...]]:
    """Give the grid by the rule of the module, and a notice when the file does not say it plainly.

    Args:
        forms: as read.
        sizes: voxels along i, j, k.
        name: what messages call the file.

    Raises:
        InputError: "grid.matrix", "grid.sheared".
    """
    sform, qform = _sform(forms), _qform(forms)
    if forms.qform_code <= 0 and forms.sform_code <= 0:
        spacing = np.abs(forms.pixdim[1:4]) * forms.unit_mm
        spacing[~np.isfinite(spacing) | (spacing == 0)] = 1.0
        notice = Notice(
            "volume.no_orientation",
            f"{name} does not say how it lies in the patient; first axis taken as to the left, second as to the back.",
            "Check left and right before you use the result.",
        )
        return checked_grid(sizes, LPS_TO_RAS @ np.diag([*spacing, 1.0]), name), (notice,)
    if forms.qform_code <= 0:
        return checked_grid(sizes, sform, name), ()
    if forms.sform_code <= 0:
        return checked_grid(sizes, qform, name), ()
    takes_sform = forms.sform_code == 1 and _is_perpendicular(sform)
    taken, other = (sform, qform) if takes_sform else (qform, sform)
    grid = checked_grid(sizes, taken, name)
    return grid, _disagreement(grid, other, "sform" if takes_sform else "qform", name)


def _disagreement(grid: Grid, other: Matrix, taken: str, name: str) -> tuple[Notice, ...]:
    depth, height, width = (count - 1 for count in grid.shape_zyx)
    ends = np.array([[i, j, k, 1] for i in (0, width) for j in (0, height) for k in (0, depth)]).T
    apart_mm = float(np.linalg.norm(((grid.ijk_to_ras - other) @ ends)[:3], axis=0).max())
    if apart_mm <= 10 * SAME_GRID_TOLERANCE_MM:
        return ()
    return (
        Notice(
            "volume.two_positions",
            f"{name} holds two places in space that differ by up to {apart_mm:.1f} mm; its {taken} was taken, as 3D"
            " Slicer does.",
            "Check that image and result lie where you expect them.",
        ),
    )


def _is_perpendicular(matrix: Matrix) -> bool:
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if not np.isfinite(lengths).all() or lengths.min() == 0:
        return False
    cosines = matrix[:3, :3] / lengths
    return bool(np.abs(cosines.T @ cosines - np.eye(3)).max() < ITK_ORTHONORMAL_TOLERANCE)


def _sform(forms: Forms) -> Matrix:
    matrix = np.vstack([np.array(forms.sform_rows, dtype=np.float64).reshape(3, 4), [0.0, 0.0, 0.0, 1.0]])
    matrix[:3] *= forms.unit_mm
    return matrix


def _qform(forms: Forms) -> Matrix:
    """Build the matrix of method 2 (NIfTI-1, "QUATERNION REPRESENTATION OF ROTATION MATRIX")."""
    b, c, d = (float(value) for value in forms.quaternion)
    a = np.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    norm = np.sqrt(a * a + b * b + c * c + d * d)
    a, b, c, d = (float(value / norm) for value in (a, b, c, d))
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    scale = np.array(forms.pixdim[1:4], dtype=np.float64)
    if forms.pixdim[0] < 0:  # qfac: the third axis is mirrored
        scale[2] = -scale[2]
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * scale
    matrix[:3, 3] = forms.offset_xyz
    matrix[:3] *= forms.unit_mm
    return matrix


def qform_of_grid(grid: Grid) -> tuple[tuple[float, float, float], tuple[float, ...], tuple[float, ...]]:
    """Give quaternion (b, c, d), offset and pixdim[0:4] of a grid; the nearest rotation when it is slightly sheared."""
    lengths = np.linalg.norm(grid.ijk_to_ras[:3, :3], axis=0)
    left, _, right = np.linalg.svd(grid.ijk_to_ras[:3, :3] / lengths)
    rotation = left @ right
    qfac = 1.0
    if np.linalg.det(rotation) < 0:
        rotation[:, 2] *= -1
        qfac = -1.0
    # The eigenvector of the largest eigenvalue is the quaternion; stable for every angle (Bar-Itzhack 2000).
    m = rotation
    k = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], m[1, 0] + m[0, 1], m[2, 0] + m[0, 2], m[2, 1] - m[1, 2]],
            [m[1, 0] + m[0, 1], m[1, 1] - m[0, 0] - m[2, 2], m[2, 1] + m[1, 2], m[0, 2] - m[2, 0]],
            [m[2, 0] + m[0, 2], m[2, 1] + m[1, 2], m[2, 2] - m[0, 0] - m[1, 1], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    b, c, d, a = np.linalg.eigh(k)[1][:, -1]
    sign = -1.0 if a < 0 else 1.0
    return (sign * b, sign * c, sign * d), tuple(grid.ijk_to_ras[:3, 3]), (qfac, *lengths)
