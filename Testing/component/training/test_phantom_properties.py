"""What a drawn head has of a real one: rim around necrosis, mass effect, partial volume, coil, noise, contrast."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from training.phantoms.anatomy import draw_tissues
from training.phantoms.brain import FULL_SCALE, SEQUENCES, HeadOptions, Phantom, degrade, draw_head, voxel_places
from training.phantoms.tumor import TumorPlan, displace, draw_tumor

RING = TumorPlan("ring", (-32.0, 14.0, 24.0), core_mm=22.0, rim_mm=5.0, edema_mm=14.0, push=0.4)
QUIET = HeadOptions(spacing_mm=4.0, tumor=RING, noise=0.0, vary=0.0)


@pytest.fixture(scope="module")
def head() -> Phantom:
    return draw_head(3, QUIET)


def test_an_enhancing_rim_encloses_the_necrosis(head: Phantom) -> None:
    core, rim = head.labels == 1, head.labels == 4
    around = ndimage.binary_dilation(core) & ~core
    assert np.count_nonzero(around & rim) > 0.8 * np.count_nonzero(around)  # voxels of 4 mm, a rim of 5


def test_edema_lies_around_the_core_and_follows_white_matter(head: Phantom) -> None:
    """Where it might lie on either, more of it lies on what was white than of the tissue around it."""
    places = voxel_places(head.grid)
    distance = np.sqrt(sum((axis - middle) ** 2 for axis, middle in zip(places, RING.center_mm, strict=True)))
    generator = np.random.default_rng(3)
    tissues = draw_tissues(places, 4.0, generator, with_skull=False)
    tumor = draw_tumor(places, tissues.white, tissues.depth_mm, RING, generator, 4.0)
    shell = (distance > 27.0) & (distance < 36.0) & (tissues.brain > 0.5)
    edema = tumor.labels == 2
    assert tissues.white[shell & edema].mean() > tissues.white[shell & ~edema].mean() + 0.1


def test_a_mass_pushes_its_neighborhood_and_leaves_what_is_far() -> None:
    places = [np.array([[[RING.center_mm[0] + x]]], np.float32) for x in (25.0,)]
    places += [np.array([[[middle]]], np.float32) for middle in RING.center_mm[1:]]
    far = [np.array([[[RING.center_mm[0] + 140.0]]], np.float32), *places[1:]]
    near_mm = float(displace(places, RING)[0].item()) - RING.center_mm[0]
    far_mm = float(displace(far, RING)[0].item()) - RING.center_mm[0]
    assert near_mm < 0.8 * 25.0  # what is seen 25 mm away lay closer: it was pushed outward
    assert far_mm == pytest.approx(140.0, abs=0.1)


def test_voxels_on_a_border_hold_a_share_of_both_sides(head: Phantom) -> None:
    generator = np.random.default_rng(3)
    places = voxel_places(head.grid)
    tissues = draw_tissues(places, 4.0, generator, with_skull=False)
    tumor = draw_tumor(places, tissues.white, tissues.depth_mm, RING, generator, 4.0)
    border = (tumor.enhancing > 0.1) & (tumor.enhancing < 0.9)
    assert np.count_nonzero(border) > 0.2 * np.count_nonzero(tumor.enhancing > 0.5)


def test_the_coil_is_uneven_and_smooth() -> None:
    flat = np.full((30, 30, 30), 0.8, np.float32)
    seen = degrade(flat, np.random.default_rng(1), replace(QUIET, spacing_mm=6.0)) / 0.8
    inner = seen[3:-3, 3:-3, 3:-3]
    assert 0.02 < float(inner.std()) < 0.3
    assert float(np.abs(np.diff(inner, axis=0)).max()) < 0.05


def test_noise_has_the_size_that_was_asked_for(head: Phantom) -> None:
    noisy = draw_head(3, replace(QUIET, noise=0.05))
    difference = (noisy.volumes["T1"] - head.volumes["T1"])[head.volumes["T1"] > 0]
    assert float(difference.std()) / FULL_SCALE == pytest.approx(0.05, rel=0.1)


def test_contrast_differs_from_head_to_head_in_every_sequence() -> None:
    heads = [draw_head(seed, HeadOptions(spacing_mm=6.0)) for seed in range(5)]
    for name in SEQUENCES:
        brains = [one.volumes[name][(one.labels == 0) & (one.volumes[name] > 0)] for one in heads]
        medians = [float(np.median(brain)) / FULL_SCALE for brain in brains]
        assert np.std(medians) > 0.01, name
