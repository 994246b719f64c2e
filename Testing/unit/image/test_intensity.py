"""Check numbers of the BraTS 2020 page, section 2."""

import numpy as np
import pytest
from scipy import ndimage

from MedSegAILib.image.intensity import scale_percentiles, zscore_nonzero

VOXELS = np.array([10, 20, 30, 40, 50, 60, 70, 200, 0, 0, 0, -5], dtype=np.int16).reshape(1, 3, 4)


def test_pipeline_a_gives_the_printed_numbers():
    scaled = scale_percentiles(VOXELS).ravel()
    expected = [0, 0.051609, 0.107103, 0.162597, 0.218091, 0.273585, 0.329079, 1]
    assert scaled[:8] == pytest.approx(expected, abs=1e-6)
    assert (scaled[8:] == 0).all()


def test_pipeline_b_gives_the_printed_numbers_also_on_integer_files():
    scores = zscore_nonzero(np.clip(VOXELS, 0, None)).ravel()
    expected = [-0.890871, -0.712697, -0.534522, -0.356348, -0.178174, 0, 0.178174, 2.494438]
    assert scores[:8] == pytest.approx(expected, abs=1e-6)
    assert (scores[8:] == 0).all()


@pytest.mark.parametrize("scale", [scale_percentiles, zscore_nonzero])
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_empty_or_constant_channel_becomes_zeros(scale, value):
    scaled = scale(np.full((3, 3, 3), value))
    assert scaled.dtype == np.float32
    assert not scaled.any()


def test_huge_values_do_not_overflow():
    scaled = scale_percentiles(VOXELS.astype(np.float64) * 1e32)
    assert np.isfinite(scaled).all()
    assert scaled.max() == 1


NONE, THREE = (0, 0, 0), (3, 3, 3)


def stripped(seam_voxels: int) -> tuple[np.ndarray, np.ndarray]:
    """A ball of tissue with the dim seam that interpolation leaves around it; the image, and the tissue within."""
    z, y, x = np.ogrid[-20:21, -20:21, -20:21]
    distance = np.sqrt(z**2 + y**2 + x**2)
    tissue = 600 + 80 * np.random.default_rng(3).standard_normal(distance.shape)
    dim = np.clip((15 + seam_voxels - distance) / (seam_voxels + 1), 0, 1)
    return np.where(distance < 15, tissue, 600 * dim), distance < 9


@pytest.mark.parametrize("scale", [scale_percentiles, zscore_nonzero])
def test_a_seam_of_interpolation_moves_no_tissue_when_the_margin_is_left_out(scale):
    clean, tissue = stripped(0)
    blurred, _ = stripped(2)
    moved = [np.abs(scale(blurred, margin_zyx=at) - scale(clean, margin_zyx=at))[tissue].mean() for at in (NONE, THREE)]
    assert moved[1] < 0.02 < 0.1 < moved[0]


def test_scores_of_the_seam_are_not_darker_than_the_background():
    image, tissue = stripped(2)
    scores = zscore_nonzero(image, THREE)
    near = ndimage.binary_dilation(image == 0, iterations=2) & (image != 0)
    assert scores[near].min() == 0.0
    assert zscore_nonzero(image)[near].min() < -2.0
    assert scores[tissue].std() == pytest.approx(1.0, abs=0.05)
