"""``segment --dicom-seg`` and ``export``: a DICOM study to a DICOM object, by the shell."""

import json

import numpy as np
import pydicom
import pytest

from Testing.makers.dicom_files import write_series
from Testing.makers.dicom_seg_reader import read_seg
from Testing.makers.phantoms import make_case, write_nifti
from Testing.makers.shell import in_process

UIDS = {"StudyInstanceUID": "1.2.3.1", "FrameOfReferenceUID": "1.2.3.2"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The head's T1ce and FLAIR as one DICOM folder each."""
    folder = tmp_path_factory.mktemp("study")
    case = make_case(roles=("T1ce", "FLAIR"))
    for number, (role, volume) in enumerate(case.volumes.items(), 1):
        origin = volume.grid.ijk_to_ras[:3, 3] * (-1, -1, 1)
        write_series(
            folder / role,
            positions=[(origin[0], origin[1], origin[2] + 2.0 * k) for k in range(volume.array.shape[0])],
            array=np.rint(volume.array).astype(np.int16),
            scale=(1.0, 0.0),
            number=number,
            Modality="MR",
            PixelSpacing=[2.0, 2.0],
            **UIDS,
        )
    return folder


@pytest.fixture(scope="module")
def result(study, tiny_package, tmp_path_factory):
    output = tmp_path_factory.mktemp("result") / "out"
    done = in_process(
        "segment", "--task", "brain-tumor", "--study", study, "--output", output, "--dicom-seg", "--json",
        packages=tiny_package,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return output, json.loads(done.stdout)


def test_segment_writes_the_object_with_the_other_files(result):
    output, answer = result
    data = pydicom.dcmread(answer["files"]["segmentation.dcm"])
    assert data.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == "0.0.1"
    voxel_ml = 0.008
    volumes = {label: len(places) * voxel_ml for label, places in read_seg(output / "segmentation.dcm").items()}
    titles = {"WT": "Whole tumor", "TC": "Tumor core", "ET": "Enhancing tumor"}
    written = {titles[name]: volume for name, volume in answer["volumes_ml"].items() if volume}
    assert volumes == pytest.approx(written)


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
