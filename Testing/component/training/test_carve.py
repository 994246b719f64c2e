"""A carved tumor lies inside the brain with its labels, and nothing else of the study changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.cache import Sample
from training.carve import ENOUGH, carve, donors_for
from training.recipes import BRAIN_TUMOR_SMALL
from training.sampling import draw_batch

ROLES = ("T1", "T1ce", "T2", "FLAIR")
SHAPE = (36, 44, 40)


def brain(name: str, center: tuple[int, int, int], *, level: float, roles: tuple[str, ...] = ROLES) -> Sample:
    """An ellipsoid brain of one brightness, its tumor of three nested balls brighter by the number of the ball."""
    z, y, x = np.meshgrid(*(np.arange(count) for count in SHAPE), indexing="ij")
    inside = ((z - 17.5) / 16.0) ** 2 + ((y - 21.5) / 20.0) ** 2 + ((x - 19.5) / 18.0) ** 2 < 1.0
    distance = np.sqrt((z - center[0]) ** 2 + (y - center[1]) ** 2 + (x - center[2]) ** 2)
    target = np.stack([(distance < limit) & inside for limit in (2, 3, 5)]).astype(np.uint8)
    image = ((level + 0.1 * target.sum(axis=0)) * inside).astype(np.float16)
    return Sample("four_sequences", name, np.repeat(image[None], len(roles), axis=0), target, roles, (True,) * 3)


RECEIVER = brain("receiver", (17, 16, 12), level=0.4)
DONOR = brain("donor", (17, 22, 24), level=0.55)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_not_carved_stays_and_what_is_carved_brings_its_labels(seed: int) -> None:
    made = carve(RECEIVER, DONOR, np.random.default_rng(seed))
    changed = (made.image != RECEIVER.image).any(axis=0)
    assert changed.any()
    assert np.array_equal(made.target[:, ~changed], RECEIVER.target[:, ~changed])
    # The brain keeps its outline, and the donor's brightness tells which label each carved voxel must have.
    assert np.array_equal(made.image != 0, RECEIVER.image != 0)
    balls = np.round((made.image[0, changed].astype(float) - 0.55) / 0.1)
    assert np.array_equal(balls, made.target[:, changed].sum(axis=0))
    assert made.target[2].sum() >= ENOUGH * 0.5 * DONOR.target[2].sum()
    assert bool((made.target[0] <= made.target[1]).all() and (made.target[1] <= made.target[2]).all())


def test_a_study_itself_is_never_changed() -> None:
    image, target = RECEIVER.image.copy(), RECEIVER.target.copy()
    carve(RECEIVER, DONOR, np.random.default_rng(3))
    assert np.array_equal(image, RECEIVER.image)
    assert np.array_equal(target, RECEIVER.target)


def test_a_tumor_that_would_lie_outside_the_brain_is_not_carved() -> None:
    small = np.zeros_like(RECEIVER.image)
    small[:, 17:19, 21:23, 19:21] = 0.4
    receiver = replace(RECEIVER, image=small, target=np.zeros_like(RECEIVER.target))
    assert all(carve(receiver, DONOR, np.random.default_rng(seed)) is receiver for seed in range(8))


def test_donors_are_people_with_every_sequence_and_every_region() -> None:
    two = brain("two", (17, 16, 12), level=0.4, roles=("T1ce", "FLAIR"))
    alone = brain("alone", (17, 16, 12), level=0.4, roles=("FLAIR",))
    drawn = replace(DONOR, name="drawn", set_name="phantom")
    partly = replace(DONOR, name="partly", known=(False, False, True))
    healthy = replace(DONOR, name="healthy", target=np.zeros_like(DONOR.target))
    everyone = [RECEIVER, DONOR, two, alone, drawn, partly, healthy]
    assert [donor.name for donor in donors_for(RECEIVER, everyone)] == ["donor"]
    assert [donor.name for donor in donors_for(two, everyone)] == ["receiver", "donor"]
    assert not donors_for(alone, everyone)
    assert not donors_for(drawn, everyone)
    assert not donors_for(partly, everyone)


def test_heads_get_tumors_of_heads_also_from_flair_alone() -> None:
    head, both = (
        replace(brain(name, (17, 16, 12), level=0.4, roles=roles), set_name="lgg", known=(False, False, True))
        for name, roles in (("head", ("FLAIR",)), ("both", ("T1ce", "FLAIR")))
    )
    stripped = replace(head, name="stripped", set_name="more")
    everyone = [RECEIVER, DONOR, head, both, stripped]
    assert [donor.name for donor in donors_for(head, everyone)] == ["both"]
    assert not donors_for(both, everyone)


def test_a_batch_carves_as_often_as_the_recipe_says_and_repeats_itself() -> None:
    recipe = replace(
        BRAIN_TUMOR_SMALL,
        crops=(replace(BRAIN_TUMOR_SMALL.crops[0], size_zyx=(24, 32, 24), mix={"four_sequences": 1.0}),),
        augmentation=replace(BRAIN_TUMOR_SMALL.augmentation, affine_chance=0.0),
    )
    samples = [RECEIVER, DONOR]
    never, always = (replace(recipe, carve_chances=chances) for chances in ({"lgg": 1.0}, {"four_sequences": 1.0}))
    first, second = (draw_batch(samples, always, 5) for _ in range(2))
    assert bool((first.targets == second.targets).all() and (first.images == second.images).all())

    def tumor_voxels(which) -> float:
        return sum(float(draw_batch(samples, which, step).targets[:, 2].sum()) for step in range(20))

    assert tumor_voxels(always) > 1.4 * tumor_voxels(never)
