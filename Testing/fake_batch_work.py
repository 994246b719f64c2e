"""Stands in for the network where a test is about the batch: a threshold, some files, a row; all else is real.

As a script it is the computing process of a batch; as a preload of a Dask worker it is one on a cluster.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.batch import process, study_run
from MedSegAILib.core.volume import Volume
from MedSegAILib.io.case_files import read_case
from MedSegAILib.io.nifti import nifti_bytes
from MedSegAILib.report.study_row import row_of
from Testing.makers.results import make_result

SECONDS_A_STUDY = float(os.environ.get("FAKE_BATCH_SECONDS", "0.05"))


def threshold(
    job: study_run.StudyJob, package: Any, paths: Mapping[str, Path], progress: Any
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Give the brightest voxels of the first input as the label 2; a study may ask for a defect or a crash."""
    if (next(iter(paths.values())).parent / "defect.txt").exists():
        raise ZeroDivisionError("a name that nobody should see")
    if (next(iter(paths.values())).parent / "crash.txt").exists():
        os.kill(os.getpid(), 9)
    case = read_case(paths, name=job.study)
    time.sleep(SECONDS_A_STUDY)
    volume = next(iter(case.volumes.values()))
    labels = np.where(volume.array > volume.array.mean(), 2, 0).astype(np.uint8)
    result = make_result(Volume(labels, volume.grid, name="labels"))
    return {"labels.nii.gz": nifti_bytes(result.labels)}, row_of(result, package.title)


def install() -> None:
    """Put the threshold where the network was."""
    study_run._segment = threshold


def dask_setup(worker: Any) -> None:
    """Be asked by a Dask worker at its start (``--preload``)."""
    install()


if __name__ == "__main__":
    install()
    process.main(*sys.argv[1:])
