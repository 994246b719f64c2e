"""A case at a glance: every volume on one coarse grid, and what of it is patient. Ring 1.

Questions about a whole head (is it one, is the skull there, do two sequences lie on each other) need no fine voxels.
At 4 mm a head is 60,000 voxels, and an answer takes hundredths of a second.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Array, Grid, Volume

from .geometry import patient_axes, spanning_grid
from .resample import resample

SURVEY_SPACING_MM = 4.0
# Otsu's threshold on a head lies between dark (CSF on T1, bone) and bright tissue; half of it lies above the noise of
# the background and below all tissue but bone.
TISSUE_SHARE_OF_OTSU = 0.5
HISTOGRAM_BINS = 128

Mask = npt.NDArray[np.bool_]


def survey_grid(grid: Grid, spacing_mm: float = SURVEY_SPACING_MM) -> Grid:
    """Give a cubic grid along the patient's axes that holds the whole of another grid.

    Args:
        grid: any grid, oblique ones too.
        spacing_mm: edge of the voxels.
    """
    axes = patient_axes("LPS")
    half_voxel = np.abs(axes.T @ grid.ijk_to_ras[:3, :3]).sum(axis=1) / 2.0
    along = axes.T @ grid.corners_ras_mm()
    low, high = along.min(axis=1) - half_voxel, along.max(axis=1) + half_voxel
    counts = np.maximum(np.ceil((high - low) / spacing_mm - 1e-3), 1).astype(int)
    first = (low + high) / 2.0 - (counts - 1) * spacing_mm / 2.0
    matrix = np.eye(4)
    matrix[:3, :3] = axes * spacing_mm
    matrix[:3, 3] = axes @ first
    width, height, depth = (int(count) for count in counts)
    return Grid((depth, height, width), matrix)


def survey(volume: Volume, grid: Grid) -> npt.NDArray[np.float32]:
    """Give a volume's averages on a coarse grid, float32, ``[z, y, x]``; 0 where the volume does not reach."""
    # First along the volume's own axes: averaging there is separable, and turning coarse voxels costs little
    # (7.3 s became 0.3 s for the four tilted sequences of a study as scanned).
    spacing_mm = min(grid.spacing_zyx_mm)
    own = _coarser(volume.grid, spacing_mm)
    coarse = resample(volume.array, volume.grid, own)
    moved: npt.NDArray[np.float32] = resample(coarse, own, grid).astype(np.float32)
    return moved


def _coarser(grid: Grid, spacing_mm: float) -> Grid:
    """Give a grid with the same axes and the same box whose voxels are at least about as large as wanted."""
    steps = [max(1.0, spacing_mm / size) for size in grid.spacing_zyx_mm]
    counts = [max(1, math.floor(count / step)) for count, step in zip(grid.shape_zyx, steps, strict=True)]
    return spanning_grid(grid, (counts[0], counts[1], counts[2]))


def tissue(coarse: Array) -> Mask:
    """Tell which voxels hold tissue: bright enough, the largest piece, holes filled.

    Args:
        coarse: one volume on a survey grid, ``[z, y, x]``, any scale; background darker than tissue.
    """
    threshold = TISSUE_SHARE_OF_OTSU * otsu(coarse[coarse > 0]) if np.any(coarse > 0) else 0.0
    return filled(largest_piece(coarse > threshold))


def otsu(values: Array) -> float:
    """Give the threshold that parts values into two groups with the least spread in each.

    Source: Otsu, IEEE Trans. SMC 9(1), 62-66, 1979; the brightest 0.5 % are left out, they stretch the histogram.
    """
    if values.size == 0:
        return 0.0
    low, high = np.percentile(values, [0.0, 99.5])
    if high <= low:
        return float(low)
    counts, edges = np.histogram(values, HISTOGRAM_BINS, (low, high))
    centers = (edges[:-1] + edges[1:]) / 2.0
    below, total = np.cumsum(counts), counts.sum()
    sum_below, sum_all = np.cumsum(counts * centers), (counts * centers).sum()
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sum_below / below - (sum_all - sum_below) / above) ** 2
    return float(edges[1 + int(np.nanargmax(between))])


def largest_piece(mask: Mask) -> Mask:
    """Give the largest connected piece of a mask (faces touch); the mask itself when it is empty."""
    pieces, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    largest: Mask = pieces == int(sizes.argmax())
    return largest


def filled(mask: Mask) -> Mask:
    """Fill the holes of a mask, slice by slice along z: a head is open below, its slices are not."""
    return np.stack([ndimage.binary_fill_holes(slice_) for slice_ in mask]) if mask.any() else mask
