"""Every file of the shared set of odd files: a right volume, or one clear sentence. No file may be without a row."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.read import read_label_map, read_volume, read_volume_with_notices
from MedSegAILib.io.segmentation_nrrd import read_segmentation

pytestmark = pytest.mark.shared

AXIAL = np.diag([1.0, 1.2, 2.5, 1.0])
AXIAL[:3, 3] = (-12, -11, -20)
C, S = np.cos(0.4), np.sin(0.4)
OBLIQUE = AXIAL.copy()
OBLIQUE[:3, :3] = (
    np.array([[C, -S, 0], [S, C, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, C, -S], [0, S, C]]) @ AXIAL[:3, :3]
)
LEFT_HANDED = AXIAL.copy()
LEFT_HANDED[0] *= -1
PERMUTED = np.array([[0, 0, 2.5, 0], [-1.0, 0, 0, 0], [0, 1.2, 0, 0], [0, 0, 0, 1]])
FAR = AXIAL.copy()
FAR[:3, 3] = 1e7
LPS_AXIAL = np.diag([-1.0, -1, 1, 1]) @ AXIAL
COARSE = np.diag([2.0, 2.4, 2.5, 1.0])
COARSE[:3, 3] = AXIAL[:3, 3]
SHIFTED = AXIAL.copy()
SHIFTED[0, 3] += 4
NO_FORM = np.diag([-1.0, -1.0, 1.0, 1.0])

# File -> (matrix, notices).
READ: dict[str, tuple[np.ndarray | None, tuple[str, ...]]] = {
    "gen name with spaces (1).nii.gz": (AXIAL, ()),
    "gen_all_nan.nii.gz": (AXIAL, ()),
    "gen_big_endian.nii": (AXIAL, ()),
    "gen_constant.nii.gz": (AXIAL, ()),
    "gen_far_origin.nii.gz": (FAR, ()),
    "gen_float64_huge.nii.gz": (AXIAL, ()),
    "gen_gzip_named_nii.nii": (AXIAL, ()),
    "gen_inflates_to_16MiB_of_zeros.nii.gz": (AXIAL, ()),
    "gen_label_empty.nii.gz": (AXIAL, ()),
    "gen_label_float_noninteger.nii.gz": (AXIAL, ()),
    "gen_label_negative.nii.gz": (AXIAL, ()),
    "gen_label_other_grid.nii.gz": (COARSE, ()),
    "gen_label_same_shape_shifted.nii.gz": (SHIFTED, ()),
    "gen_label_values_300_600.nii.gz": (AXIAL, ()),
    "gen_left_handed.nii.gz": (LEFT_HANDED, ()),
    "gen_local.mha": (LPS_AXIAL, ()),
    "gen_nan_inf.nii.gz": (AXIAL, ()),
    "gen_no_form_codes.nii": (NO_FORM, ("volume.no_orientation",)),
    "gen_oblique.nii.gz": (OBLIQUE, ()),
    "gen_oblique_label.nii.gz": (OBLIQUE, ()),
    "gen_permuted_axes.nii.gz": (PERMUTED, ()),
    "gen_plain_nifti_named_gz.nii.gz": (AXIAL, ()),
    "gen_qform_sform_disagree.nii": (AXIAL, ("volume.two_positions",)),
    "gen_ras_space.nrrd": (AXIAL, ()),
    "gen_reference_image.nii.gz": (AXIAL, ()),
    "gen_reference_label.nii.gz": (AXIAL, ()),
    "gen_single_slice.nii.gz": (AXIAL, ()),
    "gen_slope_intercept.nii": (AXIAL, ()),
    "gen_trailing_garbage.nii.gz": (AXIAL, ("file.trailing_bytes",)),
    "gen_zero_pixdim.nii": (AXIAL, ()),
    "gen_ümläut_標本.nii.gz": (AXIAL, ()),
    "real_float_range_1e6_hippocampus_210.nii.gz": (None, ()),
    "real_oblique_fmri_pitch.nii.gz": (None, ()),
    "real_oblique_reoriented_anat_moved.nii": (None, ()),
    "real_slicer_oblique.seg.nrrd": (None, ()),
}
REFUSED: dict[str, str] = {
    "gen_2d.nii.gz": "volume.not_3d",
    "gen_4d_time.nii.gz": "volume.not_3d",
    "gen_5d_vector.nii.gz": "volume.not_3d",
    "gen_complex64.nii.gz": "volume.complex",
    "gen_crc_error.nii.gz": "file.damaged",
    "gen_data_too_short.nii": "file.too_short",
    "gen_detached_escape.nhdr": "file.outside_folder",
    "gen_detached_missing.nhdr": "file.data_missing",
    "gen_directory.nii.gz": "series.no_images",
    "gen_empty.dcm": "file.empty",
    "gen_empty.nii.gz": "file.empty",
    "gen_escape_raw.mhd": "file.outside_folder",
    "gen_gray_2d.png": "volume.not_3d",
    "gen_gz_of_text.nii.gz": "file.not_an_image",
    "gen_header_claims_30000_cubed.nii.gz": "file.too_short",
    "gen_missing_raw.mhd": "file.data_missing",
    "gen_negative_dim.nii": "volume.empty_axis",
    "gen_rgb.nii.gz": "volume.color",
    "gen_rgb.nrrd": "volume.color",
    "gen_rgb_2d.png": "volume.not_3d",
    "gen_sheared_sform.nii.gz": "grid.sheared",
    "gen_singular_affine.nii": "grid.matrix",
    "gen_size_lie.nrrd": "file.too_short",
    "gen_text_not_image.nii.gz": "file.not_an_image",
    "gen_truncated.nii.gz": "file.too_short",
    "real_2d_r16slice.nii.gz": "volume.not_3d",
    "real_4d_epi_example4d.nii.gz": "volume.not_3d",
    "real_nifti2.nii.gz": "volume.not_3d",
    "real_test.mgz": "volume.format",
}
ABOUT_THE_SET = {"README.md", "SHA256SUMS", "splits.json", "make_odd_files.py"}


@pytest.fixture
def folder(shared_dir: Path) -> Path:
    return shared_dir / "data" / "odd_files"


def test_every_file_of_the_set_has_a_row(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} - ABOUT_THE_SET == set(READ) | set(REFUSED)


@pytest.mark.parametrize("name", sorted(READ))
def test_odd_but_sound_file_is_read_at_its_place(name: str, folder: Path) -> None:
    matrix, codes = READ[name]
    found = read_volume_with_notices(folder / name)
    assert tuple(notice.code for notice in found.notices) == codes
    if matrix is not None:
        np.testing.assert_allclose(found.volume.grid.ijk_to_ras, matrix, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_unusable_file_gives_one_sentence_and_a_hint(name: str, folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_volume(folder / name)
    error = caught.value
    assert error.code == REFUSED[name]
    assert error.message.endswith(".")
    assert error.hint.endswith(".")
    assert "\n" not in str(error)
    assert str(folder) not in str(error)


def test_claimed_sizes_cost_no_memory(folder: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in ("gen_header_claims_30000_cubed.nii.gz", "gen_size_lie.nrrd"):
        with pytest.raises(InputError):
            read_volume(folder / name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_values_are_those_that_were_put_in(folder: Path) -> None:
    base = read_volume(folder / "gen_reference_image.nii.gz").array
    for name in (
        "gen_local.mha",
        "gen_ras_space.nrrd",
        "gen_oblique.nii.gz",
        "gen_big_endian.nii",
        "gen_gzip_named_nii.nii",
    ):
        np.testing.assert_array_equal(read_volume(folder / name).array, base)
    np.testing.assert_array_equal(read_volume(folder / "gen_slope_intercept.nii").array, base * 0.25 - 1024)
    huge = read_volume(folder / "gen_float64_huge.nii.gz").array
    np.testing.assert_allclose(huge, base * 1e30)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("gen_label_float_noninteger.nii.gz", "labels.not_whole"),
        ("gen_all_nan.nii.gz", "labels.not_whole"),
        ("gen_label_negative.nii.gz", "labels.negative"),
        ("gen_text_not_image.nii.gz", "file.not_an_image"),
    ],
)
def test_no_label_map_is_refused(name: str, code: str, folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_label_map(folder / name)
    assert caught.value.code == code


def test_label_values_above_255_do_not_wrap_around(folder: Path) -> None:
    labels = read_label_map(folder / "gen_label_values_300_600.nii.gz").array
    assert labels.dtype == np.uint16
    assert set(np.unique(labels)) == {0, 300, 600}
    assert read_label_map(folder / "gen_label_empty.nii.gz").array.dtype == np.uint8


def test_segmentation_of_slicer_is_read_with_names_colors_and_codes(folder: Path) -> None:
    path = folder / "real_slicer_oblique.seg.nrrd"
    segments, grid = read_segmentation(path)
    assert [segment.name for segment in segments] == ["Scaphoid", "Lunate", "Capitate", "Radius"]
    assert segments[0].color == (0.501961, 0.682353, 0.501961)
    terminology = segments[0].terminology
    assert terminology is not None
    assert terminology.type.meaning == "Tissue"
    labels = read_volume(path)
    assert grid.is_same_as(labels.grid)
    for value, segment in enumerate(segments, start=1):
        np.testing.assert_array_equal(segment.mask, labels.array == value)
