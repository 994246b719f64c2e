"""Our mutual information is SimpleITK's, at every place of the moving volume."""

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.image.mutual_information import BINS, MutualInformation
from Testing.makers.whole_head import brain_of, head_grid, make_head, rigid

MOVES = {
    "where it lies": rigid((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    "shifted by part of a voxel": rigid((0.0, 0.0, 0.0), (1.3, -2.2, 0.7)),
    "turned and shifted": rigid((9.0, -6.0, 12.0), (4.0, 8.0, -3.0)),
    "half outside": rigid((0.0, 0.0, 0.0), (0.0, 40.0, 0.0)),
}


def itk_information(fixed, mask, moving, move):
    """The same by SimpleITK, on voxels of 1 mm around the origin of its world."""
    images = [SimpleITK.GetImageFromArray(array) for array in (fixed, moving, mask.astype(np.uint8))]
    place = SimpleITK.AffineTransform(3)
    place.SetMatrix(move[:3, :3].ravel().tolist())
    place.SetTranslation(move[:3, 3].tolist())
    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricFixedMask(images[2])
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetInitialTransform(place)
    return -method.MetricEvaluate(*images[:2])


@pytest.mark.parametrize("name", MOVES)
def test_it_is_the_number_of_simpleitk(name):
    volumes, mask = make_head().volumes, brain_of(head_grid())
    fixed, moving = volumes["T1ce"].array, volumes["T2"].array[4:, :-3]
    wanted = itk_information(fixed, mask, moving, MOVES[name])
    assert MutualInformation(fixed, mask, moving).at(MOVES[name]) == pytest.approx(wanted, abs=1e-5)


def test_volumes_that_do_not_meet_tell_nothing():
    volumes, mask = make_head().volumes, brain_of(head_grid())
    information = MutualInformation(volumes["T1"].array, mask, volumes["T2"].array)
    assert information.at(rigid((0.0, 0.0, 0.0), (500.0, 0.0, 0.0))) == -float("inf")


def test_a_constant_volume_tells_nothing():
    mask = np.ones((6, 7, 8), bool)
    assert MutualInformation(np.ones((6, 7, 8)), mask, np.random.default_rng(1).random((6, 7, 8))).at(np.eye(4)) == 0.0
