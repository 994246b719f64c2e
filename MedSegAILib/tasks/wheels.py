"""Wheels of an offline bundle: what they say of themselves, installed without network, checked file by file.

pip is asked with ``--no-index``: what is not in the given folder is not installed. Ring 3; standard library only.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from MedSegAILib.core.errors import PackageError, SetupError

PIP_LIMIT_S = 1800
_NOT_STATED = "not stated"


@dataclass(frozen=True)
class Wheel:
    """A wheel as its metadata tells it: file name, distribution, version, license."""

    file: str
    name: str
    version: str
    license: str


def read_wheel(path: Path) -> Wheel:
    """Read name, version and license of a wheel.

    Raises:
        PackageError: "bundle.wheel" when it is no sound wheel.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            place = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            headers = HeaderParser().parsestr(archive.read(place).decode("utf-8", "replace"))
            damaged = archive.testzip()
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise _refused(path) from error
    if damaged or not headers["Name"]:
        raise _refused(path)
    classified = [
        text.rpartition(" :: ")[2] for text in headers.get_all("Classifier", []) if text.startswith("License")
    ]
    told = headers["License-Expression"] or ", ".join(classified) or headers["License"] or _NOT_STATED
    return Wheel(path.name, headers["Name"], headers["Version"] or "", told.strip().splitlines()[0][:200])


def install_wheels(wheels: Sequence[Path], folder: Path) -> None:
    """Install wheels into a folder, without network and without asking for others.

    Raises:
        SetupError: "bundle.pip" with pip's last line.
    """
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-input", "--upgrade", "--quiet"]
    command += ["--disable-pip-version-check", "--target", str(folder), *map(str, wheels)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PIP_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError("bundle.pip", f"pip did not run ({type(error).__name__}).", "Run it by hand.") from error
    if done.returncode:
        last = next(reversed(done.stderr.strip().splitlines()), "no message")
        raise SetupError(
            "bundle.pip",
            f"pip could not install the libraries: {last[:300]}",
            "Make the bundle with wheels for this system and this Python.",
        )


def broken_files(wheel: Path, folder: Path) -> list[str]:
    """Name the files of an installed wheel that are missing or differ from what the wheel holds.

    Args:
        wheel: the wheel; its own RECORD says what belongs to it.
        folder: that it was installed into.
    """
    with zipfile.ZipFile(wheel) as archive:
        place = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        rows = list(csv.reader(io.StringIO(archive.read(place).decode())))
    broken = []
    for name, wanted, *_ in rows:
        # Scripts and data move when they are installed; what is imported stays where the wheel has it.
        if not wanted or ".data/" in name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            continue
        path = folder / name
        if not path.is_file() or _digest(path, wanted.partition("=")[0]) != wanted:
            broken.append(name)
    return broken


def _digest(path: Path, algorithm: str) -> str:
    """Give a file's checksum as RECORD writes it (PEP 376: base64 without padding)."""
    found = hashlib.new(algorithm, path.read_bytes()).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(found).rstrip(b'=').decode()}"


def _refused(path: Path) -> PackageError:
    return PackageError("bundle.wheel", f"{path.name} is no sound wheel.", "Copy it again from where it came from.")
