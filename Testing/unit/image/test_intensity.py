"""Check numbers of the BraTS 2020 page, section 2."""

import numpy as np
import pytest

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
