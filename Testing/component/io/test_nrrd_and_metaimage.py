"""NRRD and MetaImage against SimpleITK, which writes the files; and their faults, made by code."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.errors import InputError
from MedSegAILib.io.read import read_volume, read_volume_with_notices
from Testing.makers.nifti_files import ramp, write
from Testing.makers.phantoms import aligned_grid, make_case, oblique_grid, write_nifti

NRRD_LINES = ["NRRD0004", "type: short", "dimension: 3", "sizes: 6 4 5", "endian: little", "encoding: raw"]
META_LINES = ["ObjectType = Image", "NDims = 3", "DimSize = 6 4 5", "ElementType = MET_SHORT"]
VOXELS = ramp("<i2").tobytes()


def nrrd(*extra: str, data: bytes = VOXELS, **changed: str) -> bytes:
    lines = [
        next((f"{key}: {new}" for key, new in changed.items() if line.startswith(f"{key}:")), line)
        for line in NRRD_LINES
    ]
    return "\n".join([*lines, *extra, "", ""]).encode() + data


def meta(*extra: str, last: str = "LOCAL", data: bytes = VOXELS, **changed: str) -> bytes:
    lines = [
        next((f"{key} = {new}" for key, new in changed.items() if line.startswith(f"{key} ")), line)
        for line in META_LINES
    ]
    return "\n".join([*lines, *extra, f"ElementDataFile = {last}", ""]).encode() + data


@pytest.mark.parametrize("grid", [aligned_grid(size=12), oblique_grid()], ids=["aligned", "oblique"])
@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
@pytest.mark.parametrize("compress", [False, True])
def test_file_of_itk_is_read_as_itk_reads_it(grid: object, name: str, compress: bool, tmp_path: Path) -> None:
    volume = make_case(grid, roles=("T1",)).volumes["T1"]  # type: ignore[arg-type]
    image = SimpleITK.ReadImage(str(write_nifti(volume, tmp_path / "source.nii.gz")))
    SimpleITK.WriteImage(image, str(tmp_path / name), useCompression=compress)
    found = read_volume_with_notices(tmp_path / name)
    assert found.notices == ()
    np.testing.assert_array_equal(found.volume.array, volume.array)
    assert found.volume.grid.is_same_as(volume.grid)


@pytest.mark.parametrize(
    ("space", "signs"),
    [("right-anterior-superior", (1, 1)), ("LPS", (-1, -1)), ("left-anterior-superior", (-1, 1))],
)
def test_each_space_of_nrrd_becomes_ras(space: str, signs: tuple[int, int], tmp_path: Path) -> None:
    content = nrrd(f"space: {space}", "space directions: (1,0,0) (0,2,0) (0,0,3)", "space origin: (7,8,9)")
    grid = read_volume(write(tmp_path / "a.nrrd", content)).grid
    expected = np.array(
        [[signs[0], 0, 0, signs[0] * 7], [0, 2 * signs[1], 0, signs[1] * 8], [0, 0, 3, 9], [0, 0, 0, 1]]
    )
    np.testing.assert_array_equal(grid.ijk_to_ras, expected)


def test_nrrd_without_a_space_is_read_with_a_notice(tmp_path: Path) -> None:
    found = read_volume_with_notices(write(tmp_path / "a.nrrd", nrrd("spacings: 1 2 3")))
    assert [notice.code for notice in found.notices] == ["volume.no_orientation"]
    assert found.volume.grid.spacing_zyx_mm == (3, 2, 1)
    np.testing.assert_array_equal(found.volume.array, ramp())


@pytest.mark.parametrize(
    "content",
    [
        nrrd(encoding="ascii", data=" ".join(str(value) for value in ramp().ravel()).encode()),
        nrrd(encoding="gzip", data=gzip.compress(VOXELS)),
        nrrd(endian="big", data=ramp(">i2").tobytes()),
        nrrd("byte skip: 3", data=b"abc" + VOXELS),
        nrrd().replace(b"\n\n", b"\r\n\r\n", 1),
    ],
    ids=["ascii", "gzip", "big", "skip", "windows lines"],
)
def test_each_encoding_of_nrrd_gives_the_same_voxels(content: bytes, tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_volume(write(tmp_path / "a.nrrd", content)).array, ramp())


FAULTY = {
    "lie.nrrd": (nrrd(sizes="4000 4000 4000"), "file.too_short"),
    "lie_ascii.nrrd": (nrrd(sizes="4000 4000 4000", encoding="ascii"), "file.too_short"),
    "short_ascii.nrrd": (nrrd(encoding="ascii", data=b"1 2 3 " * 30), "file.too_short"),
    "words.nrrd": (nrrd(encoding="ascii", data=b"one " * 120), "file.damaged"),
    "no_sizes.nrrd": (nrrd(sizes="many"), "file.damaged"),
    "dimension.nrrd": (nrrd(dimension="4"), "file.damaged"),
    "type.nrrd": (nrrd(type="block"), "file.damaged"),
    "encoding.nrrd": (nrrd(encoding="hex"), "volume.format"),
    "broken_gzip.nrrd": (nrrd(encoding="gzip", data=gzip.compress(VOXELS)[:-12]), "file.too_short"),
    "flat.nrrd": (nrrd(sizes="6 20", dimension="2"), "volume.not_3d"),
    "zero.nrrd": (nrrd(sizes="6 0 5"), "volume.empty_axis"),
    "color.nrrd": (nrrd("kinds: RGB-color domain domain domain", dimension="4", sizes="3 6 4 5"), "volume.color"),
    "time.nrrd": (nrrd("kinds: domain domain domain time", dimension="4", sizes="6 4 5 3"), "volume.not_3d"),
    "directions.nrrd": (nrrd("space: LPS", "space directions: (1,0,0) (0,x,0) (0,0,1)"), "file.damaged"),
    "singular.nrrd": (nrrd("space: LPS", "space directions: (1,0,0) (1,0,0) (0,0,1)"), "grid.matrix"),
    "missing.nhdr": (nrrd("data file: not_there.raw"), "file.data_missing"),
    "escape.nhdr": (nrrd("data file: ../outside.raw"), "file.outside_folder"),
    "absolute.nhdr": (nrrd("data file: /etc/hostname"), "file.outside_folder"),
    "windows.nhdr": (nrrd(r"data file: C:\secret.raw"), "file.outside_folder"),
    "link.nhdr": (nrrd("data file: link.raw"), "file.outside_folder"),
    "many.nhdr": (nrrd("data file: slice%03d.raw 1 5 1"), "volume.format"),
    "missing.mhd": (meta(last="not_there.raw"), "file.data_missing"),
    "escape.mhd": (meta(last="../outside.raw"), "file.outside_folder"),
    "many.mhd": (meta(last="LIST"), "volume.format"),
    "lie.mha": (meta(DimSize="4000 4000 4000"), "file.too_short"),
    "type.mha": (meta(ElementType="MET_OTHER"), "file.damaged"),
    "text.mha": (meta("BinaryData = False"), "volume.format"),
    "color.mha": (meta("ElementNumberOfChannels = 3"), "volume.color"),
    "sizes.mha": (meta(DimSize="a b c"), "file.damaged"),
    "no_data.mha": (meta().partition(b"ElementDataFile")[0], "file.damaged"),
    "packed.mha": (meta("CompressedData = True"), "file.damaged"),
}


@pytest.mark.parametrize("name", sorted(FAULTY))
def test_faulty_header_gives_one_error_with_a_hint(name: str, tmp_path: Path) -> None:
    content, code = FAULTY[name]
    folder = tmp_path / "study"
    folder.mkdir()
    outside = write(tmp_path / "outside.raw", VOXELS)
    (folder / "link.raw").symlink_to(outside)
    with pytest.raises(InputError) as caught:
        read_volume(write(folder / name, content))
    assert caught.value.code == code
    assert name in caught.value.message
    assert caught.value.hint.endswith(".")
