"""Libraries that Slicer's Python lacks: which, how large, fetched from the network only when a person asked for it.

pip is asked for wheels by name, so its own settings (index, proxy, certificates) hold and no address stands here. They
go to the private folder that only the worker sees, without their dependencies: what Slicer ships is never replaced.
Ring 3; standard library only.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from MedSegAILib.core.errors import PackageError, SetupError
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback

from .bundle_install import Change
from .wheels import Wheel, broken_files, install_wheels, read_wheel

_POLL_S = 0.1
_MB = 1_000_000


@dataclass(frozen=True)
class Library:
    """A library that may be fetched.

    Args:
        name: of the distribution.
        versions: that are taken, as pip writes it.
        download_mb: size of its wheel, rounded up (Linux x86-64, CPython 3.11, 2026-11-21); other systems differ.
        license: as its metadata says.
        use: what it is needed for.
    """

    name: str
    versions: str
    download_mb: float
    license: str
    use: str


# All that the default path needs beyond numpy, which every Slicer has. No telemetry: openvino works without its own.
LIBRARIES = (
    Library("openvino", ">=2025.0,<2027", 60.0, "Apache-2.0", "networks on a CPU"),
    Library("safetensors", ">=0.4,<1", 0.6, "Apache-2.0", "weights"),
    Library("psutil", ">=5.9", 0.2, "BSD-3-Clause", "memory"),
    Library("scipy", ">=1.11", 36.0, "BSD-3-Clause", "resampling"),
    Library("SimpleITK", ">=2.4", 53.0, "Apache-2.0", "image files"),
    Library("pydicom", ">=3.0", 2.5, "MIT", "DICOM"),
    Library("matplotlib", ">=3.8", 9.9, "Matplotlib (BSD-like)", "pictures"),
    Library("contourpy", ">=1.0.1", 0.4, "BSD-3-Clause", "pictures"),
    Library("cycler", ">=0.10", 0.1, "BSD-3-Clause", "pictures"),
    Library("fonttools", ">=4.22", 5.5, "MIT", "pictures"),
    Library("kiwisolver", ">=1.3.1", 1.5, "BSD-3-Clause", "pictures"),
    Library("pyparsing", ">=2.3.1", 0.2, "MIT", "pictures"),
)


def missing_libraries() -> list[Library]:
    """Give the libraries of the table that this Python does not find."""
    return [library for library in LIBRARIES if not _is_there(library)]


def fetch_libraries(
    libraries: Sequence[Library], folder: Path, progress: ProgressCallback, cancel: Cancel
) -> list[Change]:
    """Fetch libraries and install them into a folder: all of them, or none.

    Args:
        libraries: what to fetch.
        folder: private folder of the worker; made where it is not there.
        progress: called before each download.
        cancel: looked at ten times a second.

    Raises:
        SetupError: "libraries.fetch" with pip's last line; "bundle.pip".
        PackageError: "bundle.wheel" when what came is damaged.
        Cancelled: nothing is installed then.
    """
    with tempfile.TemporaryDirectory() as name:
        aside = Path(name)
        for index, library in enumerate(libraries):
            progress(Progress(f"download {library.name}", index, len(libraries)))
            _download(library, aside, cancel)
        paths = sorted(aside.glob("*.whl"))
        wheels = [read_wheel(path) for path in paths]
        cancel.check()
        progress(Progress("install", len(libraries), len(libraries)))
        folder.mkdir(parents=True, exist_ok=True)
        if paths:
            install_wheels(paths, folder)
        return [_installed(wheel, path, folder) for wheel, path in zip(wheels, paths, strict=True)]


def _is_there(library: Library) -> bool:
    try:
        metadata.version(library.name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _download(library: Library, folder: Path, cancel: Cancel) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder), f"{library.name}{library.versions}"]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        except OSError as error:
            raise _failed(library, f"pip did not run ({type(error).__name__})") from error
        try:
            while process.poll() is None:
                cancel.check()
                time.sleep(_POLL_S)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        if process.returncode:
            said.seek(0)
            lines = [line for line in said.read().splitlines() if line.strip()]
            raise _failed(library, next((line for line in lines if line.startswith("ERROR")), "pip gave no reason"))


def _installed(wheel: Wheel, path: Path, folder: Path) -> Change:
    if broken_files(path, folder):
        raise PackageError("bundle.wheel", f"{wheel.name} was not installed whole.", "Install it again.")
    return Change(f"library {wheel.name}", wheel.version, "installed")


def _failed(library: Library, reason: str) -> SetupError:
    return SetupError(
        "libraries.fetch",
        f"{library.name} could not be fetched: {reason.removeprefix('ERROR: ')[:300]}",
        "Check the network and the proxy, or install an offline bundle.",
    )
