"""The output folder: six files, whole, on the grid of the reference; or none."""

from __future__ import annotations

import csv
import json
import resource
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from MedSegAILib.core.case import Case
from MedSegAILib.core.doubt import Doubt, Place
from MedSegAILib.core.errors import ResourceError, UsageError
from MedSegAILib.core.result import Notice, Passport
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.io import read_case, read_label_map
from MedSegAILib.io.segmentation_nrrd import read_segmentation
from MedSegAILib.report.outputs import passport_json, reference_of, write_outputs
from MedSegAILib.report.tables import doubt_csv, volumes_csv
from Testing.makers.phantoms import aligned_grid, make_case, make_labels, oblique_grid, write_study
from Testing.makers.results import SCHEME, make_result

NAMES = {"labels.nii.gz", "segmentation.seg.nrrd", "passport.json", "volumes.csv", "doubt.csv", "overlay.png"}


@pytest.mark.parametrize("grid", [aligned_grid(), oblique_grid()], ids=["aligned", "oblique left-handed"])
def test_all_files_agree_with_the_result_and_with_each_other(grid: Grid, tmp_path: Path) -> None:
    result = make_result(make_labels(grid), Notice("a.b", "Something is odd."))
    files = write_outputs(result, make_case(grid), tmp_path / "Ausgabe Größe 標本 (1)")
    assert set(files) == NAMES == {path.name for path in files["labels.nii.gz"].parent.iterdir()}
    np.testing.assert_array_equal(read_label_map(files["labels.nii.gz"]).array, result.labels.array)
    segments, found = read_segmentation(files["segmentation.seg.nrrd"])
    assert found.is_same_as(grid)
    rows = list(csv.DictReader(files["volumes.csv"].read_text(encoding="utf-8").splitlines()))
    for row, segment, region in zip(rows, segments, SCHEME.regions, strict=True):
        assert (row["region"], row["title"]) == (region.name, region.title)
        assert row["labels"].split() == [str(value) for value in region.labels]
        assert int(row["voxels"]) == segment.mask.sum() == result.region_mask(region.name).sum()
        assert float(row["volume_ml"]) == pytest.approx(result.volumes_ml()[region.name], abs=5e-4)
    record = json.loads(files["passport.json"].read_text(encoding="utf-8"))
    assert record.pop("notices") == [{"code": "a.b", "message": "Something is odd.", "hint": ""}]
    assert record.pop("doubt") is None
    assert Passport.from_json(record) == result.passport


def test_label_map_has_the_very_matrix_of_the_input_file(tmp_path: Path) -> None:
    paths = write_study(make_case(oblique_grid()), tmp_path)
    case = read_case(paths, reference="T2")
    labels = make_labels(case.reference_grid())
    files = write_outputs(make_result(labels), case, tmp_path / "out")
    image, written = (SimpleITK.ReadImage(str(path)) for path in (paths["T2"], files["labels.nii.gz"]))
    assert written.GetSize() == image.GetSize()
    for ours, theirs in (
        (written.GetSpacing(), image.GetSpacing()),
        (written.GetOrigin(), image.GetOrigin()),
        (written.GetDirection(), image.GetDirection()),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert written.GetPixelIDValue() == SimpleITK.sitkUInt8
    assert read_label_map(files["labels.nii.gz"]).grid.is_same_as(case.reference_grid(), tolerance_mm=1e-5)


def test_second_run_replaces_the_files_of_the_first(tmp_path: Path) -> None:
    labels = make_labels(aligned_grid())
    write_outputs(make_result(labels), make_case(), tmp_path)
    empty = Volume(np.zeros_like(labels.array), labels.grid)
    files = write_outputs(make_result(empty), make_case(), tmp_path)
    assert not read_label_map(files["labels.nii.gz"]).array.any()
    assert {path.name for path in tmp_path.iterdir()} == NAMES


def test_the_same_result_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_outputs(make_result(make_labels(aligned_grid())), make_case(), tmp_path / name)
    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_full_disk_leaves_no_half_folder(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(ResourceError) as caught:
            write_outputs(make_result(make_labels(aligned_grid())), make_case(), tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.code == "output.disk_full"
    assert list(tmp_path.iterdir()) == []


def test_picture_shows_the_input_that_the_result_lies_on() -> None:
    near, far = make_case(aligned_grid()), make_case(oblique_grid())
    case = Case({"T1": far.volumes["T1"], "T2": near.volumes["T2"], "FLAIR": near.volumes["FLAIR"]})
    result = make_result(make_labels(aligned_grid()))
    assert reference_of(result, case) is near.volumes["T2"]
    assert reference_of(result, replace(case, reference="FLAIR")) is near.volumes["FLAIR"]
    with pytest.raises(UsageError) as caught:
        reference_of(result, far)
    assert caught.value.code == "overlay.grid"


def test_table_has_a_line_for_an_empty_region() -> None:
    grid = aligned_grid(size=4)
    table = volumes_csv(make_result(Volume(np.ones(grid.shape_zyx, np.uint8), grid))).decode()
    assert table.splitlines() == [
        "region,title,volume_ml,labels,voxels",
        "WT,Whole tumor,0.512,1 2 4,64",
        "TC,Tumor core,0.512,1 4,64",
        "ET,Enhancing tumor,0.000,4,0",
    ]


def test_places_in_doubt_are_a_table_and_part_of_the_passport() -> None:
    grid = aligned_grid(size=4)
    places = (
        Place("ET", "disagreement", (-12.34, 8.0, 6.5), 1.2345, 0.375),
        Place("WT", "island", (1.0, 2.0, 3.0), 0.2),
    )
    doubt = Doubt(places, {"ET": 1.5}, 8, "Eight looks.")
    result = replace(make_result(Volume(np.zeros(grid.shape_zyx, np.uint8), grid)), doubt=doubt)
    assert doubt_csv(result).decode().splitlines() == [
        "rank,region,reason,at_stake_ml,r_mm,a_mm,s_mm,share_against,words",
        "1,ET,disagreement,1.234,-12.3,8.0,6.5,0.38,members or views disagree",
        "2,WT,island,0.200,1.0,2.0,3.0,0.00,an island apart from the rest",
    ]
    assert Doubt.from_json(json.loads(passport_json(result))["doubt"]) == doubt
