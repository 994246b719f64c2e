"""Which backend runs where: the choice for a run, and the report for ``doctor``.

Choosing costs no heavy import unless torch was asked for or a GPU could exist. What was asked for and is not there is
named in the plan, never passed over in silence. Ring 1 (verbs).
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAILib.core.errors import MedSegAIError, SetupError, UsageError
from MedSegAILib.core.run import RunOptions

from .backend import BACKENDS, Backend, DeviceInfo, load_backend

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Plan:
    """How a run will be calculated.

    Args:
        backend: "openvino" or "torch".
        device: "cpu" or "cuda:<n>".
        precision: "fp32", "bf16" or "fp16".
        threads: CPU threads, >= 1.
        fallbacks: what was not done as asked, and why; one sentence each.
    """

    backend: str
    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 1
    fallbacks: tuple[str, ...] = ()


def choose(options: RunOptions) -> Plan:
    """Choose backend, device, precision and threads.

    Args:
        options: device "auto" takes a GPU when torch sees one; backend "auto" takes torch on a GPU, openvino on a CPU.

    Returns:
        A plan that this machine can follow, as far as can be told without running it.

    Raises:
        UsageError: "options.device" when openvino is asked to run on a GPU.
        SetupError: "setup.openvino_missing" or "setup.torch_missing" when the backend asked for is not installed, or
            none is.
    """
    asks_for_gpu = options.device.startswith("cuda")
    if options.backend == "openvino" and asks_for_gpu:
        raise UsageError(
            "options.device",
            f"The openvino backend cannot run on {options.device}.",
            "Choose the backend auto or torch for a GPU.",
        )
    fallbacks: list[str] = []
    threads = options.threads or core_count()
    if options.device != "cpu" and options.backend != "openvino":
        gpus, why_none = find_gpus()
        wanted = _pick(gpus, options.device)
        if wanted:
            precision = "fp32" if options.deterministic else wanted.device.precision
            return Plan("torch", wanted.device.name, precision, threads)
        if asks_for_gpu:
            fallbacks.append(f"Ran on the CPU instead of {options.device}: {why_none or _names(gpus)}.")
    backend = options.backend
    if backend == "auto":
        backend = "openvino"
        if not _is_installed("openvino") and _is_installed("torch"):
            backend = "torch"
            fallbacks.append("Ran with torch instead of openvino: openvino is not installed.")
    if not _is_installed(backend):
        raise SetupError(f"setup.{backend}_missing", f"The library {backend} is not installed.", f"Install {backend}.")
    return Plan(backend, "cpu", "fp32", threads, tuple(fallbacks))


def core_count() -> int:
    """Give the CPU cores that this process may use; two threads of one core count once where that is known."""
    import psutil

    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed))


def gpu_could_exist() -> bool:
    """Tell whether an NVIDIA driver is on this machine; costs no import."""
    if sys.platform == "darwin":
        return False
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", "C:\\Windows")) / "System32" / "nvcuda.dll").exists()
    return any(Path(place).exists() for place in ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/dxg")) or bool(
        shutil.which("nvidia-smi")
    )


def find_gpus() -> tuple[list[DeviceInfo], str]:
    """Give the GPUs that torch sees, or none and the reason."""
    if not gpu_could_exist():
        return [], "no NVIDIA driver was found"
    try:
        devices = load_backend("torch").devices()
    except SetupError as error:
        return [], error.message.rstrip(".")
    gpus = [info for info in devices if info.device.name != "cpu"]
    return gpus, "" if gpus else "torch sees no GPU"


def device_report() -> list[dict[str, Any]]:
    """Try every backend on every device with one small convolution.

    Returns:
        One entry each: ``backend``, ``device``, ``name``, ``memory_mb`` (0 = not told), ``precision``, ``ok``,
        ``seconds`` of the trial, ``reason`` when it is not ok.
    """
    report: list[dict[str, Any]] = []
    for name in BACKENDS:
        try:
            backend = load_backend(name)
            devices = backend.devices()
        except (MedSegAIError, RuntimeError) as error:
            report.append(_entry(name, None, 0.0, str(error)))
            continue
        report.extend(_try(backend, info) for info in devices)
    return report


def _try(backend: Backend, info: DeviceInfo) -> dict[str, Any]:
    start = time.perf_counter()
    reason = ""
    try:
        backend.probe(info.device)
    except (MedSegAIError, RuntimeError) as error:  # RuntimeError is what torch and openvino raise
        reason = str(error) or type(error).__name__
    return _entry(backend.name, info, time.perf_counter() - start, reason)


def _entry(backend: str, info: DeviceInfo | None, seconds: float, reason: str) -> dict[str, Any]:
    return {
        "backend": backend,
        "device": info.device.name if info else "",
        "name": info.title if info else "",
        "memory_mb": (info.memory_mb or _system_memory_mb()) if info else 0,
        "precision": info.device.precision if info else "",
        "ok": not reason,
        "seconds": round(seconds, 3),
        "reason": reason,
    }


def _system_memory_mb() -> int:
    import psutil

    return int(psutil.virtual_memory().total) >> 20


def _pick(gpus: Sequence[DeviceInfo], wanted: str) -> DeviceInfo | None:
    name = "cuda:0" if wanted in ("auto", "cuda") else wanted
    return next((info for info in gpus if info.device.name == name), None)


def _names(gpus: Sequence[DeviceInfo]) -> str:
    return "the GPUs here are " + ", ".join(info.device.name for info in gpus)


def _is_installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ValueError:  # a module that is loaded without a spec
        return library in sys.modules
