import numpy as np
import pytest

from MedSegAILib.core.errors import Cancelled
from MedSegAILib.core.run import Cancel
from MedSegAILib.image.diffusion import diffuse
from MedSegAILib.image.intensity import window_map, zscore

RNG = np.random.default_rng(4)


def test_window_clips_and_maps_linearly():
    hu = np.array([[[-1024, -100, 70, 240, 3071]]], np.int16)
    assert window_map(hu, -100, 240).ravel().tolist() == [0, 0, 0.5, 1, 1]
    assert window_map(hu, -1024, 3071, (0, 255)).ravel()[[0, 4]].tolist() == [0, 255]
    assert window_map(hu, -100, 240).dtype == np.float32
    with pytest.raises(ValueError, match="a window from 240"):
        window_map(hu, 240, -100)


def test_zscore_of_all_voxels_counts_zeros_too():
    array = np.array([[[0, 0, 2, 2]]], np.int16)
    assert zscore(array).ravel().tolist() == [-1, -1, 1, 1]
    assert not zscore(np.full((2, 2, 2), 7)).any()


def test_diffusion_smooths_noise_and_keeps_an_edge():
    edge = np.where(np.arange(24) < 12, 0.0, 1000.0)
    image = np.broadcast_to(edge, (16, 16, 24)) + RNG.normal(0, 10, (16, 16, 24))
    smooth = diffuse(image, iterations=10, kappa=50.0, gamma=0.1)
    assert smooth[:, :, 2:10].std() < 0.5 * image[:, :, 2:10].std()
    assert smooth[:, :, 12].mean() - smooth[:, :, 11].mean() == pytest.approx(1000.0, abs=10.0)
    assert smooth.sum() == pytest.approx(image.sum(), rel=1e-5)


def test_diffusion_is_the_formula_of_perona_and_malik():
    """One step at one voxel, by hand: six neighbors, exponential conductance."""
    image = RNG.normal(0, 30, (5, 5, 5))
    here = image[2, 2, 2]
    differences = np.array(
        [image[p] - here for p in ((1, 2, 2), (3, 2, 2), (2, 1, 2), (2, 3, 2), (2, 2, 1), (2, 2, 3))]
    )
    wanted = here + 0.1 * np.sum(differences * np.exp(-((differences / 50.0) ** 2)))
    assert diffuse(image, 1)[2, 2, 2] == pytest.approx(wanted, rel=1e-5)


def test_diffusion_does_the_same_in_every_axis_order():
    image = RNG.normal(0, 30, (4, 5, 6))
    turned = diffuse(image.transpose(2, 0, 1)[::-1], 3)
    assert np.allclose(turned[::-1].transpose(1, 2, 0), diffuse(image, 3), atol=1e-4)


def test_diffusion_refuses_steps_that_may_oscillate_and_stops_when_cancelled():
    for wrong in ({"kappa": 0.0}, {"gamma": 0.2}, {"gamma": 0.0}):
        with pytest.raises(ValueError, match="kappa"):
            diffuse(np.zeros((3, 3, 3)), **wrong)
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        diffuse(np.zeros((3, 3, 3)), cancel=cancel)
