"""Our own .seg.nrrd read back: layers, names, colors, codes. Slicer reads it in Testing/slicer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.labels import Code, LabelScheme, Region, Terminology
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.io.nrrd import read_header
from MedSegAILib.io.read import read_volume
from MedSegAILib.io.segmentation_nrrd import (
    read_segmentation,
    read_terminology_entry,
    segmentation_bytes,
    terminology_entry,
    write_segmentation,
)
from Testing.makers.nifti_files import nifti_raw, write
from Testing.makers.phantoms import aligned_grid, make_labels, oblique_grid
from Testing.makers.results import SCHEME, make_result


@pytest.mark.parametrize("grid", [aligned_grid(), oblique_grid()], ids=["aligned", "oblique"])
def test_regions_come_back_as_they_were(grid: Grid, tmp_path: Path) -> None:
    result = make_result(make_labels(grid))
    path = write_segmentation(result, tmp_path / "Größe 標本 (1).seg.nrrd")
    segments, found = read_segmentation(path)
    assert found.is_same_as(grid, tolerance_mm=1e-9)
    assert len(segments) == 3
    for segment, region in zip(segments, SCHEME.regions, strict=True):
        assert (segment.id, segment.name, segment.color) == (region.name, region.title, region.color)
        assert segment.terminology == region.terminology
        np.testing.assert_array_equal(segment.mask, result.region_mask(region.name))


def test_overlapping_regions_lie_in_layers_and_others_share_one(tmp_path: Path) -> None:
    labels = make_labels(aligned_grid())
    header = read_header(write(tmp_path / "nested.seg.nrrd", segmentation_bytes(make_result(labels))))
    assert (header.sizes[0], header.kinds[0]) == (3, "list")
    apart = LabelScheme(
        SCHEME.labels, tuple(Region(label.name, label.title, (label.value,), label.color) for label in SCHEME.labels)
    )
    header = read_header(write(tmp_path / "apart.seg.nrrd", segmentation_bytes(make_result(labels, scheme=apart))))
    assert header.sizes == (40, 40, 40)
    assert [header.values[f"Segment{n}_LabelValue"] for n in range(3)] == ["1", "2", "3"]
    assert {header.values[f"Segment{n}_Layer"] for n in range(3)} == {"0"}
    as_image = read_volume(tmp_path / "apart.seg.nrrd").array
    np.testing.assert_array_equal(as_image, np.select([labels.array == v for v in (1, 2, 4)], (1, 2, 3)))


def test_layers_are_no_label_map(tmp_path: Path) -> None:
    path = write_segmentation(make_result(make_labels(aligned_grid(size=12))), tmp_path / "nested.seg.nrrd")
    with pytest.raises(InputError) as caught:
        read_volume(path)
    assert caught.value.code == "labels.layers"


def test_empty_regions_stay_as_named_segments(tmp_path: Path) -> None:
    grid = aligned_grid(size=8)
    empty = make_result(Volume(np.zeros(grid.shape_zyx, np.uint8), grid))
    segments, found = read_segmentation(write_segmentation(empty, tmp_path / "empty.seg.nrrd"))
    assert [segment.name for segment in segments] == ["Whole tumor", "Tumor core", "Enhancing tumor"]
    assert not any(segment.mask.any() for segment in segments)
    assert found.is_same_as(grid)


def test_itk_reads_the_layers_as_channels(tmp_path: Path) -> None:
    result = make_result(make_labels(oblique_grid()))
    image = SimpleITK.ReadImage(str(write_segmentation(result, tmp_path / "a.seg.nrrd")))
    array = SimpleITK.GetArrayFromImage(image)
    for channel, region in enumerate(SCHEME.regions):
        np.testing.assert_array_equal(array[..., channel] > 0, result.region_mask(region.name))


def test_the_same_result_gives_the_same_bytes() -> None:
    result = make_result(make_labels(aligned_grid()))
    assert segmentation_bytes(result) == segmentation_bytes(result)


def test_title_and_codes_that_hold_separators_do_not_break_the_file(tmp_path: Path) -> None:
    odd = Terminology(Code("SCT", "1", "a|b~c^d&e"), Code("SCT", "2", "Ödem"))
    region = replace(SCHEME.regions[0], title="Tumor:=\\ 100 %\nÜ", terminology=odd)
    result = make_result(make_labels(aligned_grid(size=12)), scheme=LabelScheme(SCHEME.labels, (region,)))
    (segment,), _ = read_segmentation(write_segmentation(result, tmp_path / "a.seg.nrrd"))
    assert segment.name == region.title
    assert segment.terminology == Terminology(Code("SCT", "1", "a b c d e"), Code("SCT", "2", "Ödem"))


def test_code_entry_is_read_back_and_an_incomplete_one_is_none() -> None:
    terminology = SCHEME.regions[0].terminology
    assert read_terminology_entry(terminology_entry(terminology)) == terminology
    assert read_terminology_entry("no entry") is None
    assert read_terminology_entry("list~^^~^^~^^~codes~^^~^^") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("image.nii", nifti_raw()),
        ("image.nrrd", b"NRRD0004\ntype: short\ndimension: 3\nsizes: 1 1 1\nencoding: raw\n\n\0\0"),
        ("text.seg.nrrd", b"text"),
    ],
)
def test_what_is_no_segmentation_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_segmentation(write(tmp_path / name, content))
    assert caught.value.code == "segmentation.not_one"


@pytest.mark.parametrize("old_new", [("Segment0_Layer:=0", "Segment0_Layer:=7"), ("Color:=0.3 0.7 0.9", "Color:=red")])
def test_unreadable_fields_are_told(old_new: tuple[str, str], tmp_path: Path) -> None:
    content = segmentation_bytes(make_result(make_labels(aligned_grid(size=12))))
    changed = content.replace(old_new[0].encode(), old_new[1].encode())
    assert changed != content
    with pytest.raises(InputError) as caught:
        read_segmentation(write(tmp_path / "a.seg.nrrd", changed))
    assert caught.value.code == "file.damaged"
