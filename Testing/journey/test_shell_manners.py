"""Overwriting, Ctrl-C and privacy, through the real command line."""

import subprocess
import sys

import numpy as np
import pytest

from Testing.makers.phantoms import aligned_grid, make_case, write_study
from Testing.makers.shell import environment, medsegai

MARK = "ZZMARKEDPATIENT"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(make_case(), folder)
    return folder


def segment(study, output, *more):
    return ("segment", "--task", "brain-tumor", "--study", study, "--output", output, *more)


def test_overwrite_replaces_the_result_and_keeps_other_files(study, tmp_path, tiny_package):
    output = tmp_path / "out"
    assert medsegai(*segment(study, output), packages=tiny_package).returncode == 0
    (output / "mine.txt").write_text("keep", encoding="utf-8")
    (output / "volumes.csv").write_text("old", encoding="utf-8")
    assert medsegai(*segment(study, output), packages=tiny_package).returncode == 2
    assert (output / "volumes.csv").read_text(encoding="utf-8") == "old"
    assert medsegai(*segment(study, output, "--overwrite"), packages=tiny_package).returncode == 0
    assert (output / "volumes.csv").read_text(encoding="utf-8") != "old"
    assert (output / "mine.txt").read_text(encoding="utf-8") == "keep"


def test_people_read_regions_in_ml_and_what_it_is_not_for(study, tmp_path, tiny_package):
    done = medsegai(*segment(study, tmp_path / "out"), packages=tiny_package)
    assert done.stderr == ""
    assert "Whole tumor" in done.stdout
    assert " mL" in done.stdout
    assert "Research use only" in done.stdout


def test_missing_sequences_are_told_beside_the_result(tmp_path, tiny_package):
    write_study(make_case(roles=("T1ce", "FLAIR")), tmp_path / "study")
    done = medsegai(*segment(tmp_path / "study", tmp_path / "out"), packages=tiny_package)
    assert done.returncode == 0
    assert "note: T1, T2 are missing" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal are another thing there")
def test_ctrl_c_ends_with_130_and_writes_nothing(tmp_path, tiny_package):
    # A head of 4 million voxels with eight views: seconds of network, so the signal comes in the middle.
    write_study(make_case(aligned_grid(1.0, 80)), tmp_path / "study")
    output = tmp_path / "out"
    arguments = segment(tmp_path / "study", output, "--preset", "best", "--threads", "1")
    code = (
        "import os, signal, sys\n"
        "from MedSegAILib.tasks import ensemble\n"
        "real = ensemble.predict\n"
        "def started(*given):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"  # as Ctrl-C would, at a known moment
        "    return real(*given)\n"
        "ensemble.predict = started\n"
        "from MedSegAILib.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment(tiny_package),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 130, done.stdout + done.stderr
    assert done.stderr.startswith("error: The run was cancelled.")
    assert not output.exists()


def test_no_patient_name_reaches_any_output(tmp_path, tiny_package):
    """Names lie where files carry them: in the text fields of a NIfTI header and in DICOM tags."""
    import SimpleITK

    folder = tmp_path / "study"
    for role, volume in make_case(aligned_grid(4.0, 20)).volumes.items():
        write_marked_series(volume, folder / role)
    output = tmp_path / "out"
    done = medsegai(*segment(folder, output), packages=tiny_package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert MARK not in done.stdout + done.stderr
    for path in output.iterdir():
        assert MARK.encode() not in path.read_bytes(), path.name
        if path.name.endswith(".gz"):
            image = SimpleITK.ReadImage(str(path))
            assert all(MARK not in image.GetMetaData(key) for key in image.GetMetaDataKeys())


def write_marked_series(volume, folder):
    """Write a volume as a DICOM series whose patient carries the mark."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    folder.mkdir(parents=True)
    lps = np.diag([-1.0, -1.0, 1.0]) @ volume.grid.ijk_to_ras[:3, :]
    spacing = np.linalg.norm(lps[:, :3], axis=0)
    series, study = generate_uid(), generate_uid(entropy_srcs=["one study"])
    pixels = np.round(volume.array * 10).astype(np.uint16)
    for index, plane in enumerate(pixels):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = MRImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
        data.PatientName, data.PatientID = f"{MARK}^Jane", MARK
        data.StudyDescription = data.SeriesDescription = data.InstitutionName = MARK
        data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = study, series, "MR"
        data.SeriesNumber, data.InstanceNumber = 1, index + 1
        data.FrameOfReferenceUID = study
        data.ImageOrientationPatient = [float(v) for v in (lps[:, :2] / spacing[:2]).T.ravel()]
        data.ImagePositionPatient = [float(v) for v in lps[:, 3] + index * lps[:, 2]]
        data.PixelSpacing = [float(spacing[1]), float(spacing[0])]
        data.SliceThickness = float(spacing[2])
        data.Rows, data.Columns = plane.shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
        data.PixelData = plane.tobytes()
        data.save_as(folder / f"{index:03d}.dcm", enforce_file_format=True)
