"""DICOM SEG of synthetic series: on the right voxels, coded, nested, and refused by name when it cannot be."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Grid
from MedSegAILib.io.dicom_seg import Algorithm, dicom_seg
from MedSegAILib.io.dicom_source import read_source
from MedSegAILib.io.read import read_volume
from MedSegAILib.io.segmentation_nrrd import Segment
from Testing.makers.dicom_files import (
    COLUMNS,
    ROWS,
    SLICES,
    upright_positions,
    write_multi_frame,
    write_series,
)
from Testing.makers.dicom_seg_reader import read_seg
from Testing.makers.results import SCHEME

STUDY, FRAME = generate_uid(entropy_srcs=["study"]), generate_uid(entropy_srcs=["frame"])
UIDS = {"StudyInstanceUID": STUDY, "FrameOfReferenceUID": FRAME}
ALGORITHM = Algorithm("MedSegAI brain-tumor", "0.1.0", {"preset": "balanced"})
OBLIQUE = tuple(np.round([0.8, 0.6, 0.0, -0.36, 0.48, 0.8], 6))


def segments(volume, thresholds=(40, 90, 150)):
    """Nested segments: what is brighter than a value that only the right voxel has."""
    lowest = int(volume.array.min())
    return [
        Segment(region.name, region.title, region.color, volume.array - lowest > limit, region.terminology)
        for region, limit in zip(SCHEME.regions, thresholds, strict=True)
    ]


def centers(mask, grid):
    ijk = np.argwhere(mask)[:, ::-1]
    ras = np.round(ijk @ grid.ijk_to_ras[:3, :3].T + grid.ijk_to_ras[:3, 3], 2) + 0.0
    return set(map(tuple, ras.tolist()))


def along(directions, count=SLICES):
    normal = np.cross(directions[:3], directions[3:])
    return [tuple(np.array((-5.0, 4.0, 10.0)) + 3.0 * k * normal) for k in range(count)]


def turned(folder: Path) -> Path:
    """File names and instance numbers run against the stack."""
    write_series(folder, positions=upright_positions()[::-1], **UIDS)
    return folder


SERIES = {
    "axial": lambda folder: write_series(folder, **UIDS)[0].parent,
    "reversed": turned,
    "oblique": lambda folder: write_series(folder, positions=along(OBLIQUE), directions=OBLIQUE, **UIDS)[0].parent,
    "single slice": lambda folder: write_series(folder, positions=upright_positions(1), **UIDS)[0],
    "multi-frame": lambda folder: multi_frame(folder),
}


def multi_frame(folder: Path) -> Path:
    folder.mkdir()
    path = write_multi_frame(folder / "enhanced.dcm")
    data = pydicom.dcmread(path)
    for name, value in UIDS.items():
        setattr(data, name, value)
    data.save_as(path)
    return path


@pytest.mark.parametrize("name", SERIES)
def test_segments_lie_on_the_voxels_of_the_series(name, tmp_path):
    path = SERIES[name](tmp_path / "series")
    volume = read_volume(path)
    thresholds = (10, 20, 30) if name == "single slice" else (40, 90, 150)
    masks = segments(volume, thresholds)
    made = dicom_seg(masks, volume.grid, read_source(path), ALGORITHM)
    assert made.notices == ()
    found = read_seg(BytesIO(made.content))
    assert {label: len(places) for label, places in found.items()} == {s.name: int(s.mask.sum()) for s in masks}
    assert found == {segment.name: centers(segment.mask, volume.grid) for segment in masks}


def test_highdicom_reads_the_same_masks_by_source_image(tmp_path):
    folder = SERIES["reversed"](tmp_path / "series")
    volume, source = read_volume(folder), read_source(folder)
    masks = segments(volume)
    seg = highdicom.seg.segread(BytesIO(dicom_seg(masks, volume.grid, source, ALGORITHM).content))
    instances = [str(header.SOPInstanceUID) for header in source.headers]
    back = seg.get_pixels_by_source_instance(instances, assert_missing_frames_are_empty=True)
    np.testing.assert_array_equal(back.astype(bool), np.stack([segment.mask for segment in masks], axis=-1))
    read = seg.get_volume()
    lps_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    assert Grid(read.spatial_shape, lps_to_ras @ read.affine @ np.eye(4)[[2, 1, 0, 3]]).tilt_degrees() < 1e-3


def test_object_says_what_made_it_and_what_it_shows(tmp_path):
    folder = SERIES["axial"](tmp_path / "series")
    volume = read_volume(folder)
    made = dicom_seg(segments(volume), volume.grid, read_source(folder), ALGORITHM)
    data = pydicom.dcmread(BytesIO(made.content))
    assert (data.SOPClassUID.name, data.Modality) == ("Segmentation Storage", "SEG")
    assert (data.SegmentationType, data.SegmentsOverlap) == ("BINARY", "YES")
    assert (data.StudyInstanceUID, data.FrameOfReferenceUID) == (STUDY, FRAME)
    assert data.ContentDescription == "Research use only. Not for clinical decisions."
    assert (data.SeriesNumber, str(data.PatientName)) == (1003, "MARKED^NAME")
    assert len(data.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == SLICES
    for item, region in zip(data.SegmentSequence, SCHEME.regions, strict=True):
        assert (item.SegmentLabel, item.SegmentAlgorithmType) == (region.title, "AUTOMATIC")
        assert item.SegmentedPropertyTypeCodeSequence[0].CodeValue == region.terminology.type.value
        assert item.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == region.terminology.category.meaning
        assert item.AnatomicRegionSequence[0].CodeValue == "12738006"
        algorithm = item.SegmentationAlgorithmIdentificationSequence[0]
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("MedSegAI brain-tumor", "0.1.0")
        color = highdicom.color.CIELabColor.from_dicom_value(tuple(item.RecommendedDisplayCIELabValue))
        np.testing.assert_allclose(color.to_rgb(), np.array(region.color) * 255, atol=1)


def test_segments_that_a_person_changed_are_semi_automatic(tmp_path):
    folder = SERIES["axial"](tmp_path / "series")
    volume = read_volume(folder)
    edited = Algorithm("MedSegAI brain-tumor", "0.1.0", is_edited=True)
    data = pydicom.dcmread(BytesIO(dicom_seg(segments(volume), volume.grid, read_source(folder), edited).content))
    assert {item.SegmentAlgorithmType for item in data.SegmentSequence} == {"SEMIAUTOMATIC"}


def test_masks_in_another_axis_order_or_a_box_of_the_grid_are_the_same_object(tmp_path):
    folder = SERIES["axial"](tmp_path / "series")
    volume, source = read_volume(folder), read_source(folder)
    wanted = read_seg(BytesIO(dicom_seg(segments(volume), volume.grid, source, ALGORITHM).content))
    # Axes x, z, -y of the same voxels.
    step = np.array([[1, 0, 0, 0], [0, 0, -1, ROWS - 1], [0, 1, 0, 0], [0, 0, 0, 1]], float)
    turned_grid = Grid((ROWS, SLICES, COLUMNS), volume.grid.ijk_to_ras @ step)
    masks = [Segment(s.id, s.name, s.color, s.mask.transpose(1, 0, 2)[::-1], s.terminology) for s in segments(volume)]
    assert read_seg(BytesIO(dicom_seg(masks, turned_grid, source, ALGORITHM).content)) == wanted
    shift = np.eye(4)
    shift[:3, 3] = (1, 1, 0)
    boxed = Grid((SLICES, ROWS - 1, COLUMNS - 1), volume.grid.ijk_to_ras @ shift)
    cut = [Segment(s.id, s.name, s.color, s.mask[:, 1:, 1:], s.terminology) for s in segments(volume)]
    found = read_seg(BytesIO(dicom_seg(cut, boxed, source, ALGORITHM).content))
    assert found == {s.name: centers(s.mask, boxed) for s in cut}


def test_tilted_stack_gets_its_result_back_on_its_own_slices(tmp_path):
    slope = np.tan(np.radians(20.0))
    positions = [(-5.0, 4.0 + 3.0 * k * slope, 10.0 + 3.0 * k) for k in range(SLICES)]
    array = np.zeros((SLICES, 12, COLUMNS), np.int16)
    array[:, 4:8, 2:5] = 1000
    folder = write_series(tmp_path / "tilted", positions=positions, array=array, **UIDS)[0].parent
    volume, source = read_volume(folder), read_source(folder)
    mask = volume.array > 500 - 1024
    made = dicom_seg([Segment("box", "Box", (1, 0, 0), mask)], volume.grid, source, ALGORITHM)
    assert [notice.code for notice in made.notices] == ["dicom_seg.gantry_tilt"]
    data = pydicom.dcmread(BytesIO(made.content))
    places = [group.PlanePositionSequence[0].ImagePositionPatient for group in data.PerFrameFunctionalGroupsSequence]
    np.testing.assert_allclose(sorted(map(tuple, places)), sorted(positions))
    back = highdicom.seg.segread(BytesIO(made.content)).get_pixels_by_source_instance(
        [str(header.SOPInstanceUID) for header in source.headers]
    )[..., 0]
    np.testing.assert_array_equal(back.astype(bool)[:, :, 2:5].any(axis=2), back.astype(bool).any(axis=2))
    # Half a pixel up or down: rows 4 to 7 of each slice, one row of play.
    assert back[:, 5:7, 2:5].all()
    assert not back[:, :3].any()
    assert not back[:, 9:].any()


def test_empty_region_is_left_out_and_told(tmp_path):
    folder = SERIES["axial"](tmp_path / "series")
    volume = read_volume(folder)
    made = dicom_seg(segments(volume, (40, 90, 9999)), volume.grid, read_source(folder), ALGORITHM)
    assert made.segments == ("WT", "TC")
    assert [notice.code for notice in made.notices] == ["dicom_seg.empty_segment"]
    assert "Enhancing tumor" in made.notices[0].message


def test_anonymized_series_without_frame_of_reference_gets_one_for_all_its_objects(tmp_path):
    folder = write_series(tmp_path / "series", StudyInstanceUID=STUDY)[0].parent
    volume = read_volume(folder)
    made = [dicom_seg(segments(volume), volume.grid, read_source(folder), ALGORITHM) for _ in range(2)]
    assert [notice.code for notice in made[0].notices] == ["dicom_seg.frame_of_reference"]
    first, second = (pydicom.dcmread(BytesIO(one.content)) for one in made)
    assert first.FrameOfReferenceUID == second.FrameOfReferenceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID


def without(name):
    return lambda folder: write_series(folder, **{**UIDS, "SOPInstanceUID": "", name: ""})[0].parent


def two_series(folder):
    write_series(folder, **UIDS)
    return write_series(folder, number=4, names=[f"other{k}.dcm" for k in range(SLICES)], **UIDS)[0].parent


def mixed(folder, **changed):
    write_series(folder, positions=upright_positions(3), series="1.2.3", **UIDS)
    names = ["a.dcm", "b.dcm"]
    positions = upright_positions(5)[3:]
    return write_series(folder, positions=positions, series="1.2.3", names=names, **{**UIDS, **changed})[0].parent


def not_dicom(folder):
    folder.mkdir()
    path = folder / "image.nii"
    path.write_bytes(b"\x5c\x01\0\0" + bytes(400))
    return path


REFUSED = {
    "no DICOM": (not_dicom, "dicom_seg.not_dicom"),
    "no UIDs": (without("StudyInstanceUID"), "dicom_seg.missing_attributes"),
    "one instance UID for all": (
        lambda folder: write_series(folder, SOPInstanceUID="1.2.3.4", **UIDS)[0].parent,
        "dicom_seg.same_instance",
    ),
    "two frames of reference": (
        lambda folder: mixed(folder, FrameOfReferenceUID="1.2.9"),
        "dicom_seg.frames_of_reference",
    ),
    "several series": (two_series, "series.several"),
    "missing slice": (
        lambda folder: write_series(folder, positions=[*upright_positions(3), (-5.0, 4.0, 25.0)], **UIDS)[0].parent,
        "series.missing_slices",
    ),
    "mixed orientations": (
        lambda folder: mixed(folder, ImageOrientationPatient=[0, 1, 0, 0, 0, 1]),
        "series.mixed_orientations",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_series_that_cannot_be_referred_to_is_refused_by_name(name, tmp_path):
    make, code = REFUSED[name]
    path = make(tmp_path / "series")
    with pytest.raises(InputError) as caught:
        read_source(path)
    assert caught.value.code == code
    assert caught.value.hint.endswith(".")
    assert "MARKED" not in str(caught.value.to_json())


def test_masks_on_other_voxels_are_refused(tmp_path):
    folder = SERIES["axial"](tmp_path / "series")
    volume, source = read_volume(folder), read_source(folder)
    moved = volume.grid.ijk_to_ras.copy()
    moved[0, 3] += 0.4
    for grid in (Grid(volume.grid.shape_zyx, moved), Grid(volume.grid.shape_zyx, np.diag([1.0, 1, 1, 1]))):
        with pytest.raises(InputError) as caught:
            dicom_seg(segments(volume), grid, source, ALGORITHM)
        assert caught.value.code == "dicom_seg.other_grid"


def test_result_without_any_voxel_is_refused(tmp_path):
    folder = SERIES["axial"](tmp_path / "series")
    volume = read_volume(folder)
    with pytest.raises(InputError) as caught:
        dicom_seg(segments(volume, (9999, 9999, 9999)), volume.grid, read_source(folder), ALGORITHM)
    assert caught.value.code == "dicom_seg.empty"
