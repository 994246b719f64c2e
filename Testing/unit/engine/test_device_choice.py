"""The choice of backend and device: what is asked for and missing is named, and nothing heavy is imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from MedSegAILib.core.errors import SetupError, UsageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.engine import device
from MedSegAILib.engine.backend import Device, DeviceInfo

GPUS = [DeviceInfo(Device("cuda:0", "bf16"), "A"), DeviceInfo(Device("cuda:1", "fp16"), "B")]


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(device, "gpu_could_exist", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(device, "find_gpus", lambda: (GPUS, ""))


@pytest.mark.usefixtures("no_gpu")
def test_cpu_takes_openvino_in_float32():
    plan = device.choose(RunOptions())
    assert (plan.backend, plan.device, plan.precision, plan.fallbacks) == ("openvino", "cpu", "fp32", ())
    assert plan.threads == device.core_count() >= 1


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(("backend", "wanted"), [("auto", "openvino"), ("torch", "torch")])
@pytest.mark.parametrize("name", ["cuda", "cuda:3"])
def test_absent_gpu_falls_back_by_name(name, backend, wanted):
    plan = device.choose(RunOptions(device=name, backend=backend))
    assert (plan.backend, plan.device) == (wanted, "cpu")
    assert plan.fallbacks == (f"Ran on the CPU instead of {name}: no NVIDIA driver was found.",)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("name", "wanted"), [("auto", ("cuda:0", "bf16")), ("cuda", ("cuda:0", "bf16")), ("cuda:1", ("cuda:1", "fp16"))]
)
def test_gpu_takes_torch_in_its_own_precision(name, wanted):
    plan = device.choose(RunOptions(device=name))
    assert (plan.backend, plan.device, plan.precision) == ("torch", *wanted)
    assert plan.fallbacks == ()


@pytest.mark.usefixtures("two_gpus")
def test_gpu_of_another_number_falls_back_and_names_those_there_are():
    plan = device.choose(RunOptions(device="cuda:7"))
    assert (plan.backend, plan.device) == ("openvino", "cpu")
    assert plan.fallbacks == ("Ran on the CPU instead of cuda:7: the GPUs here are cuda:0, cuda:1.",)


@pytest.mark.usefixtures("two_gpus")
def test_cpu_and_openvino_are_taken_when_asked_for_beside_a_gpu():
    assert device.choose(RunOptions(device="cpu")).device == "cpu"
    assert device.choose(RunOptions(backend="openvino")).device == "cpu"


def test_openvino_on_a_gpu_is_a_usage_error():
    with pytest.raises(UsageError) as caught:
        device.choose(RunOptions(device="cuda", backend="openvino"))
    assert caught.value.code == "options.device"


@pytest.mark.usefixtures("no_gpu")
def test_threads_are_those_asked_for():
    assert device.choose(RunOptions(threads=3)).threads == 3


@pytest.mark.usefixtures("no_gpu")
def test_missing_openvino_falls_back_to_torch_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    plan = device.choose(RunOptions())
    assert plan.backend == "torch"
    assert plan.fallbacks == ("Ran with torch instead of openvino: openvino is not installed.",)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("backend", "code"),
    [("auto", "openvino"), ("openvino", "openvino"), ("torch", "torch")],
)
def test_missing_libraries_are_a_setup_error(monkeypatch, backend, code):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SetupError) as caught:
        device.choose(RunOptions(backend=backend))
    assert caught.value.code == f"setup.{code}_missing"


def test_choosing_imports_no_engine_library():
    code = (
        "import sys\n"
        "from MedSegAILib.core.run import RunOptions\n"
        "from MedSegAILib.engine import device, predict, views\n"
        "device.gpu_could_exist = lambda: False\n"
        "device.choose(RunOptions())\n"
        "print(sorted({'torch', 'openvino', 'SimpleITK', 'scipy', 'monai'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
