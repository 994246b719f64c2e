"""Every folder of the shared DICOM samples: a right volume, or one clear sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.errors import InputError
from MedSegAILib.image.resample import resample
from MedSegAILib.io.read import read_volume, read_volume_with_notices

pytestmark = pytest.mark.shared

# Path -> (shape, notices) or the code of the error.
EXPECTED: dict[str, tuple[tuple[int, int, int], tuple[str, ...]] | str] = {
    "ct_gantry_tilt": ((4, 131, 128), ("series.gantry_tilt",)),
    "ct_gantry_tilt_real_pixels": ((24, 70, 64), ("series.gantry_tilt",)),
    "ct_head_64": ((40, 64, 64), ()),
    "ct_jpeg2000_axial": ((4, 512, 512), ()),
    "ct_missing_slice": "series.missing_slices",
    "ct_same_position": "series.same_position",
    "ct_tiny_with_seg": "series.missing_slices",
    "ct_tiny_with_seg/seg_image_ct_binary.dcm": "series.not_an_image",
    "mr_enhanced_multiframe": "series.same_position",
    "mr_enhanced_multiframe/6_1.dcm": ((6, 64, 64), ()),
    "mr_hippocampus_crop": ((35, 48, 36), ()),
    "mr_implicit_vr": ((4, 64, 64), ()),
    "mr_mixed_orientation": "series.mixed_orientations",
    "mr_oblique_missing_slice": "series.missing_slices",
    "sc_rgb_jpeg2000": "volume.color",
    "single_files": "series.several",
    "single_files/ct_image.dcm": ((1, 128, 128), ("series.single_slice",)),
    "single_files/dx_image.dcm": "series.no_geometry",
}


@pytest.fixture
def folder(shared_dir: Path) -> Path:
    return shared_dir / "data" / "dicom_samples"


def test_every_folder_of_the_set_has_a_row(folder: Path) -> None:
    assert set(json.loads((folder / "index.json").read_text())) == {name for name in EXPECTED if "/" not in name}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_sample_is_read_or_refused_as_expected(name: str, folder: Path) -> None:
    expected = EXPECTED[name]
    if isinstance(expected, str):
        with pytest.raises(InputError) as caught:
            read_volume(folder / name)
        assert caught.value.code == expected
        assert caught.value.hint.endswith(".")
    else:
        found = read_volume_with_notices(folder / name)
        assert (found.volume.array.shape, tuple(notice.code for notice in found.notices)) == expected


@pytest.mark.parametrize("name", ["ct_head_64", "ct_jpeg2000_axial", "mr_hippocampus_crop"])
def test_plain_series_is_that_of_gdcm(name: str, folder: Path) -> None:
    ours = read_volume(folder / name)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder / name)))
    theirs = reader.Execute()
    np.testing.assert_array_equal(ours.array, SimpleITK.GetArrayFromImage(theirs))
    linear = np.array(theirs.GetDirection()).reshape(3, 3) * np.array(theirs.GetSpacing())
    np.testing.assert_allclose(ours.grid.ijk_to_ras[:3, :3], np.diag([-1, -1, 1]) @ linear, atol=1e-4)
    np.testing.assert_allclose(ours.grid.ijk_to_ras[:3, 3], np.array([-1, -1, 1]) * theirs.GetOrigin(), atol=1e-4)


def test_straightened_head_is_the_head_that_was_tilted(folder: Path) -> None:
    tilted = read_volume(folder / "ct_gantry_tilt_real_pixels")
    plain = read_volume(folder / "ct_head_64")
    moved = resample(tilted.array, tilted.grid, plain.grid, fill=-1.0)
    inside = moved >= 0
    assert inside.mean() > 0.5
    correlation = np.corrcoef(moved[inside], plain.array[inside])[0, 1]
    assert correlation > 0.98


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_enhanced_mr_is_the_volume_that_dcm2niix_made(number: int, folder: Path) -> None:
    ours = read_volume(folder / "mr_enhanced_multiframe" / f"6_{number}.dcm")
    image = SimpleITK.ReadImage(str(folder / "mr_enhanced_reference_4volumes.nii"))
    reference = SimpleITK.GetArrayFromImage(image)[number - 1]
    matrix = np.eye(4)
    linear = np.array(image.GetDirection()).reshape(4, 4)[:3, :3] * np.array(image.GetSpacing())[:3]
    matrix[:3, :3] = np.diag([-1.0, -1, 1]) @ linear
    matrix[:3, 3] = np.array([-1.0, -1, 1]) * image.GetOrigin()[:3]
    # The converter turned the rows over; compare at the same places in the patient.
    to_reference = np.linalg.inv(matrix) @ ours.grid.ijk_to_ras
    np.testing.assert_allclose(to_reference[:3, :3], np.diag([1, -1, 1]), atol=1e-3)
    np.testing.assert_allclose(to_reference[:3, 3], (0, 63, 0), atol=1e-2)
    np.testing.assert_array_equal(ours.array, reference[:, ::-1])
