"""The composite score of the PROMISE12 challenge for a prostate mask. Ring 1 (image).

Source: Litjens et al., Medical Image Analysis 2014, doi 10.1016/j.media.2013.12.002: four metrics on the whole
prostate, its apex and its base, each brought to a line where a perfect result has 100 points and a second observer
85; below 0 counts as 0; the score is the mean of the twelve. The observer's means are the caller's: we ship none.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import UsageError

from .metrics import RegionScore, score_region

Mask = npt.NDArray[np.bool_]
PARTS = ("whole", "apex", "base")
METRICS = ("dice", "volume_difference", "surface_mm", "hausdorff95_mm")
PERFECT_POINTS, OBSERVER_POINTS = 100.0, 85.0
PERFECT = {"dice": 1.0, "volume_difference": 0.0, "surface_mm": 0.0, "hausdorff95_mm": 0.0}


def parts_of_prostate(mask: Mask, *, is_z_upward: bool = True) -> dict[str, slice]:
    """Give the slices of the whole, the apex (lowest third) and the base (highest third) of a reference mask.

    Args:
        mask: reference, ``[z, y, x]``, not empty.
        is_z_upward: z rises from feet to head.

    Raises:
        UsageError: "promise12.reference" for an empty mask.
    """
    where = np.flatnonzero(mask.any(axis=(1, 2)))
    if not where.size:
        raise UsageError(
            "promise12.reference",
            "The reference of the prostate is empty; the PROMISE12 score needs one.",
            "Choose a case with a reference.",
        )
    first, last = int(where[0]), int(where[-1]) + 1
    third = (last - first) / 3.0
    lower, upper = slice(first, first + round(third)), slice(last - round(third), last)
    # Of a mask of one slice no third remains; the parts are then that slice.
    lower, upper = (part if part.stop > part.start else slice(first, last) for part in (lower, upper))
    apex, base = (lower, upper) if is_z_upward else (upper, lower)
    return {"whole": slice(0, mask.shape[0]), "apex": apex, "base": base}


def promise12_score(
    prediction: Mask,
    reference: Mask,
    spacing_zyx_mm: tuple[float, float, float],
    observer: Mapping[str, Mapping[str, float]],
    *,
    is_z_upward: bool = True,
) -> float:
    """Give the composite score, 0 to 100.

    Args:
        prediction: bool, ``[z, y, x]``.
        reference: same shape, not empty.
        spacing_zyx_mm: distance of voxel centers along each axis.
        observer: a second observer's mean of each metric by part, ``observer["apex"]["dice"]``; see ``PARTS`` and
            ``METRICS``; volume differences as shares, not percent.
        is_z_upward: z rises from feet to head.

    Raises:
        UsageError: "promise12.reference" for an empty reference; "promise12.observer" when a mean is missing
            or perfect.
    """
    points = []
    for part, slices in parts_of_prostate(reference, is_z_upward=is_z_upward).items():
        score = score_region(part, prediction[slices], reference[slices], spacing_zyx_mm)
        points += [_points(metric, part, score, observer) for metric in METRICS]
    return float(np.mean(points))


def _points(metric: str, part: str, score: RegionScore, observer: Mapping[str, Mapping[str, float]]) -> float:
    at_observer = observer.get(part, {}).get(metric)
    if at_observer is None or at_observer == PERFECT[metric]:
        raise UsageError(
            "promise12.observer",
            f"The second observer's mean of {metric} for the {part} is {at_observer!r}; "
            f"wanted another number than {PERFECT[metric]:g}.",
            "Give the mean of each metric by part, as the challenge's paper prints them.",
        )
    value: float | None = getattr(score, metric)
    if value is None:  # nothing was found
        return 0.0
    slope = (PERFECT_POINTS - OBSERVER_POINTS) / (PERFECT[metric] - at_observer)
    return max(0.0, PERFECT_POINTS + slope * (value - PERFECT[metric]))
