"""Thin bridges are found where two parts hang together by little, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.image.bridges import thin_bridges


def balls(*centers: tuple[int, int, int], radius: float = 6.0) -> np.ndarray:
    z, y, x = np.indices((24, 24, 48))
    distances = [np.sqrt((z - c[0]) ** 2 + (y - c[1]) ** 2 + (x - c[2]) ** 2) for c in centers]
    return np.logical_or.reduce([distance <= radius for distance in distances])


@pytest.fixture
def dumbbell() -> np.ndarray:
    mask = balls((12, 12, 9), (12, 12, 36))
    mask[11:13, 11:13, 9:36] = True
    return mask


def test_a_thin_neck_is_found_with_the_smaller_side_at_stake(dumbbell):
    dumbbell[12 - 3 : 12 + 4, 12 - 9 : 12 + 10, 3:9] = True  # the left side is the larger one
    ((where, smaller),) = thin_bridges(dumbbell, (1.0, 1.0, 1.0), 2.0, 100)
    assert set(where[:, 0]) <= {10, 11, 12, 13}
    assert 15 < where[:, 2].mean() < 30
    right = balls((12, 12, 36))
    assert smaller == pytest.approx(right.sum(), rel=0.1)


def test_two_parts_that_meet_in_a_narrow_plane_are_found():
    mask = balls((12, 12, 10), (12, 12, 22))  # they touch in a voxel or two
    assert len(thin_bridges(mask, (1.0, 1.0, 1.0), 2.0, 100)) == 1


@pytest.mark.parametrize("what", ["one ball", "two apart", "a thick neck", "a crumb on a thread", "nothing"])
def test_what_is_no_bridge_is_not_found(dumbbell, what):
    mask = {
        "one ball": balls((12, 12, 20)),
        "two apart": balls((12, 12, 9), (12, 12, 36)),
        "nothing": np.zeros((5, 5, 5), bool),
    }.get(what, dumbbell)
    if what == "a thick neck":
        mask[8:17, 8:17, 9:36] = True
    if what == "a crumb on a thread":
        mask = balls((12, 12, 9))
        mask[11:13, 11:13, 9:30] = True
        mask[10:14, 10:14, 30:34] = True
    assert thin_bridges(mask, (1.0, 1.0, 1.0), 2.0, 100) == []


def test_the_place_of_the_box_in_the_image_does_not_matter(dumbbell):
    (first,) = thin_bridges(dumbbell, (1.0, 1.0, 1.0), 2.0, 100)
    (second,) = thin_bridges(np.pad(dumbbell, ((7, 0), (0, 3), (5, 1))), (1.0, 1.0, 1.0), 2.0, 100)
    np.testing.assert_array_equal(second[0], first[0] + [7, 0, 5])
    assert second[1] == first[1]
