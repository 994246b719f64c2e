"""DICOM series made by code: what is one even stack is read at its place, all else refused by name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.read import read_volume, read_volume_with_notices
from Testing.makers.dicom_files import (
    COLUMNS,
    PIXEL_MM,
    ROWS,
    SLICES,
    STEP_MM,
    upright_positions,
    voxels,
    write_multi_frame,
    write_series,
)

# Columns run to the left, rows to the back (LPS); RAS flips both.
UPRIGHT = np.array([[-PIXEL_MM[1], 0, 0, 5], [0, -PIXEL_MM[0], 0, -4], [0, 0, STEP_MM, 10], [0, 0, 0, 1]])


def code_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_volume(path)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    assert "MARKED" not in str(caught.value)
    return caught.value.code


def test_series_is_read_at_its_place_with_scaled_values(tmp_path: Path) -> None:
    write_series(tmp_path)
    found = read_volume_with_notices(tmp_path)
    assert found.notices == ()
    assert found.volume.name == "Series 3"
    assert found.volume.array.dtype == np.int16
    np.testing.assert_array_equal(found.volume.array, voxels() - 1024)
    np.testing.assert_allclose(found.volume.grid.ijk_to_ras, UPRIGHT)


def test_slices_are_ordered_by_position_not_by_name(tmp_path: Path) -> None:
    write_series(tmp_path, names=["10.dcm", "9", "b.IMA", "a.dcm", "1.dcm"])
    np.testing.assert_array_equal(read_volume(tmp_path).array, voxels() - 1024)


def test_one_file_stands_for_its_series_among_others(tmp_path: Path) -> None:
    paths = write_series(tmp_path)
    write_series(tmp_path, number=4, names=[f"other{k}" for k in range(SLICES)], array=voxels() + 1)
    (tmp_path / "notes.txt").write_text("not DICOM")
    assert code_of(tmp_path) == "series.several"
    np.testing.assert_array_equal(read_volume(paths[2]).array, voxels() - 1024)


def test_slopes_that_differ_by_slice_are_each_applied(tmp_path: Path) -> None:
    folder = tmp_path / "pet"
    for k, position in enumerate(upright_positions()):
        write_series(
            folder,
            positions=[position],
            array=voxels()[k : k + 1],
            scale=(0.5 * (k + 1), 2.0),
            series="1.2.3",
            names=[f"{k}"],
        )
    array = read_volume(folder).array
    assert array.dtype == np.float32
    factors = 0.5 * np.arange(1, SLICES + 1)[:, None, None]
    np.testing.assert_allclose(array, voxels() * factors + 2)


def test_oblique_stack_keeps_its_matrix(tmp_path: Path) -> None:
    angle = np.radians(25)
    row = np.array([np.cos(angle), np.sin(angle), 0])
    column = np.array([0, 0, -1.0])
    normal = np.cross(row, column)
    positions = [tuple(float(x) for x in np.array([1.0, 2, 3]) + k * STEP_MM * normal) for k in range(SLICES)]
    write_series(tmp_path, positions=positions, directions=(*row, *column))  # type: ignore[arg-type]
    grid = read_volume(tmp_path).grid
    expected = np.diag([-1.0, -1, 1]) @ np.stack([row * PIXEL_MM[1], column * PIXEL_MM[0], normal * STEP_MM], axis=1)
    np.testing.assert_allclose(grid.ijk_to_ras[:3, :3], expected, atol=1e-9)
    assert not grid.is_left_handed


def test_missing_slice_is_told_with_its_place(tmp_path: Path) -> None:
    positions = [place for k, place in enumerate(upright_positions(6)) if k != 3]
    write_series(tmp_path, positions=positions)
    with pytest.raises(InputError) as caught:
        read_volume(tmp_path)
    assert caught.value.code == "series.missing_slices"
    assert caught.value.details == {"gaps_mm": [[16.0, 22.0]], "step_mm": 3.0, "missing": 1}
    assert "1 missing" in caught.value.message


def positions_with(**moved: float) -> list[tuple[float, float, float]]:
    places = [list(place) for place in upright_positions()]
    for name, value in moved.items():
        places[int(name[1:])]["xyz".index(name[0])] = value
    return [tuple(place) for place in places]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"positions": positions_with(z2=10.0)}, "series.same_position"),
        ({"positions": positions_with(x2=30.0)}, "series.not_a_stack"),
        ({"positions": positions_with(z2=17.0)}, "series.missing_slices"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "volume.color"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "volume.color"),
        ({"ImagePositionPatient": None}, "series.no_geometry"),
        ({"ImageOrientationPatient": None}, "series.no_geometry"),
        ({"PixelSpacing": None}, "series.no_geometry"),
        ({"directions": (0.0,) * 6}, "series.no_geometry"),
        ({"PixelData": None}, "series.no_pixels"),
        ({"PixelData": b"12"}, "file.damaged"),
        ({"Modality": "SEG"}, "series.no_images"),
    ],
)
def test_what_is_no_volume_is_refused_by_name(arguments: dict[str, Any], code: str, tmp_path: Path) -> None:
    write_series(tmp_path, **arguments)
    assert code_of(tmp_path) == code


def test_two_orientations_or_sizes_in_one_series_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "turned", series="1.2.3")
    write_series(
        tmp_path / "turned", series="1.2.3", directions=(0, 1, 0, 0, 0, -1), names=[f"s{k}" for k in range(SLICES)]
    )
    assert code_of(tmp_path / "turned") == "series.mixed_orientations"
    write_series(tmp_path / "sizes", series="1.2.3")
    write_series(tmp_path / "sizes", series="1.2.3", positions=[(0, 0, 90)], array=np.zeros((1, 4, 4)), names=["small"])
    assert code_of(tmp_path / "sizes") == "series.mixed_sizes"


def test_unknown_compression_is_one_sentence(tmp_path: Path) -> None:
    from pydicom import dcmread
    from pydicom.encaps import encapsulate
    from pydicom.uid import HTJ2KLossless

    for path in write_series(tmp_path):
        data = dcmread(path)
        data.PixelData = encapsulate([data.PixelData])
        data.file_meta.TransferSyntaxUID = HTJ2KLossless
        data["PixelData"].VR = "OB"
        data.save_as(path)
    assert code_of(tmp_path) == "series.compression"


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_losslessly_compressed_series_has_the_same_voxels(compressor: str, tmp_path: Path) -> None:
    import SimpleITK

    (tmp_path / "packed").mkdir()
    for path in write_series(tmp_path / "plain", scale=(1.0, 0.0)):
        image = SimpleITK.ReadImage(str(path))
        writer = SimpleITK.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.KeepOriginalImageUIDOn()
        writer.SetUseCompression(True)
        writer.SetCompressor(compressor)
        writer.SetFileName(str(tmp_path / "packed" / path.name))
        writer.Execute(image)
    packed = read_volume(tmp_path / "packed")
    np.testing.assert_array_equal(packed.array, voxels())
    np.testing.assert_allclose(packed.grid.ijk_to_ras, UPRIGHT)


def test_single_slice_is_read_and_told(tmp_path: Path) -> None:
    write_series(tmp_path, positions=upright_positions(1))
    found = read_volume_with_notices(tmp_path)
    assert [notice.code for notice in found.notices] == ["series.single_slice"]
    assert found.volume.grid.spacing_zyx_mm == (STEP_MM, *PIXEL_MM)


def test_folder_and_file_without_an_image_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.nii.gz").mkdir()
    assert code_of(tmp_path / "empty.nii.gz") == "series.no_images"
    (tmp_path / "text.dcm").write_text("this is no DICOM file, but it is called one")
    assert code_of(tmp_path / "text.dcm") == "file.damaged"
    path = write_series(tmp_path / "seg", Modality="SEG")[0]
    assert code_of(path) == "series.not_an_image"
    (tmp_path / "cut.dcm").write_bytes(path.read_bytes()[:300])
    assert code_of(tmp_path / "cut.dcm") in {"file.damaged", "series.not_an_image"}


@pytest.mark.parametrize("slopes", [None, [2.0, 1.0, 1.0, 1.0, 1.0]], ids=["plain", "own slope a frame"])
def test_multi_frame_file_is_a_stack_of_its_frames(slopes: list[float] | None, tmp_path: Path) -> None:
    volume = read_volume(write_multi_frame(tmp_path / "enhanced.dcm", slopes=slopes))
    expected = voxels().astype(np.float64)
    if slopes:
        expected[-1] *= 2  # the first frame of the file is the last slice
    np.testing.assert_array_equal(volume.array, expected)
    np.testing.assert_allclose(volume.grid.ijk_to_ras, UPRIGHT)


def test_multi_frame_file_without_places_is_refused_by_name(tmp_path: Path) -> None:
    path = write_multi_frame(tmp_path / "plain.dcm", with_places=False)
    assert code_of(path) == "series.no_geometry"


def tilted_ball(folder: Path, degrees: float) -> np.ndarray:
    """Write a ball scanned with a tilted gantry: slices turned about the x axis, table moved along z."""
    slices, size, pixel_mm, step_mm = 30, 40, 1.0, 1.2
    angle = np.radians(degrees)
    row = np.array([1.0, 0, 0])
    column = np.array([0, np.cos(angle), np.sin(angle)])
    center = np.array([20.0, 20.0, 18.0])
    positions, images = [], []
    for k in range(slices):
        origin = np.array([0.0, 0.0, k * step_mm])
        y, x = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
        places = origin + x[..., None] * pixel_mm * row + y[..., None] * pixel_mm * column
        # A soft edge, so that interpolation can be compared.
        distance = np.linalg.norm(places - center, axis=-1)
        images.append(np.clip((14.0 - distance) * 100, 0, 1000))
        positions.append(tuple(float(value) for value in origin))
    write_series(
        folder,
        positions=positions,
        array=np.array(images),
        directions=(*row, *column),
        PixelSpacing=[1.0, 1.0],  # type: ignore[arg-type]
    )
    return center


@pytest.mark.parametrize("degrees", [14.0, -20.0])
def test_gantry_tilt_is_straightened_and_told(degrees: float, tmp_path: Path) -> None:
    center_lps = tilted_ball(tmp_path, degrees)
    found = read_volume_with_notices(tmp_path)
    assert [notice.code for notice in found.notices] == ["series.gantry_tilt"]
    assert f"{abs(degrees):.1f} degrees" in found.notices[0].message
    grid = found.volume.grid
    linear = grid.ijk_to_ras[:3, :3]
    directions = linear / np.linalg.norm(linear, axis=0)
    np.testing.assert_allclose(directions.T @ directions, np.eye(3), atol=1e-9)
    k, j, i = np.meshgrid(*(np.arange(size) for size in grid.shape_zyx), indexing="ij")
    centers = np.stack([i, j, k], axis=-1) @ linear.T + grid.ijk_to_ras[:3, 3]
    expected = np.clip((14.0 - np.linalg.norm(centers - center_lps * (-1, -1, 1), axis=-1)) * 100, 0, 1000)
    array = found.volume.array + 1024
    # Interpolation rounds the ball's edge by less than a pixel (100 gray values a mm).
    assert np.abs(array - expected).mean() < 2.0
    assert np.abs(array - expected).max() < 60.0


def test_slight_lean_is_kept_in_the_matrix(tmp_path: Path) -> None:
    write_series(tmp_path, positions=[(0.05 * k, 0.0, STEP_MM * k) for k in range(SLICES)])
    found = read_volume_with_notices(tmp_path)
    assert found.notices == ()
    np.testing.assert_array_equal(found.volume.array, voxels() - 1024)
    np.testing.assert_allclose(found.volume.grid.ijk_to_ras[:3, 2], (-0.05, 0, STEP_MM))


def test_nothing_of_the_patient_is_logged_or_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    write_series(tmp_path, positions=upright_positions(1))
    found = read_volume_with_notices(tmp_path)
    assert "MARKED" not in caplog.text + found.volume.name + str(found.notices)
    assert found.volume.array.shape == (1, ROWS, COLUMNS)
