"""The report for doctor: a real convolution on every device, and the reason where there is none."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.engine.backend import BACKENDS, Device, load_backend
from MedSegAILib.engine.device import device_report, find_gpus
from MedSegAILib.engine.probe import check_probe

KEYS = {"backend", "device", "name", "memory_mb", "precision", "ok", "seconds", "reason"}


def test_every_backend_calculates_on_the_cpu():
    report = device_report()
    assert all(set(entry) == KEYS for entry in report)
    on_cpu = {entry["backend"]: entry for entry in report if entry["device"] == "cpu"}
    assert set(on_cpu) == set(BACKENDS)
    for entry in on_cpu.values():
        assert entry["ok"], entry["reason"]
        assert entry["name"]
        assert entry["memory_mb"] > 100


def test_missing_library_is_an_entry_with_its_reason(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "MedSegAILib.engine.openvino_backend", raising=False)
    entry = next(entry for entry in device_report() if entry["backend"] == "openvino")
    assert not entry["ok"]
    assert "needs the library openvino" in entry["reason"]


def test_device_that_fails_is_an_entry_with_its_reason(monkeypatch):
    kind = type(load_backend("openvino"))

    def fail(self, device):
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(kind, "probe", fail)
    entry = next(entry for entry in device_report() if entry["backend"] == "openvino")
    assert (entry["ok"], entry["reason"]) == (False, "no kernel image")


def test_wrong_numbers_are_caught():
    with pytest.raises(ResourceError) as caught:
        check_probe(np.full((1, 8, 8, 8), 27, np.float32), Device("cuda:0"))
    assert caught.value.code == "device.wrong_result"


def test_driver_without_a_gpu_says_so(monkeypatch):
    monkeypatch.setattr("MedSegAILib.engine.device.gpu_could_exist", lambda: True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert find_gpus() == ([], "torch sees no GPU")
