"""What goes wrong at a first run, injected one by one: each is one sentence, and one thing to do about it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.io.atomic import write_files
from MedSegAILib.io.read import read_volume
from MedSegAILib.tasks.bundle import read_bundle
from MedSegAILib.tasks.check import check
from MedSegAILib.tasks.install import install_package
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.store import find_package
from MedSegAILib.worker import bootstrap
from MedSegAILib.worker.client import WorkerClient
from MedSegAILib.worker.post_mortem import explain, missing_library
from MedSegAILib.worker.protocol import PROTOCOL, Hello, check_hello
from MedSegAILib.worker.server import translate

GRID = Grid((16, 16, 16), np.eye(4))


def raised(act) -> MedSegAIError:
    with pytest.raises(MedSegAIError) as caught:
        act()
    return caught.value


def broken_package(source: Path, folder: Path, name: str, content: bytes) -> Path:
    shutil.copytree(source, folder)
    (folder / name).write_bytes(content)
    return folder


def case_of(array, roles=("T1", "T1ce", "T2", "FLAIR")) -> Case:
    return Case({role: Volume(array + number, GRID) for number, role in enumerate(roles)})


def interpreter_gone(tmp_path, _package, _monkeypatch):
    with WorkerClient(python=tmp_path / "no-python") as client:
        return raised(client.start)


def interpreter_not_found(_tmp_path, _package, monkeypatch):
    monkeypatch.setattr(bootstrap, "default_python_or_none", lambda: None)
    return raised(bootstrap.default_python)


def library_missing(_tmp_path, _package, _monkeypatch):
    return missing_library(ModuleNotFoundError("No module named 'openvino'", name="openvino"))


def library_broken(_tmp_path, _package, _monkeypatch):
    return translate(ImportError("DLL load failed while importing _pyopenvino"))


def memory_gone(_tmp_path, _package, _monkeypatch):
    return translate(MemoryError())


def worker_killed(_tmp_path, _package, _monkeypatch):
    return explain(-9, [], "it was at 'predict' (1 of 8)")


def worker_of_another_version(_tmp_path, _package, _monkeypatch):
    return raised(lambda: check_hello(Hello(PROTOCOL + 1, "9.9.9", 1)))


def no_package(_tmp_path, _package, _monkeypatch):
    return raised(lambda: find_package("no-such-task"))


def package_altered(tmp_path, package, _monkeypatch):
    weights = next(package.glob("*.safetensors")).name
    return raised(lambda: read_package(broken_package(package, tmp_path / "brain-tumor", weights, b"x")))


def package_manifest_unreadable(tmp_path, package, _monkeypatch):
    return raised(lambda: read_package(broken_package(package, tmp_path / "brain-tumor", "manifest.json", b"{")))


def package_is_something_else(tmp_path, _package, _monkeypatch):
    (tmp_path / "model.zip").write_bytes(b"PK\x03\x04 no archive")
    return raised(lambda: install_package(tmp_path / "model.zip", root=tmp_path / "packages"))


def bundle_is_none(tmp_path, _package, _monkeypatch):
    return raised(lambda: read_bundle(tmp_path))


def folder_not_writable(tmp_path, _package, _monkeypatch):
    (tmp_path / "file").write_text("in the way")
    return raised(lambda: write_files(tmp_path / "file", {"labels.nii.gz": b""}))


def scan_damaged(tmp_path, _package, _monkeypatch):
    (tmp_path / "T1.nii.gz").write_bytes(b"\x1f\x8b no image")
    return raised(lambda: read_volume(tmp_path / "T1.nii.gz"))


def scan_missing(tmp_path, _package, _monkeypatch):
    return raised(lambda: read_volume(tmp_path / "T1.nii.gz"))


def sequence_missing(_tmp_path, package, _monkeypatch):
    array = np.random.default_rng(0).random(GRID.shape_zyx, np.float32)
    return raised(lambda: check(case_of(array, ("T1",)), read_package(package)))


def scan_empty(_tmp_path, package, _monkeypatch):
    return raised(lambda: check(case_of(np.zeros(GRID.shape_zyx, np.float32)), read_package(package)))


def device_not_there(_tmp_path, _package, _monkeypatch):
    return raised(lambda: RunOptions(device="gpu9"))


FAULTS = [
    interpreter_gone, interpreter_not_found, library_missing, library_broken, memory_gone, worker_killed,
    worker_of_another_version, no_package, package_altered, package_manifest_unreadable, package_is_something_else,
    bundle_is_none, folder_not_writable, scan_damaged, scan_missing, sequence_missing, scan_empty, device_not_there,
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_each_fault_is_one_sentence_and_one_action(fault, tmp_path, tiny_package, monkeypatch, checkout):
    error = fault(tmp_path, tiny_package, monkeypatch)
    assert isinstance(error, MedSegAIError)
    for words in (error.message, error.hint):
        assert len(words) > 10
        assert words.rstrip().endswith((".", "?"))
        assert "Traceback" not in words
        assert "\n" not in words
    assert f"`{error.code}`" in (checkout / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert json.loads(json.dumps(error.to_json()))["code"] == error.code


def test_there_are_at_least_fifteen():
    assert len(FAULTS) >= 15
