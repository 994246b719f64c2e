"""The NIfTI reader against SimpleITK, and its writer against both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Volume
from MedSegAILib.io.nifti import nifti_bytes, read
from MedSegAILib.io.read import read_volume, read_volume_with_notices
from Testing.makers.nifti_files import FAULTY_NIFTI, nifti2_raw, nifti_raw, packed, plain_matrix, ramp, write
from Testing.makers.phantoms import aligned_grid, make_labels, oblique_grid

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


def itk_matrix(path: Path) -> np.ndarray:
    image = SimpleITK.ReadImage(str(path))
    matrix = np.eye(4)
    matrix[:3, :3] = LPS_TO_RAS @ np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    matrix[:3, 3] = LPS_TO_RAS @ np.array(image.GetOrigin())
    return matrix


def turned(degrees: float = 17.0, mirrored: bool = False) -> np.ndarray:
    angle = np.radians(degrees)
    matrix = plain_matrix()
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    matrix[:3, :3] = rotation @ matrix[:3, :3]
    if mirrored:
        matrix[:3, 0] *= -1
    return matrix


@pytest.mark.parametrize("name", sorted(FAULTY_NIFTI))
def test_faulty_file_gives_one_error_with_a_hint(name: str, tmp_path: Path) -> None:
    make, code = FAULTY_NIFTI[name]
    with pytest.raises(InputError) as caught:
        read_volume(write(tmp_path / name, make()))
    assert caught.value.code == code
    assert name.split(".")[0] in caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")


# A sheared sform with no qform beside it is refused, here and by ITK: it is in FAULTY_NIFTI.
FORMS = [
    (q, s, kind)
    for q in range(5)
    for s in range(5)
    for kind in ("turned", "mirrored", "sheared")
    if q or kind != "sheared"
]


@pytest.mark.parametrize(("qform_code", "sform_code", "kind"), FORMS)
def test_place_in_space_is_the_one_that_itk_and_slicer_take(
    qform_code: int, sform_code: int, kind: str, tmp_path: Path
) -> None:
    sform = turned(mirrored=kind == "mirrored")
    if kind == "sheared":
        sform[0, 2] += 0.9
    raw = nifti_raw(
        forms=(qform_code, sform_code),
        sform=sform,
        quaternion=(0.1, -0.2, 0.3),
        offset=(1, 2, 3),
        pixdim=(-1, 1, 1.2, 2.5),
    )
    path = write(tmp_path / "image.nii", raw)
    found = read_volume_with_notices(path)
    np.testing.assert_allclose(found.volume.grid.ijk_to_ras, itk_matrix(path), atol=1e-5)
    codes = {notice.code for notice in found.notices}
    expected = {"volume.no_orientation"} if not qform_code and not sform_code else set()
    if qform_code and sform_code:
        expected = {"volume.two_positions"}
    assert codes == expected


def test_shear_of_a_rounding_error_is_kept_as_it_is(tmp_path: Path) -> None:
    slight = turned()
    slight[0, 2] += 0.002  # 0.05 degrees, as one scanner's files have it
    volume = read(write(tmp_path / "slight.nii", nifti_raw(sform=slight))).volume
    np.testing.assert_allclose(volume.grid.ijk_to_ras, slight, atol=1e-6)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8", "u2"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("is_packed", [True, False])
def test_voxels_are_those_of_itk_in_every_type_and_byte_order(
    dtype: str, order: str, is_packed: bool, tmp_path: Path
) -> None:
    raw = nifti_raw(ramp(dtype), order=order)
    path = write(tmp_path / ("image.nii.gz" if is_packed else "image.nii"), packed(raw) if is_packed else raw)
    array = read(path).volume.array
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative
    np.testing.assert_array_equal(array, SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))))


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    array = read(write(tmp_path / "ct.nii", nifti_raw(scale=(0.25, -1024.0)))).volume.array
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array, ramp() * 0.25 - 1024)


@pytest.mark.parametrize("scale", [(0.0, 7.0), (np.nan, 0.0), (1.0, 0.0)])
def test_slope_of_nothing_leaves_the_stored_values(scale: tuple[float, float], tmp_path: Path) -> None:
    array = read(write(tmp_path / "image.nii", nifti_raw(scale=scale))).volume.array
    assert array.dtype == np.int16
    np.testing.assert_array_equal(array, ramp())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("named_wrong.nii", packed(nifti_raw())),
        ("named_wrong.nii.gz", nifti_raw()),
        ("version2.nii.gz", packed(nifti2_raw())),
        ("two_members.nii.gz", packed(nifti_raw()[:500]) + packed(nifti_raw()[500:])),
        ("padded.nii.gz", packed(nifti_raw()) + bytes(512)),
        ("one_time_point.nii", nifti_raw(dims=(6, 4, 5, 1))),
        ("Größe 標本 (1) [x].nii.gz", packed(nifti_raw())),
    ],
)
def test_unusual_but_sound_file_is_read(name: str, content: bytes, tmp_path: Path) -> None:
    found = read_volume_with_notices(write(tmp_path / name, content))
    assert found.notices == ()
    assert found.volume.name == name
    np.testing.assert_array_equal(found.volume.array, ramp())
    np.testing.assert_allclose(found.volume.grid.ijk_to_ras, plain_matrix(), atol=1e-6)


def test_header_and_data_pair_is_read(tmp_path: Path) -> None:
    raw = nifti_raw(magic=b"ni1\0")
    (tmp_path / "image.img").write_bytes(bytes(352) + raw[352:])
    array = read_volume(write(tmp_path / "image.hdr", raw[:348])).array
    np.testing.assert_array_equal(array, ramp())


def test_single_slice_is_a_volume(tmp_path: Path) -> None:
    assert read(write(tmp_path / "one.nii", nifti_raw(ramp()[:1]))).volume.array.shape == (1, 4, 6)


def test_meters_and_micrometers_become_millimeters(tmp_path: Path) -> None:
    meters = plain_matrix()
    meters[:3] /= 1000
    grid = read(write(tmp_path / "m.nii", nifti_raw(sform=meters, units=1))).volume.grid
    np.testing.assert_allclose(grid.ijk_to_ras, plain_matrix(), rtol=1e-5)


def test_non_finite_voxels_are_kept_for_the_check_of_the_task(tmp_path: Path) -> None:
    array = ramp("f4")
    array[0, 0, :2] = np.nan, np.inf
    read_array = read(write(tmp_path / "nan.nii", nifti_raw(array))).volume.array
    np.testing.assert_array_equal(read_array, array)


@pytest.mark.parametrize("content", [packed(nifti_raw()) + b"GARBAGE" * 20, nifti_raw() + bytes(4)])
def test_bytes_after_the_image_are_told(content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = read_volume_with_notices(write(tmp_path / "image.nii", content))
    assert [notice.code for notice in found.notices] == ["file.trailing_bytes"]
    assert found.notices[0].message in caplog.text
    np.testing.assert_array_equal(found.volume.array, ramp())


@pytest.mark.parametrize(
    "grid", [aligned_grid(), oblique_grid(), oblique_grid(97.0)], ids=["aligned", "oblique", "far"]
)
def test_written_label_map_lies_where_it_was_for_us_and_for_itk(grid: object, tmp_path: Path) -> None:
    labels = make_labels(grid)  # type: ignore[arg-type]
    path = write(tmp_path / "labels.nii.gz", nifti_bytes(labels))
    again = read(path).volume
    assert again.array.dtype == np.uint8
    np.testing.assert_array_equal(again.array, labels.array)
    np.testing.assert_allclose(again.grid.ijk_to_ras, labels.grid.ijk_to_ras, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(itk_matrix(path), labels.grid.ijk_to_ras, atol=1e-4)
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))), labels.array)


def test_written_matrix_of_a_read_file_is_the_same_to_the_bit(tmp_path: Path) -> None:
    first = read(write(tmp_path / "a.nii", nifti_raw(sform=turned(33.3)))).volume
    labels = Volume(first.array.astype(np.uint8), first.grid)
    again = read(write(tmp_path / "b.nii.gz", nifti_bytes(labels))).volume
    np.testing.assert_array_equal(again.grid.ijk_to_ras, first.grid.ijk_to_ras)
    assert nifti_bytes(labels) == nifti_bytes(labels)
