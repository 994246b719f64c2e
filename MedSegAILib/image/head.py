"""What a coarse look tells about a head: its size, whether the skull is there. Ring 1.

All functions take one volume on a survey grid (``survey``). The numbers behind the limits were measured on the `train`
studies of the three tumor sets that have some (58 stripped volumes of 32 studies, 135 volumes of 71 whole heads).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array, Grid

from .survey import Mask, tissue

# Tissue volume: stripped brains 1054 to 1747 mL (IBSR too), heads with skull 2084 to 5375 mL.
LARGEST_BRAIN_ML = 1900.0
SMALLEST_BRAIN_ML, LARGEST_HEAD_ML = 500.0, 6500.0
# Tissue extent: stripped 116 mm at least, heads 104 (thick slabs) to 240 mm; abdominal CT reaches 296 to 348 mm.
SMALLEST_EXTENT_MM, LARGEST_EXTENT_MM = 80.0, 290.0
# A dark ring (skull) 8 to 20 mm below the surface: share of voxels darker than half of the median.
# Stripped at most 0.04; heads with skull mostly 0.07 to 0.4.
DARK_RING_SHARE = 0.06
RING_MM = (8.0, 20.0)


@dataclass(frozen=True)
class HeadLook:
    """A head at a glance.

    Args:
        volume_ml: of the tissue.
        extent_zyx_mm: of the tissue along the patient's axes.
        dark_share: of the ring 8 to 20 mm below the surface.
    """

    volume_ml: float
    extent_zyx_mm: tuple[float, float, float]
    dark_share: float

    @property
    def has_skull(self) -> bool:
        """Whether more than a brain is there: too large for one, or with a dark ring below the surface."""
        return self.volume_ml > LARGEST_BRAIN_ML or self.dark_share > DARK_RING_SHARE

    @property
    def is_too_large(self) -> bool:
        """Whether no head is that large."""
        return self.volume_ml > LARGEST_HEAD_ML or max(self.extent_zyx_mm) > LARGEST_EXTENT_MM

    @property
    def is_too_small(self) -> bool:
        """Whether a whole brain does not fit in."""
        return self.volume_ml < SMALLEST_BRAIN_ML or min(self.extent_zyx_mm) < SMALLEST_EXTENT_MM


def look_at(coarse: Array, grid: Grid) -> HeadLook:
    """Measure one volume.

    Args:
        coarse: ``[z, y, x]`` on a survey grid.
        grid: that grid.
    """
    mask = tissue(coarse)
    spacing_mm = grid.spacing_zyx_mm
    extent = []
    for axis in range(3):
        filled = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        extent.append(float((np.ptp(filled) + 1) * spacing_mm[axis]) if filled.size else 0.0)
    depth_mm = depth(mask, grid)
    ring = (depth_mm > RING_MM[0]) & (depth_mm <= RING_MM[1])
    dark = float((coarse[ring] < 0.5 * np.median(coarse[mask])).mean()) if ring.any() else 0.0
    volume_ml = float(np.count_nonzero(mask)) * grid.voxel_volume_ml
    return HeadLook(volume_ml, (extent[0], extent[1], extent[2]), dark)


def depth(mask: Mask, grid: Grid) -> npt.NDArray[np.float64]:
    """Give how deep each voxel lies below the surface of a mask, mm; the border of the array is surface."""
    padded = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=grid.spacing_zyx_mm)
    inner: npt.NDArray[np.float64] = padded[1:-1, 1:-1, 1:-1]
    return inner


def correlation(first: Array, second: Array) -> float:
    """Give how linearly two volumes on one grid depend on each other, where both hold tissue; 0 when nowhere.

    Different sequences of one head reach 0.89 (T1 and T1ce; train studies), a rescaled copy 0.999.
    """
    both = (first != 0) & (second != 0)
    if np.count_nonzero(both) < 1000 or first[both].std() == 0 or second[both].std() == 0:
        return 0.0
    return float(np.corrcoef(first[both], second[both])[0, 1])
