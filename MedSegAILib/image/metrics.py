"""How well a label map agrees with a reference: overlap, volumes, surfaces, by region. Ring 1.

What an empty mask means stands at each function. None: not defined, there is nothing to divide by or to measure to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.volume import Array, Grid

from .surface_metrics import SurfaceDistances, surface_distances

Mask = npt.NDArray[np.bool_]
MM3_AN_ML = 1000.0


@dataclass(frozen=True)
class RegionScore:
    """Agreement of one region; None where a number is not defined.

    Args:
        region: its name.
        dice: 0 to 1, challenge rule for empty regions.
        volume_ml: of the prediction.
        reference_ml: of the reference.
        jaccard: 0 to 1, same rule as Dice.
        sensitivity: share of the reference that is found.
        specificity: share of the rest of the image that is left alone.
        precision: share of the prediction that is right.
        volume_difference: difference of the volumes as a share of the reference.
        hausdorff_mm: see ``surface_metrics``.
        hausdorff95_mm: see ``surface_metrics``.
        surface_mm: average symmetric surface distance.
    """

    region: str
    dice: float
    volume_ml: float
    reference_ml: float
    jaccard: float = 0.0
    sensitivity: float | None = None
    specificity: float | None = None
    precision: float | None = None
    volume_difference: float | None = None
    hausdorff_mm: float | None = None
    hausdorff95_mm: float | None = None
    surface_mm: float | None = None


@dataclass(frozen=True)
class Counts:
    """Voxels by agreement of two masks."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def predicted(self) -> int:
        """Voxels of the prediction."""
        return self.true_positive + self.false_positive

    @property
    def wanted(self) -> int:
        """Voxels of the reference."""
        return self.true_positive + self.false_negative


def count(prediction: Mask, reference: Mask) -> Counts:
    """Count the voxels of two masks of one shape."""
    both = int(np.count_nonzero(prediction & reference))
    ours, theirs = int(np.count_nonzero(prediction)), int(np.count_nonzero(reference))
    return Counts(both, ours - both, theirs - both, prediction.size - ours - theirs + both)


def dice(prediction: Mask, reference: Mask) -> float:
    """Give the Dice score of two masks of one shape.

    Both empty gives 1, exactly one empty gives 0: the rule of the BraTS challenge.
    """
    counts = count(prediction, reference)
    size = counts.predicted + counts.wanted
    return 2.0 * counts.true_positive / size if size else 1.0


def jaccard(counts: Counts) -> float:
    """Give the share of the union that is in both; both empty gives 1, exactly one empty 0."""
    union = counts.predicted + counts.false_negative
    return counts.true_positive / union if union else 1.0


def sensitivity(counts: Counts) -> float | None:
    """Give the share of the reference that is found; 1 when both are empty, None when the reference alone is."""
    return _share(counts.true_positive, counts.wanted, is_nothing=counts.predicted == 0)


def precision(counts: Counts) -> float | None:
    """Give the share of the prediction that is right; 1 when both are empty, None when the prediction alone is."""
    return _share(counts.true_positive, counts.predicted, is_nothing=counts.wanted == 0)


def specificity(counts: Counts) -> float | None:
    """Give the share of what is not in the reference that is left alone; None when the reference fills the image."""
    outside = counts.true_negative + counts.false_positive
    return counts.true_negative / outside if outside else None


def volume_difference(counts: Counts) -> float | None:
    """Give ``abs(prediction - reference) / reference``; 0 when both are empty, None when the reference alone is.

    Source: Archit and Adilina 2021/22, the formula of the report (design page "brain_tissue", section 8).
    """
    if counts.wanted == 0:
        return 0.0 if counts.predicted == 0 else None
    return abs(counts.predicted - counts.wanted) / counts.wanted


def evaluate_regions(
    prediction: Array,
    reference: Array,
    scheme: LabelScheme,
    grid: Grid,
    *,
    surfaces: bool = True,
) -> list[RegionScore]:
    """Score every region of a scheme.

    Args:
        prediction: label map, ``[z, y, x]``.
        reference: label map on the same grid.
        scheme: the task's labels and regions.
        grid: of both.
        surfaces: measure distances too, which takes most of the time.
    """
    return [
        score_region(
            region.name,
            scheme.mask(prediction, region.name),
            scheme.mask(reference, region.name),
            grid.spacing_zyx_mm,
            surfaces=surfaces,
            voxel_ml=grid.voxel_volume_ml,
        )
        for region in scheme.regions
    ]


def score_region(
    name: str,
    ours: Mask,
    theirs: Mask,
    spacing_zyx_mm: tuple[float, float, float],
    *,
    surfaces: bool = True,
    voxel_ml: float | None = None,
) -> RegionScore:
    """Score one mask against its reference; see :func:`evaluate_regions`.

    Args:
        name: of the region.
        ours: prediction, bool ``[z, y, x]``.
        theirs: reference, same shape.
        spacing_zyx_mm: distance of voxel centers along each axis.
        surfaces: measure distances too.
        voxel_ml: volume of a voxel; None multiplies the spacings, which is right where the axes are square.
    """
    counts = count(ours, theirs)
    if voxel_ml is None:
        voxel_ml = float(np.prod(spacing_zyx_mm)) / MM3_AN_ML
    found: SurfaceDistances | None = surface_distances(ours, theirs, spacing_zyx_mm) if surfaces else None
    return RegionScore(
        region=name,
        dice=dice(ours, theirs),
        volume_ml=counts.predicted * voxel_ml,
        reference_ml=counts.wanted * voxel_ml,
        jaccard=jaccard(counts),
        sensitivity=sensitivity(counts),
        specificity=specificity(counts),
        precision=precision(counts),
        volume_difference=volume_difference(counts),
        hausdorff_mm=found.hausdorff_mm if found else None,
        hausdorff95_mm=found.hausdorff95_mm if found else None,
        surface_mm=found.average_mm if found else None,
    )


def _share(part: int, whole: int, *, is_nothing: bool) -> float | None:
    if whole:
        return part / whole
    return 1.0 if is_nothing else None
