"""What inside and outside of a region look like, and which of the two a voxel looks like. Ring 4 (interaction)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .depth import Floats, Spacing, blurred

BIN_COUNT = 24
_TOP = 4.0  # of an image, in units of its spread; what is beyond falls into the last bin
_SMALLEST_SHARE = 0.01  # so that a look that was never seen speaks, but does not decide
_FEWEST = 8.0  # voxels that a histogram is drawn from
_AROUND_MM = 4.0  # of the local means
_MOST_LOCAL = 6.0  # of the local odds, either way


def looks_like(
    images: Floats, inside: npt.NDArray[np.generic], outside: npt.NDArray[np.generic], most: float
) -> Floats:
    """Give the log-odds that a voxel looks like the inside, by histograms, ``[z, y, x]``.

    Args:
        images: ``[c, z, y, x]`` in units of their spread.
        inside: weight of each voxel as an example of the inside, or a mask.
        outside: likewise.
        most: the odds are cut there, either way.
    """
    total = np.zeros(inside.shape, dtype=np.float32)
    if inside.sum() < _FEWEST or outside.sum() < _FEWEST:
        return total
    for image in images:
        bins = np.clip((image + _TOP) * (BIN_COUNT / (2.0 * _TOP)), 0, BIN_COUNT - 1).astype(np.intp)
        odds = np.log(_shares(bins, inside) / _shares(bins, outside)).astype(np.float32)
        total += odds[bins]
    # Sequences of one head tell much the same thing: they do not count as independent witnesses.
    clipped: Floats = np.clip(total / np.float32(np.sqrt(max(len(images), 1))), -most, most)
    return clipped


def looks_like_nearby(
    images: Floats, inside: Floats, outside: Floats, spacing_zyx_mm: Spacing
) -> tuple[Floats, Floats, Floats]:
    """Give whether a voxel is nearer to the mean look of the inside next to it or of the outside next to it.

    Args:
        images: ``[c, z, y, x]`` in units of their spread.
        inside: weight of each voxel as an example.
        outside: likewise.
        spacing_zyx_mm: of the voxels.

    Returns:
        Odds, above 0 for the inside; how far the two means are apart; how much of the rarer side there is to compare.

    Source: Lankton, Tannenbaum, "Localizing Region-Based Active Contours", IEEE TIP 17(11), 2008.
    """
    if not len(images):
        nothing = np.zeros(inside.shape, dtype=np.float32)
        return nothing, nothing, nothing
    mean_in, much_in = _local_means(images, inside, spacing_zyx_mm)
    mean_out, much_out = _local_means(images, outside, spacing_zyx_mm)
    odds = (np.square(images - mean_out) - np.square(images - mean_in)).mean(axis=0)
    apart = np.sqrt(np.square(mean_in - mean_out).mean(axis=0))
    return np.clip(odds, -_MOST_LOCAL, _MOST_LOCAL), apart, np.minimum(much_in, much_out)


def _local_means(images: Floats, weight: Floats, spacing_zyx_mm: Spacing) -> tuple[Floats, Floats]:
    much = blurred(weight, _AROUND_MM, spacing_zyx_mm) + np.float32(1e-3)
    means: Floats = np.stack([blurred(image * weight, _AROUND_MM, spacing_zyx_mm) for image in images]) / much
    return means, much


def _shares(bins: npt.NDArray[np.intp], weight: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Give the smoothed histogram of weighted voxels."""
    counts = np.bincount(bins.ravel(), weights=weight.ravel(), minlength=BIN_COUNT)
    blurred_counts = np.convolve(np.pad(counts, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    shares: npt.NDArray[np.float64] = (blurred_counts + _SMALLEST_SHARE * counts.sum()) / counts.sum()
    return shares
