"""Laws of files: what is written is read back, and no damage makes anything but a volume or one of our errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.io.nifti import nifti_bytes
from MedSegAILib.io.read import read_volume
from MedSegAILib.io.segmentation_nrrd import read_segmentation, segmentation_bytes
from Testing.makers.dicom_files import upright_positions, write_multi_frame, write_series
from Testing.makers.nifti_files import nifti2_raw, nifti_raw, packed
from Testing.makers.phantoms import aligned_grid, make_labels
from Testing.makers.results import SCHEME, make_result

LENGTHS = st.floats(0.1, 20.0)
OFFSETS = st.floats(-1000.0, 1000.0)
TURNS = st.floats(-np.pi, np.pi)
NO_FIXTURE_CHECK = (HealthCheck.function_scoped_fixture,)  # every example overwrites the one file


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Any rectangular grid: turned about three axes, anisotropic, of either handedness."""
    matrix = np.eye(4)
    for axis in range(3):
        angle = draw(TURNS)
        turn = np.eye(3)
        one, two = (other for other in range(3) if other != axis)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        matrix[:3, :3] = turn @ matrix[:3, :3]
    matrix[:3, :3] *= [draw(LENGTHS), draw(LENGTHS), draw(LENGTHS) * draw(st.sampled_from((-1, 1)))]
    matrix[:3, 3] = [draw(OFFSETS) for _ in range(3)]
    return Grid(tuple(draw(st.integers(1, 5)) for _ in range(3)), matrix)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(grid=grids(), data=st.data())
def test_written_labels_and_segments_are_read_back(grid: Grid, data: st.DataObject, tmp_path: Path) -> None:
    values = data.draw(st.lists(st.sampled_from((0, 1, 2, 4)), min_size=int(np.prod(grid.shape_zyx)), max_size=125))
    labels = np.array(values[: int(np.prod(grid.shape_zyx))], np.uint8).reshape(grid.shape_zyx)
    volume = Volume(labels, grid)
    path = tmp_path / "labels.nii.gz"
    path.write_bytes(nifti_bytes(volume))
    again = read_volume(path)
    np.testing.assert_array_equal(again.array, labels)
    assert again.grid.is_same_as(grid)
    result = make_result(volume)
    path = tmp_path / "a.seg.nrrd"
    path.write_bytes(segmentation_bytes(result))
    segments, found = read_segmentation(path)
    assert found.is_same_as(grid, tolerance_mm=1e-9)
    for segment, region in zip(segments, SCHEME.regions, strict=True):
        np.testing.assert_array_equal(segment.mask, result.region_mask(region.name))


META = b"ObjectType = Image\nNDims = 3\nDimSize = 6 4 5\nElementType = MET_SHORT\nElementDataFile = LOCAL\n" + bytes(
    240
)


@pytest.fixture(scope="module")
def sound_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Name -> bytes of one small sound file of each format."""
    folder = tmp_path_factory.mktemp("sound")
    return {
        "a.nii": nifti_raw(),
        "b.nii": nifti2_raw(),
        "c.nii.gz": packed(nifti_raw()),
        "d.seg.nrrd": segmentation_bytes(make_result(make_labels(aligned_grid(size=8)))),
        "e.mha": META,
        "one/f.dcm": write_series(folder, positions=upright_positions(1))[0].read_bytes(),
        "two/g.dcm": write_multi_frame(folder / "g.dcm").read_bytes(),
    }


@settings(max_examples=300, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(data=st.data())
def test_damaged_file_gives_a_volume_or_one_of_our_errors(
    data: st.DataObject, sound_files: dict[str, bytes], tmp_path: Path
) -> None:
    name = data.draw(st.sampled_from(sorted(sound_files)))
    content = bytearray(sound_files[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(content), data.draw(st.sampled_from((450, 4000)))) - 1))
        content[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(content))
    try:
        told = str(read_volume(path).array.shape)
    except InputError as error:
        told = error.message if error.hint else ""
    assert told
