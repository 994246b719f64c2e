"""The slow drift of brightness in MR, and its removal by N4 in a mask found by Otsu's threshold. Ring 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK

from MedSegAILib.core.run import Cancel
from MedSegAILib.core.volume import Array

OTSU_BINS = 200
FIT_LEVELS = (50, 50, 50, 50)
# Below so many voxels along an axis of the shrunken image the splines have nothing to hold on to.
SMALLEST_COUNT = 4
ITERATIONS_AT_ONCE = 5  # between two looks at the cancel flag


def n4(
    array: Array,
    spacing_zyx_mm: tuple[float, float, float],
    shrink: int = 4,
    iterations: Sequence[int] = FIT_LEVELS,
    cancel: Cancel | None = None,
) -> npt.NDArray[np.float32]:
    """Divide a volume by its bias field.

    Args:
        array: one channel, ``[z, y, x]``, background darker than tissue.
        spacing_zyx_mm: distance between voxel centers.
        shrink: the field is fitted on every so many-th voxel along each axis (fewer along short axes), and is
            applied at full resolution.
        iterations: most iterations at each fitting level.
        cancel: checked every few iterations.

    Returns:
        float32, same shape; the array itself when all its voxels are equal.

    Raises:
        ValueError: when ``shrink`` is below 1 or there is no level.
        Cancelled: "run.cancelled".

    Source: Tustison et al., IEEE Trans. Med. Imaging 29(6), 1310-1320, 2010; SimpleITK's filter. The mask is Otsu's
        threshold with 200 bins, as in the notebooks behind docs/systems (brain tissue).
    """
    if shrink < 1 or not iterations:
        raise ValueError(f"shrink {shrink}, iterations {list(iterations)}")
    values = array.astype(np.float32)
    if values.min() == values.max():
        return values
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing([float(size) for size in spacing_zyx_mm[::-1]])
    mask = SimpleITK.OtsuThreshold(image, 0, 1, OTSU_BINS)
    factors = [max(1, min(shrink, count // SMALLEST_COUNT)) for count in image.GetSize()]
    small, small_mask = SimpleITK.Shrink(image, factors), SimpleITK.Shrink(mask, factors)
    small_field = _log_field(small, small_mask, iterations, cancel)
    # The field is smooth: its finest splines span many shrunken voxels, so cubic interpolation loses nothing.
    field = SimpleITK.Resample(
        small_field, image, SimpleITK.Transform(), SimpleITK.sitkBSpline, 0.0, SimpleITK.sitkFloat32, True
    )
    corrected: npt.NDArray[np.float32] = (values / np.exp(SimpleITK.GetArrayFromImage(field))).astype(np.float32)
    return corrected


def _log_field(image: SimpleITK.Image, mask: SimpleITK.Image, iterations: Sequence[int], cancel: Cancel | None) -> Any:
    """Give the logarithm of the field on a (shrunken) image.

    The filter hears no abort, so it is run a few iterations at a time on what is corrected so far; the logarithms of
    the fields add up.
    """
    total = SimpleITK.Image(image.GetSize(), SimpleITK.sitkFloat32)
    total.CopyInformation(image)
    for level, count in enumerate(iterations):
        left = int(count)
        while left > 0:
            if cancel is not None:
                cancel.check()
            corrector = SimpleITK.N4BiasFieldCorrectionImageFilter()
            # The mesh of a level has twice the spans of the one before; cubic splines have three points more.
            corrector.SetNumberOfControlPoints([(1 << level) + 3] * 3)
            corrector.SetMaximumNumberOfIterations([min(left, ITERATIONS_AT_ONCE)])
            corrector.Execute(image / SimpleITK.Exp(total), mask)
            total = total + SimpleITK.Cast(corrector.GetLogBiasFieldAsImage(image), SimpleITK.sitkFloat32)
            # One more than were run is said when none of them converged.
            left = left - ITERATIONS_AT_ONCE if corrector.GetElapsedIterations() > ITERATIONS_AT_ONCE else 0
    return total
