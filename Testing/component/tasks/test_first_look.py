"""A first look is a real result of the same package, on the grid of the reference, from joined voxels."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import Cancelled
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.tasks.first_look import coarse_volume, first_look, refined
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment
from Testing.makers.phantoms import make_case


def fine_grid() -> Grid:
    matrix = np.diag([1.0, -1.0, 1.0, 1.0])
    matrix[:3, 3] = -31.0, 33.0, -29.0
    return Grid((61, 64, 63), matrix)


def test_joined_voxels_keep_their_place_and_their_mean():
    grid = fine_grid()
    array = np.random.default_rng(3).random(grid.shape_zyx).astype(np.float32)
    found = coarse_volume(Volume(array, grid))
    assert found.array.shape == (31, 32, 32)
    assert found.array[0, 0, 0] == pytest.approx(array[:2, :2, :2].mean(), rel=1e-6)
    corner = grid.ijk_to_ras @ [0.5, 0.5, 0.5, 1.0]
    np.testing.assert_allclose(found.grid.ijk_to_ras @ [0, 0, 0, 1.0], corner)
    np.testing.assert_allclose(found.grid.spacing_zyx_mm, (2.0, 2.0, 2.0))


def test_labels_come_back_to_the_voxels_that_were_joined():
    grid = fine_grid()
    labels = np.zeros((31, 32, 32), np.uint8)
    labels[30, 31, 31] = 4
    back = refined(labels, grid)
    assert back.shape == grid.shape_zyx
    assert back[60, 62:, 62:].tolist() == [[4], [4]]
    assert np.count_nonzero(back) == 2


def test_it_is_what_the_package_finds_in_the_joined_voxels(tiny_package):
    case, package = make_case(fine_grid()), read_package(tiny_package)
    found = first_look(case, package, RunOptions(preset="best"))
    assert found.labels.grid.is_same_as(fine_grid())
    assert [notice.code for notice in found.notices] == ["result.provisional"]
    coarse = Case({role: coarse_volume(volume) for role, volume in case.volumes.items()})
    wanted = segment(coarse, package, RunOptions(preset="fast")).labels.array
    z, y, x = np.indices(fine_grid().shape_zyx) // 2
    np.testing.assert_array_equal(found.labels.array, wanted[z, y, x])


def test_a_case_of_coarse_voxels_has_none(tiny_package, tiny_case):
    assert first_look(tiny_case, read_package(tiny_package), RunOptions()) is None


def test_it_can_be_cancelled(tiny_package):
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        first_look(make_case(fine_grid()), read_package(tiny_package), RunOptions(), cancel)


def test_axes_of_other_orders_are_joined_alike(tiny_package):
    case = make_case(fine_grid())
    turned = {role: Volume(volume.array, volume.grid) for role, volume in case.volumes.items()}
    found = first_look(Case(turned, reference="T2"), read_package(tiny_package), RunOptions())
    assert found.labels.grid.is_same_as(fine_grid())
