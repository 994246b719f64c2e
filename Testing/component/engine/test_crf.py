"""The fully connected field against the direct sum over all pairs, written a second time in numpy."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from MedSegAILib.core.errors import UsageError
from MedSegAILib.engine.crf import CrfSettings, reach_voxels, refine

SPACING = (2.5, 0.8, 1.1)
ISOTROPIC = (1.0, 1.0, 1.0)
SETTINGS = CrfSettings(reach_mm=None, intensity=20.0, iterations=3)


def directly(probabilities, image, spacing_mm, settings):
    """The mean field over the whole matrix of pairs, float64."""
    k, *shape = probabilities.shape
    places = np.stack(
        np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing_mm, strict=True)), indexing="ij"), -1
    )
    places = places.reshape(-1, 3)
    values = image.reshape(image.shape[0], -1).T.astype(np.float64)
    apart = ((places[:, None] - places[None]) ** 2).sum(-1)
    unlike = ((values[:, None] - values[None]) ** 2).sum(-1)
    total = np.zeros_like(apart)
    for weight, kernel in (
        (settings.appearance, np.exp(-apart / (2 * settings.appearance_mm**2) - unlike / (2 * settings.intensity**2))),
        (settings.smoothness, np.exp(-apart / (2 * settings.smoothness_mm**2))),
    ):
        if settings.normalized:
            sums = kernel.sum(axis=1)
            kernel = kernel / np.sqrt(sums[:, None] * sums[None])
        total += weight * kernel
    np.fill_diagonal(total, 0.0)
    p = probabilities.reshape(k, -1).astype(np.float64)
    if settings.exclusive:
        q = p
        for _ in range(settings.iterations):
            energy = np.log(p) + q @ total
            q = np.exp(energy - energy.max(axis=0))
            q /= q.sum(axis=0)
        return q.reshape(probabilities.shape)
    refined = []
    for one in p:  # each region with its complement
        both = np.stack([1 - one, one])[:, None].reshape(2, *shape)
        refined.append(directly(both, image, spacing_mm, replace(settings, exclusive=True))[1])
    return np.stack(refined)


def example(shape, k=3, channels=1, exclusive=True):
    random = np.random.default_rng(4)
    scores = random.normal(size=(k, *shape))
    shares = np.exp(scores) / np.exp(scores).sum(axis=0) if exclusive else 1 / (1 + np.exp(-scores))
    image = 60 * random.normal(size=(channels, *shape)) + 40 * np.arange(shape[2])
    return shares.astype(np.float32), image.astype(np.float32)


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize(("shape", "channels"), [((4, 6, 5), 1), ((1, 9, 8), 1), ((3, 4, 5), 2)], ids=str)
def test_field_is_the_direct_sum(shape, channels, exclusive, normalized):
    shares, image = example(shape, channels=channels, exclusive=exclusive)
    weights = {} if normalized else {"appearance": 0.2, "smoothness": 0.1}
    settings = replace(SETTINGS, exclusive=exclusive, normalized=normalized, **weights)
    wanted = directly(shares, image, SPACING, settings)
    found = refine(shares, image, SPACING, settings)
    assert found.dtype == np.float32
    assert np.abs(wanted - shares).max() > 0.1  # the field does something
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5)


def blocks():
    """Two tissues with a noisy opinion of which is which."""
    random = np.random.default_rng(0)
    truth = np.zeros((5, 16, 16), bool)
    truth[1:4, 4:12, 3:11] = True
    image = np.where(truth, 140.0, 90.0) + 6 * random.normal(size=truth.shape)
    shares = 1 / (1 + np.exp(-(2.0 * truth - 1.0 + 1.5 * random.normal(size=truth.shape))))
    return truth, shares[None].astype(np.float32), image[None].astype(np.float32)


def test_noise_of_the_probabilities_gives_way_to_the_image():
    truth, shares, image = blocks()
    refined = refine(shares, image, ISOTROPIC)
    wrong_before, wrong_after = (int(((one[0] >= 0.5) != truth).sum()) for one in (shares, refined))
    assert wrong_before > 200
    assert wrong_after < 10


@pytest.mark.parametrize(
    ("reach_mm", "mean_error", "largest_error"), [(2.0, 0.01, 0.25), (5.0, 0.003, 0.1), (10.0, 0.0003, 0.01)]
)
def test_cut_messages_come_near_the_direct_sum_as_the_box_grows(reach_mm, mean_error, largest_error):
    """The error in probability, on two tissues, below one deviation, at the default of one, and at two."""
    _, shares, image = blocks()
    errors = np.abs(refine(shares, image, ISOTROPIC, CrfSettings(reach_mm=reach_mm)) - whole_field())
    assert float(errors.mean()) < mean_error
    assert float(errors.max()) < largest_error


@functools.cache
def whole_field():
    _, shares, image = blocks()
    return directly(shares, image, ISOTROPIC, CrfSettings())


def test_reach_is_counted_in_voxels_of_each_axis_and_ends_at_the_edge():
    assert reach_voxels((20, 20, 20), (2.5, 1.0, 0.5), 5.0) == (2, 5, 10)
    assert reach_voxels((1, 20, 4), (2.5, 1.0, 0.5), 5.0) == (0, 5, 3)
    assert reach_voxels((3, 4, 5), ISOTROPIC, None) == (2, 3, 4)


def test_input_is_left_alone_and_the_result_repeats():
    _, shares, image = blocks()
    before = shares.copy()
    told = []
    first = refine(shares, image, ISOTROPIC, on_iteration=lambda done, of: told.append((done, of)))
    np.testing.assert_array_equal(shares, before)
    np.testing.assert_array_equal(refine(shares, image, ISOTROPIC), first)
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_grids_that_differ_are_refused():
    with pytest.raises(UsageError) as caught:
        refine(np.zeros((1, 2, 3, 4), np.float32), np.zeros((1, 2, 3, 5), np.float32), SPACING)
    assert caught.value.code == "crf.shape"


def test_deviation_of_zero_is_refused():
    with pytest.raises(UsageError) as caught:
        refine(*example((2, 3, 4)), SPACING, CrfSettings(intensity=0.0))
    assert caught.value.code == "crf.settings"


@pytest.mark.gpu
def test_gpu_gives_what_the_cpu_gives():
    assert torch.cuda.is_available()
    _, shares, image = blocks()
    on_cpu = refine(shares, image, ISOTROPIC)
    np.testing.assert_allclose(refine(shares, image, ISOTROPIC, device="cuda:0"), on_cpu, rtol=0, atol=1e-4)
