"""How well a label map agrees with a reference. Ring 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.volume import Array

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RegionScore:
    """Agreement of one region.

    Args:
        region: its name.
        dice: 0 to 1, challenge rule for empty regions.
        volume_ml: of the prediction.
        reference_ml: of the reference.
    """

    region: str
    dice: float
    volume_ml: float
    reference_ml: float


def dice(prediction: Mask, reference: Mask) -> float:
    """Give the Dice score of two masks of one shape.

    Both empty gives 1, exactly one empty gives 0: the rule of the BraTS challenge.
    """
    size = int(np.count_nonzero(prediction)) + int(np.count_nonzero(reference))
    if size == 0:
        return 1.0
    return 2.0 * int(np.count_nonzero(prediction & reference)) / size


def evaluate_regions(
    prediction: Array, reference: Array, scheme: LabelScheme, voxel_volume_ml: float
) -> list[RegionScore]:
    """Score every region of a scheme.

    Args:
        prediction: label map, ``[z, y, x]``.
        reference: label map on the same grid.
        scheme: the task's labels and regions.
        voxel_volume_ml: volume of one voxel.
    """
    scores = []
    for region in scheme.regions:
        ours, theirs = scheme.mask(prediction, region.name), scheme.mask(reference, region.name)
        scores.append(
            RegionScore(
                region.name,
                dice(ours, theirs),
                int(np.count_nonzero(ours)) * voxel_volume_ml,
                int(np.count_nonzero(theirs)) * voxel_volume_ml,
            )
        )
    return scores
