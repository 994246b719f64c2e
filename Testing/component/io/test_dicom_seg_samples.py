"""DICOM SEG of the shared real series: written on the right voxels, or refused by name."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.dicom_seg import Algorithm, dicom_seg
from MedSegAILib.io.dicom_source import read_source
from MedSegAILib.io.read import read_volume
from MedSegAILib.io.segmentation_nrrd import Segment
from Testing.makers.dicom_seg_reader import read_seg

pytestmark = pytest.mark.shared

WRITTEN: dict[str, tuple[str, ...]] = {
    "ct_head_64": ("dicom_seg.frame_of_reference",),
    "ct_gantry_tilt_real_pixels": ("dicom_seg.frame_of_reference", "dicom_seg.gantry_tilt"),
    "mr_hippocampus_crop": (),
    "mr_implicit_vr": ("dicom_seg.frame_of_reference",),
    "mr_enhanced_multiframe/6_1.dcm": (),
    "single_files/ct_image.dcm": (),
}
REFUSED = {
    "ct_jpeg2000_axial": "dicom_seg.missing_attributes",
    "ct_missing_slice": "series.missing_slices",
    "ct_same_position": "series.same_position",
    "mr_enhanced_multiframe": "series.same_position",
    "mr_enhanced_reference_4volumes.nii": "dicom_seg.not_dicom",
    "mr_mixed_orientation": "series.mixed_orientations",
    "mr_oblique_missing_slice": "series.missing_slices",
    "sc_rgb_jpeg2000": "volume.color",
    "single_files": "series.several",
}


@pytest.fixture
def samples(shared_dir: Path) -> Path:
    return shared_dir / "data" / "dicom_samples"


def bright(path):
    volume = read_volume(path)
    masks = [volume.array > np.percentile(volume.array, share) for share in (70, 90)]
    return volume, [Segment(f"S{k}", f"Segment {k}", (0.2, 0.5, 0.8), mask) for k, mask in enumerate(masks)]


@pytest.mark.parametrize("name", WRITTEN)
def test_real_series_gets_an_object_with_these_notices(name, samples):
    volume, masks = bright(samples / name)
    made = dicom_seg(masks, volume.grid, read_source(samples / name), Algorithm("test", "1"))
    assert tuple(notice.code for notice in made.notices) == WRITTEN[name]
    found = read_seg(BytesIO(made.content))
    if "dicom_seg.gantry_tilt" not in WRITTEN[name]:
        assert {label: len(places) for label, places in found.items()} == {m.name: int(m.mask.sum()) for m in masks}


@pytest.mark.parametrize("name", REFUSED)
def test_real_series_is_refused_by_name(name, samples):
    with pytest.raises(InputError) as caught:
        read_source(samples / name)
    assert caught.value.code == REFUSED[name]


@pytest.mark.parametrize("name", ["ct_head_64", "mr_hippocampus_crop"])
def test_pixels_of_the_object_are_the_bright_voxels_of_gdcms_volume(name, samples):
    """Neither our reader nor highdicom takes part in the comparison."""
    volume, masks = bright(samples / name)
    made = dicom_seg(masks, volume.grid, read_source(samples / name), Algorithm("test", "1"))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(samples / name)))
    image = reader.Execute()
    array = SimpleITK.GetArrayFromImage(image)
    for share, places in zip((70, 90), read_seg(BytesIO(made.content)).values(), strict=True):
        back = np.zeros(array.shape, bool)
        for right, anterior, superior in places:
            i, j, k = image.TransformPhysicalPointToIndex((-right, -anterior, superior))
            back[k, j, i] = True
        np.testing.assert_array_equal(back, array > np.percentile(array, share))
