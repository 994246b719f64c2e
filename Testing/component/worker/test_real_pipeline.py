"""The real server with the real pipeline: the worker gives what this process gives, voxel by voxel."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.api import segment
from MedSegAILib.core.errors import Cancelled, PackageError
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.worker.client import WorkerClient

OPTIONS = RunOptions(preset="fast", device="cpu", backend="openvino", threads=2, keep_probabilities=True)


@pytest.fixture
def real(place, tiny_package):
    with WorkerClient(packages=[tiny_package]) as client:
        yield client
    assert not list(place.iterdir())


def test_the_worker_gives_the_same_labels_and_passport_as_this_process(real, tiny_package, tiny_oblique_case):
    stages = []
    there = real.segment(tiny_oblique_case, "brain-tumor", OPTIONS, lambda step: stages.append(step.stage))
    here = segment(tiny_oblique_case, options=OPTIONS, packages=[tiny_package])
    np.testing.assert_array_equal(there.labels.array, here.labels.array)
    np.testing.assert_array_equal(there.probabilities.array, here.probabilities.array)
    assert there.labels.grid.ijk_to_ras.tobytes() == here.labels.grid.ijk_to_ras.tobytes()
    assert (there.scheme, there.notices) == (here.scheme, here.notices)
    assert there.volumes_ml() == here.volumes_ml()
    for name in ("package", "engine", "options", "inputs", "repairs"):
        assert getattr(there.passport, name) == getattr(here.passport, name), name
    assert list(dict.fromkeys(stages)) == ["check", "repair", "prepare", "predict", "decide", "done"]


def test_refusals_of_the_pipeline_arrive_as_they_are_and_the_next_case_runs(real, tiny_case):
    with pytest.raises(PackageError) as caught:
        real.segment(tiny_case, "no-such-task", OPTIONS)
    assert caught.value.code == "package.unknown"
    cancel = Cancel()
    with pytest.raises(Cancelled):
        real.segment(tiny_case, "brain-tumor", OPTIONS, lambda step: cancel.set(), cancel)
    pid = real.worker_pid
    assert real.segment(tiny_case, "brain-tumor", OPTIONS).passport.task == "brain-tumor"
    assert real.worker_pid == pid


def test_an_altered_package_is_refused_by_the_name_of_the_file(place, tiny_package, tiny_case, tmp_path):
    import shutil

    altered = shutil.copytree(tiny_package, tmp_path / "paquet altéré" / "brain-tumor")
    weights = next(altered.glob("*.safetensors"))
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with WorkerClient(packages=[altered]) as client, pytest.raises(PackageError) as caught:
        client.segment(tiny_case, "brain-tumor", OPTIONS)
    assert weights.name in caught.value.message
