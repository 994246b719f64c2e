"""What is there of an installation, what is missing, and a real trial of each device. Ring 3.

The doctor of the shell and that of Slicer's panel say the same, because both ask here.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib import metadata
from typing import Any

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.engine.device import device_report
from MedSegAILib.version import VERSION

from .store import list_packages

# Distribution: what it is needed for. The first table is the default path, the second one is not.
NEEDED = {
    "numpy": "arrays",
    "scipy": "resampling",
    "SimpleITK": "image files",
    "pydicom": "DICOM",
    "openvino": "networks on a CPU",
    "safetensors": "weights",
    "matplotlib": "pictures",
    "psutil": "memory",
}
SHELL = {"typer": "the command line", "rich": "the progress bar"}
OPTIONAL = {
    "torch": "networks on a GPU, training",
    "highdicom": "DICOM segmentations",
    "monai": "training",
    "slicer-core": "tests on real MRML",
}
LEAST_FREE_GB = 1.0  # a study with its working copies and results stays well below


def examine(*, with_shell: bool = False) -> dict[str, Any]:
    """Look at libraries, devices, packages, disk and memory.

    Args:
        with_shell: whether the libraries of the command line count; Slicer's Python has none of them.

    Returns:
        JSON-able; ``ok`` tells whether the default path works, ``problems`` what stands against it.
    """
    needed = {**NEEDED, **(SHELL if with_shell else {})}
    libraries = [_library(name, use, needed=True) for name, use in needed.items()]
    libraries += [_library(name, use, needed=False) for name, use in OPTIONAL.items()]
    problems = [
        f"{entry['name']} is missing ({entry['use']}): pip install {entry['name']}"
        for entry in libraries
        if entry["needed"] and not entry["version"]
    ]
    devices, device_problems = _devices()
    models, model_problems = _models()
    machine, machine_problems = _machine()
    problems += [*device_problems, *model_problems, *machine_problems]
    return {
        "ok": not problems,
        "problems": problems,
        "version": VERSION,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "libraries": libraries,
        "devices": devices,
        "models": models,
        **machine,
    }


def _library(name: str, use: str, *, needed: bool) -> dict[str, Any]:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        version = ""
    return {"name": name, "version": version, "use": use, "needed": needed}


def _devices() -> tuple[list[dict[str, Any]], list[str]]:
    try:
        devices = [dict(entry) for entry in device_report()]
    except MedSegAIError as error:
        return [], [str(error)]
    works = any(entry["ok"] for entry in devices)
    return devices, [] if works else ["No device can run a network: see the reasons above."]


def _models() -> tuple[list[dict[str, str]], list[str]]:
    try:
        packages, refused = list_packages()
    except MedSegAIError as error:
        return [], [str(error)]
    problems = [str(error) for error in refused]
    if not packages:
        problems.append("No package is installed: put one into ~/.MedSegAI/packages.")
    return [{"task": package.task, "version": package.version} for package in packages], problems


def _machine() -> tuple[dict[str, Any], list[str]]:
    problems = []
    free_gb = 0.0
    try:
        with tempfile.TemporaryDirectory() as folder:
            free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        problems.append(f"The temporary folder cannot be written ({error.strerror}): set TMPDIR to one that can.")
    else:
        if free_gb < LEAST_FREE_GB:
            problems.append(f"The temporary folder has {free_gb:.1f} GB left: free {LEAST_FREE_GB:.0f} GB.")
    memory: dict[str, float] = {}
    try:
        import psutil
    except ImportError:
        pass  # it stands in the list of libraries already
    else:
        state = psutil.virtual_memory()
        memory = {"total_gb": round(state.total / 1e9, 1), "free_gb": round(state.available / 1e9, 1)}
    return {"temporary_free_gb": round(free_gb, 1), "memory": memory, "cores": os.cpu_count() or 1}, problems
