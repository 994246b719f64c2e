"""How much one volume tells about another where it lies: mutual information by a smoothed joint histogram. Ring 1.

The number is that of SimpleITK's Mattes metric, whose optimizer ``registration`` uses; asked for many places of the
same two volumes it takes about a third of the time here: nothing is prepared anew for each.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array, Matrix

from .survey import Mask

BINS = 32  # of the joint histogram, a side
# Two empty bins on each side: the smoothing spreads a value over four.
PADDING = 2


class MutualInformation:
    """Two volumes, and what they tell about each other at any place of the second.

    Args:
        fixed: ``[z, y, x]``, any scale.
        mask: voxels of the fixed volume that count.
        moving: ``[z, y, x]`` on its own voxels.

    Source: Mattes et al., IEEE TMI 22(1), 120-128, 2003: whole bins for the fixed volume, cubic B-splines for the
    moving one; agrees with SimpleITK to 1e-5 (Testing/component/image/test_mutual_information.py).
    """

    def __init__(self, fixed: Array, mask: Mask, moving: Array) -> None:
        self._index = np.argwhere(mask).T[::-1].astype(np.float64)
        self._row = BINS * np.floor(_in_bins(fixed[mask], fixed[mask])).astype(np.intp)
        # In bins once; an interpolated value is then in bins, too.
        self._moving = _in_bins(moving, moving).astype(np.float32)

    def at(self, fixed_to_moving: Matrix) -> float:
        """Give the mutual information, nats; minus infinity when no voxel of the mask lies in the moving volume.

        Args:
            fixed_to_moving: 4x4, maps voxel indices (i, j, k) of the fixed volume to those of the moving one.
        """
        index = (fixed_to_moving[:3, :3] @ self._index + fixed_to_moving[:3, 3:])[::-1]
        counts = np.array(self._moving.shape)[:, None]
        inside = np.all((index >= -0.5) & (index < counts - 0.5), axis=0)
        if not inside.any():
            return -float("inf")
        values = ndimage.map_coordinates(self._moving, index[:, inside], order=1, mode="nearest")
        return _information(_joint(self._row[inside], values))


def _in_bins(values: Array, all_values: Array) -> npt.NDArray[np.float64]:
    """Give values as places on the axis of the histogram, ``PADDING`` to ``BINS - PADDING``."""
    low, high = (float(all_values.min()), float(all_values.max())) if all_values.size else (0.0, 0.0)
    width = (high - low) / (BINS - 2 * PADDING)
    places: npt.NDArray[np.float64] = (values - low) / (width or 1.0) + PADDING
    return np.minimum(places, np.nextafter(BINS - PADDING, 0.0))


def _joint(rows: npt.NDArray[np.intp], places: Array) -> npt.NDArray[np.float64]:
    """Give the joint histogram as shares, ``[fixed, moving]``."""
    bins = np.clip(places.astype(np.intp), PADDING, BINS - PADDING - 1)
    part = places - bins  # how far into its bin a value lies, 0 to 1
    rest = 1.0 - part
    cells = rows + bins
    weights = (
        rest**3 / 6.0,
        (4.0 - 6.0 * part**2 + 3.0 * part**3) / 6.0,
        (4.0 - 6.0 * rest**2 + 3.0 * rest**3) / 6.0,
        part**3 / 6.0,
    )
    counts = np.zeros(BINS * BINS)
    for step, weight in enumerate(weights):
        counts += np.bincount(cells + (step - 1), weight, BINS * BINS)
    shares: npt.NDArray[np.float64] = (counts / counts.sum()).reshape(BINS, BINS)
    return shares


def _information(joint: npt.NDArray[np.float64]) -> float:
    alone = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    used = joint > 0
    return float((joint[used] * np.log(joint[used] / alone[used])).sum())
