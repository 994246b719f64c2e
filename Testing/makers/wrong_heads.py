"""Phantom heads whose automatic result is wrong in a known way, with probabilities to match."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from MedSegAILib.core.labels import Label, LabelScheme, Region
from MedSegAILib.core.result import Probabilities
from MedSegAILib.core.volume import Grid, Volume
from Testing.makers.phantoms import aligned_grid, make_case, make_labels

_GRAY = (0.5, 0.5, 0.5)
SCHEME = LabelScheme(
    (Label(1, "NCR", "Necrotic core", _GRAY), Label(2, "ED", "Edema", _GRAY), Label(4, "ET", "Enhancing", _GRAY)),
    (
        Region("ET", "Enhancing tumor", (4,), _GRAY),
        Region("TC", "Tumor core", (1, 4), _GRAY),
        Region("WT", "Whole tumor", (1, 2, 4), _GRAY),
    ),
)


def probabilities_of(labels: Volume, blur_mm: float = 3.0) -> Probabilities:
    """Give blurred masks of the regions: what an honest network would say."""
    sigma = [blur_mm / size for size in labels.grid.spacing_zyx_mm]
    masks = [SCHEME.mask(labels.array, name).astype(np.float32) for name in ("ET", "TC", "WT")]
    blurred = np.stack([ndimage.gaussian_filter(mask, sigma) for mask in masks])
    return Probabilities(blurred.astype(np.float32), ("ET", "TC", "WT"), np.array(labels.grid.ijk_to_ras))


def cut_head(grid: Grid | None = None, missing_right_of_mm: float = 16.0) -> tuple[Volume, Volume, dict[str, Volume]]:
    """Give truth, an automatic result that lacks the right part of the tumor, and the images."""
    case = make_case(grid or aligned_grid())
    truth = make_labels(case.reference_grid())
    k, j, i = np.meshgrid(*(np.arange(count) for count in truth.grid.shape_zyx), indexing="ij")
    right = (np.stack([i, j, k], -1) @ truth.grid.ijk_to_ras[:3, :3].T + truth.grid.ijk_to_ras[:3, 3])[..., 0]
    cut = np.where(right > missing_right_of_mm, 0, truth.array).astype(np.uint8)
    return truth, Volume(cut, truth.grid), dict(case.volumes)
