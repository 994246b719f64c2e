"""``export`` and what ``segment --dicom-seg`` adds to a result: DICOM objects of results by the shell."""

import numpy as np
import pydicom
import pytest

from MedSegAILib.core.volume import Volume
from MedSegAILib.io.dicom_source import read_source
from MedSegAILib.report.dicom_export import add_dicom_seg
from MedSegAILib.report.outputs import write_outputs
from Testing.makers.dicom_files import write_head
from Testing.makers.dicom_seg_reader import read_seg
from Testing.makers.phantoms import make_case, make_labels, write_nifti
from Testing.makers.results import make_result
from Testing.makers.shell import in_process


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The head's T1ce as a DICOM folder."""
    folder = tmp_path_factory.mktemp("study")
    write_head(folder, ("T1ce",))
    return folder


@pytest.fixture(scope="module")
def result(study, tmp_path_factory):
    """The output folder of a run that found the true labels."""
    case = make_case(roles=("T1ce",))
    found = make_result(make_labels(case.reference_grid()))
    folder = tmp_path_factory.mktemp("result") / "out"
    found, more = add_dicom_seg(found, read_source(study / "T1ce"))
    write_outputs(found, case, folder, more)
    return folder, found


def test_object_beside_a_result_has_its_volumes_and_its_makers_name(result):
    output, found = result
    data = pydicom.dcmread(output / "segmentation.dcm")
    algorithm = data.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("MedSegAI brain-tumor", "0.1.0")
    assert "preset=balanced" in algorithm.AlgorithmParameters
    titles = {region.title: found.volumes_ml()[region.name] for region in found.scheme.regions}
    volumes = {label: len(places) * 0.008 for label, places in read_seg(output / "segmentation.dcm").items()}
    assert volumes == pytest.approx(titles)


def test_empty_result_writes_no_object_and_says_so(study):
    grid = make_case(roles=("T1ce",)).reference_grid()
    found, more = add_dicom_seg(
        make_result(Volume(np.zeros(grid.shape_zyx, np.uint8), grid)), read_source(study / "T1ce")
    )
    assert more == {}
    assert [notice.code for notice in found.notices] == ["dicom_seg.not_written"]


def test_export_of_the_result_holds_the_same_pixels(result, study, tmp_path):
    output, _ = result
    done = in_process("export", output, "--dicom-seg", study / "T1ce", "--output", tmp_path / "later.dcm")
    assert done.returncode == 0, done.stderr
    assert read_seg(tmp_path / "later.dcm") == read_seg(output / "segmentation.dcm")
    again = in_process("export", output, "--dicom-seg", study / "T1ce", "--output", tmp_path / "later.dcm")
    assert (again.returncode, "--overwrite" in again.stderr) == (2, True)


def test_export_of_a_segmentation_file_counts_as_edited(result, study, tmp_path):
    output, _ = result
    done = in_process(
        "export", output / "segmentation.seg.nrrd", "--dicom-seg", study / "T1ce", "--output", tmp_path / "x.dcm"
    )
    assert done.returncode == 0, done.stderr
    assert pydicom.dcmread(tmp_path / "x.dcm").SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"


def test_reference_that_is_no_series_is_refused_before_the_run(tiny_package, tmp_path):
    for role, volume in make_case(roles=("T1ce", "FLAIR")).volumes.items():
        write_nifti(volume, tmp_path / f"{role}.nii.gz")
    done = in_process(
        "segment", "--task", "brain-tumor", "--study", tmp_path, "--output", tmp_path / "out", "--dicom-seg",
        packages=tiny_package,
    )  # fmt: skip
    assert (done.returncode, "no DICOM series" in done.stderr) == (3, True)
    assert not (tmp_path / "out").exists()
