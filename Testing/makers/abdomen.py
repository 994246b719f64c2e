"""A small CT made by code: an ellipsoid body in air, an organ with a tumor in it, a bright bone elsewhere.

Shapes are defined in RAS mm, so the same abdomen can be sampled on any grid and stored in any axis order.
"""

from __future__ import annotations

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import orient
from Testing.makers.phantoms import centers_ras_mm

BODY_SEMI_AXES_MM = (66.0, 48.0, 60.0)
ORGAN_CENTER_RAS_MM, ORGAN_RADIUS_MM = (15.0, 6.0, -9.0), 18.0
TUMOR_CENTER_RAS_MM, TUMOR_RADIUS_MM = (18.0, 6.0, -12.0), 8.0
BONE_CENTER_RAS_MM, BONE_RADIUS_MM = (-33.0, -18.0, 20.0), 6.0  # as bright as the tumor, far from the organ


def grid(spacing_xyz_mm: tuple[float, float, float] = (3.0, 3.0, 3.0)) -> Grid:
    """Give a grid around the origin, axes to left, posterior, superior, that holds body and air."""
    counts = [
        int(np.ceil(2.0 * (half + 6.0) / size)) for half, size in zip(BODY_SEMI_AXES_MM, spacing_xyz_mm, strict=True)
    ]
    matrix = np.diag([-spacing_xyz_mm[0], -spacing_xyz_mm[1], spacing_xyz_mm[2], 1.0])
    matrix[:3, 3] = -(matrix[:3, :3] @ ((np.array(counts) - 1) / 2.0))
    return Grid((counts[2], counts[1], counts[0]), matrix)


def make_abdomen(where: Grid | None = None, *, has_organ: bool = True, axes: str = "LPS") -> tuple[Case, Volume]:
    """Give the case and its true labels (1 organ, 2 tumor in it), stored in an axis order."""
    where = where or grid()
    centers = centers_ras_mm(where)

    def ball(center: tuple[float, float, float], radius: float) -> np.ndarray:
        return np.linalg.norm(centers - np.array(center), axis=-1) <= radius

    image = np.where(np.linalg.norm(centers / np.array(BODY_SEMI_AXES_MM), axis=-1) <= 1.0, 20.0, -1000.0)
    labels = np.zeros(where.shape_zyx, np.uint8)
    image[ball(BONE_CENTER_RAS_MM, BONE_RADIUS_MM)] = 200.0
    if has_organ:
        labels[ball(ORGAN_CENTER_RAS_MM, ORGAN_RADIUS_MM)] = 1
        labels[ball(TUMOR_CENTER_RAS_MM, TUMOR_RADIUS_MM)] = 2
        image[labels == 1] = 110.0
        image[labels == 2] = 200.0
    else:
        image[ball(BONE_CENTER_RAS_MM, BONE_RADIUS_MM)] = 20.0
    case = Case({"CT": orient(Volume(image.astype(np.int16), where), axes)}, name="abdomen")
    return case, orient(Volume(labels, where), axes)
