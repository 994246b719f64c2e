"""A head of life size made by code: brain, dark skull, bright scalp, ventricles, vessels; four sequences.

Larger than ``phantoms`` (whose head is a third of life size), because what is asked here is asked in mL and mm.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import ndimage

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Grid, Volume

from .phantoms import centers_ras_mm

ROLES = ("T1", "T1ce", "T2", "FLAIR")
BRAIN_SEMI_AXES_MM = np.array([66.0, 82.0, 60.0])
SKULL_MM, SCALP_MM = 9.0, 7.0
# Brain, ventricle, vessel, skull, scalp by sequence.
INTENSITIES = {
    "T1": (300.0, 110.0, 280.0, 40.0, 480.0),
    "T1ce": (300.0, 110.0, 800.0, 40.0, 480.0),
    "T2": (260.0, 700.0, 120.0, 30.0, 380.0),
    "FLAIR": (260.0, 80.0, 180.0, 30.0, 420.0),
}


def head_grid(spacing_mm: float = 3.0, size: int = 72) -> Grid:
    """Give a cubic grid around the origin, 216 mm wide, along L, P, S."""
    matrix = np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0])
    matrix[:3, 3] = -(matrix[:3, :3] @ np.full(3, (size - 1) / 2))
    return Grid((size, size, size), matrix)


def make_head(
    *, with_skull: bool = False, grid: Grid | None = None, moved: dict[str, np.ndarray] | None = None
) -> Case:
    """Give the head as a case, float32, 0 outside.

    Args:
        with_skull: with skull and scalp, else the bare brain.
        grid: where to sample it; None is ``head_grid()``.
        moved: by role a 4x4 matrix (RAS) from the head's place to where the patient lay for that sequence.
    """
    if grid is None and moved is None:
        return _plain_head(with_skull)
    return _make_head(with_skull, grid or head_grid(), moved or {})


@cache
def _plain_head(with_skull: bool) -> Case:
    """Made once in a process; nobody writes into the arrays of a case."""
    return _make_head(with_skull, head_grid(), {})


def _make_head(with_skull: bool, grid: Grid, moved: dict[str, np.ndarray]) -> Case:
    rng = np.random.default_rng(11)
    volumes = {}
    for role in ROLES:
        to_head = np.linalg.inv(moved.get(role, np.eye(4)))
        points = centers_ras_mm(grid) @ to_head[:3, :3].T + to_head[:3, 3]
        volumes[role] = Volume(_image(points, role, rng, with_skull=with_skull), grid, name=role)
    return Case(volumes, name="head")


def brain_of(grid: Grid) -> np.ndarray:
    """Give the true brain on a grid, bool, ``[z, y, x]``."""
    return _radius(centers_ras_mm(grid)) <= 1.0


def rigid(degrees: tuple[float, float, float], shift_mm: tuple[float, float, float]) -> np.ndarray:
    """Give a 4x4 matrix that turns about x, y, z in turn and then shifts."""
    matrix = np.eye(4)
    for axis, angle in enumerate(np.radians(degrees)):
        turn = np.eye(4)
        first, second = [other for other in range(3) if other != axis]
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    matrix[:3, 3] = shift_mm
    return matrix


def _radius(points: np.ndarray) -> np.ndarray:
    # Narrower in front than behind, so that a turn by half a circle is not the same head.
    width = BRAIN_SEMI_AXES_MM[0] * (1.0 - 0.0015 * points[..., 1])
    return np.sqrt(
        (points[..., 0] / width) ** 2
        + (points[..., 1] / BRAIN_SEMI_AXES_MM[1]) ** 2
        + (points[..., 2] / BRAIN_SEMI_AXES_MM[2]) ** 2
    )


def _image(points: np.ndarray, role: str, rng: np.random.Generator, *, with_skull: bool) -> np.ndarray:
    brain, ventricle, vessel, skull, scalp = INTENSITIES[role]
    radius = _radius(points)
    outside_mm = (radius - 1.0) * BRAIN_SEMI_AXES_MM.mean()
    # Folds: the same in every sequence, weaker and stronger by sequence.
    folds = np.sin(points[..., 0] / 5.0) * np.sin(points[..., 1] / 6.0) * np.sin(points[..., 2] / 5.5)
    image = brain + (0.15 if role in {"T1", "T1ce"} else -0.12) * brain * folds
    image = np.where(
        np.linalg.norm(points / np.array([12.0, 34.0, 14.0]) - [0, 0.2, 0.4], axis=-1) < 1, ventricle, image
    )
    for x, z in ((-25.0, 10.0), (30.0, -12.0), (5.0, 45.0), (-40.0, -20.0)):
        image = np.where(np.hypot(points[..., 0] - x, points[..., 2] - z) < 3.0, vessel, image)
    image = image * (1.0 + 0.03 * rng.standard_normal(image.shape))
    if with_skull:
        image = np.where(outside_mm > 0, skull, image)
        image = np.where((outside_mm > SKULL_MM) & (outside_mm <= SKULL_MM + SCALP_MM), scalp, image)
        image = np.where(outside_mm > SKULL_MM + SCALP_MM, 0.0, image)
        image = ndimage.gaussian_filter(image, 0.4)
        return np.where(outside_mm > SKULL_MM + SCALP_MM, 0.0, image).astype(np.float32)
    return np.where(outside_mm > 0, 0.0, image).astype(np.float32)
