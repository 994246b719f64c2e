"""Drawn studies: same seed same voxels, another seed another body, and a target that intensities alone do not give."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.core.errors import UsageError
from training.phantoms import draw_phantom
from training.phantoms.space import make_grid, places_of, thicker
from training.tasks import TASKS

TASKS_DRAWN = ("pancreas", "prostate", "hand-bones", "brain-tissue", "hippocampus")
SEED = 31
# Volumes of people, in mL, wide: phantoms must stay within.
LIKELY_ML = {
    "pancreas": {"organ": (25, 120)}, "prostate": {"prostate": (14, 90)}, "hand-bones": {"bones": (35, 120)},
    "brain-tissue": {"brain": (900, 1700), "CSF": (5, 60)}, "hippocampus": {"hippocampus": (1.5, 6)},
}  # fmt: skip


@pytest.fixture(scope="module", params=TASKS_DRAWN)
def drawn(request: pytest.FixtureRequest):
    case, labels = draw_phantom(request.param, SEED)
    return TASKS[request.param], case, labels


def test_it_shows_every_label_of_its_task_on_the_grid_of_its_image(drawn) -> None:
    task, case, labels = drawn
    assert set(np.unique(labels.array)) == task.label_values
    assert case.reference_grid().is_same_as(labels.grid)
    assert tuple(case.volumes) == task.roles


def test_volumes_are_those_of_a_body(drawn) -> None:
    task, _, labels = drawn
    for region, (least, most) in LIKELY_ML[task.name].items():
        volume_ml = np.isin(labels.array, task.regions[region]).sum() * labels.grid.voxel_volume_ml
        assert least <= volume_ml <= most, (region, volume_ml)


def test_no_threshold_finds_the_target(drawn) -> None:
    """The best window of intensities around the target's own reaches far less than a network must."""
    task, case, labels = drawn
    # Of the brain's tissues only the ventricles share their intensities: with the fluid of the sulci.
    region = "CSF" if task.name == "brain-tissue" else task.main_region
    image = case.volumes[task.roles[0]].array
    target = np.isin(labels.array, task.regions[region])
    low, high = np.percentile(image[target], [10, 90])
    window = (image >= low) & (image <= high)
    assert 2 * (window & target).sum() / (window.sum() + target.sum()) < 0.6


@pytest.mark.parametrize("task", ["hand-bones", "hippocampus"])
def test_the_same_seed_gives_the_same_voxels_and_another_one_does_not(task: str) -> None:
    first, again, other = (draw_phantom(task, seed) for seed in (5, 5, 6))
    (role,) = first[0].volumes
    assert np.array_equal(first[0].volumes[role].array, again[0].volumes[role].array)
    assert np.array_equal(first[1].array, again[1].array)
    assert not np.array_equal(first[1].array, other[1].array)


def test_a_task_without_generator_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        draw_phantom("lungs", 1)
    assert caught.value.code == "training.phantom"


def test_thick_slices_keep_the_place_of_what_they_show() -> None:
    grid = make_grid((20.0, 20.0, 24.0), (1.0, 1.0, 1.0))
    up = places_of(grid)[2]
    thick, thick_grid = thicker(up, grid, 3)
    assert np.allclose(thick, places_of(thick_grid)[2], atol=1e-5)
