"""Our resampling against SimpleITK's, an independent implementation."""

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.volume import Grid
from MedSegAILib.image.resample import resample


def itk_image(array, ijk_to_ras):
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ ijk_to_ras
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize(("order", "itk"), [(1, SimpleITK.sitkLinear), (0, SimpleITK.sitkNearestNeighbor)])
def test_finer_grid_agrees_with_simpleitk(degrees, order, itk):
    rng = np.random.default_rng(1)
    array = rng.random((12, 14, 16)).astype(np.float32)
    source = Grid(array.shape, np.diag([-2.0, -1.5, 3.0, 1.0]))
    angle = np.radians(degrees)
    matrix = np.diag([-1.1, -0.7, 1.3, 1.0])
    matrix[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]] @ matrix[1:3, 1:3]
    matrix[:3, 3] = (-5.3, -4.1, 6.2)
    target = Grid((9, 11, 10), matrix)
    ours = resample(array, source, target, order=order)
    reference = itk_image(np.zeros(target.shape_zyx, np.float32), target.ijk_to_ras)
    theirs = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(itk_image(array, source.ijk_to_ras), reference, SimpleITK.Transform(), itk, 0.0)
    )
    assert np.abs(ours - theirs).max() < 1e-4
