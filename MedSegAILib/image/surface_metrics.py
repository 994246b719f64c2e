"""Distances between the surfaces of two masks, in mm: Hausdorff, its 95 % form, the average. Ring 1 (image).

Surface: the voxels of a mask that have a face neighbor outside of it; beyond the image's edge counts as outside.
Distances are Euclidean between voxel centers. Not here: overlap and volumes (``metrics``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.float64]
PERCENTILE = 95.0


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances of two surfaces, mm.

    Args:
        hausdorff_mm: the larger of the two directed maxima.
        hausdorff95_mm: the larger of the two directed 95th percentiles (not the percentile of both sets together).
        average_mm: average symmetric surface distance: mean over all voxels of both surfaces.
    """

    hausdorff_mm: float
    hausdorff95_mm: float
    average_mm: float


def surface_distances(
    prediction: Mask, reference: Mask, spacing_zyx_mm: tuple[float, float, float]
) -> SurfaceDistances | None:
    """Give the distances of two masks' surfaces.

    Args:
        prediction: bool, ``[z, y, x]``.
        reference: same shape.
        spacing_zyx_mm: distance of voxel centers along each axis.

    Returns:
        All 0 when both masks are empty; None when exactly one is: there is no distance to nothing.
    """
    is_empty = [not mask.any() for mask in (prediction, reference)]
    if all(is_empty):
        return SurfaceDistances(0.0, 0.0, 0.0)
    if any(is_empty):
        return None
    box = _box_of(prediction | reference)
    to_reference, to_prediction = directed_distances(prediction[box], reference[box], spacing_zyx_mm)
    both = (to_reference, to_prediction)
    return SurfaceDistances(
        max(float(found.max()) for found in both),
        max(float(np.percentile(found, PERCENTILE)) for found in both),
        float(np.concatenate(both).mean()),
    )


def directed_distances(
    first: Mask, second: Mask, spacing_zyx_mm: tuple[float, float, float]
) -> tuple[Distances, Distances]:
    """Give for each surface voxel of a mask the distance in mm to the other's surface, both ways; none is empty."""
    surfaces = [surface_of(mask) for mask in (first, second)]
    fields = [ndimage.distance_transform_edt(~surface, sampling=spacing_zyx_mm) for surface in surfaces]
    return fields[1][surfaces[0]], fields[0][surfaces[1]]


def surface_of(mask: Mask) -> Mask:
    """Give the voxels of a mask that have a face neighbor outside of it."""
    inner: Mask = ndimage.binary_erosion(mask)
    return mask & ~inner


def _box_of(mask: Mask) -> tuple[slice, ...]:
    """Give the box around a mask with one voxel of margin, so that the image's edge stays an edge and no other is."""
    slices: tuple[slice, ...] = ndimage.find_objects(mask.astype(np.uint8))[0]
    return tuple(slice(max(0, part.start - 1), part.stop + 1) for part in slices)
