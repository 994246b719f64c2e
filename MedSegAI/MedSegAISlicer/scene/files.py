"""Files written whole or not at all, for what the scene exports itself. Ring 9 (scene); no Qt, no MRML."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from MedSegAILib.core.errors import ResourceError


def writeText(path: Path, text: str) -> Path:
    """Write a text file, UTF-8, whole or not at all.

    Raises:
        ResourceError: "output.not_writable".
    """
    return writeWhole(path, lambda aside: _write(aside, text))


def writeWhole(path: Path, write: Callable[[Path], bool]) -> Path:
    """Let something write a file aside, then put it in its place.

    Args:
        path: the file; what is there is replaced once the new one is whole.
        write: writes to the path that it is given (same ending, as Slicer chooses the format by it); gives
            whether it could.

    Raises:
        ResourceError: "output.not_writable" with the name of the file; nothing is left behind.
    """
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if write(aside):
            os.replace(aside, path)
            return path
        reason = "Slicer could not write it"
    except OSError as error:
        reason = error.strerror or type(error).__name__
    with contextlib.suppress(OSError):
        aside.unlink()
    raise ResourceError(
        "output.not_writable",
        f"{path.name} could not be written ({reason}).",
        "Choose another folder, or free disk space, and export again.",
    )


def _write(path: Path, text: str) -> bool:
    path.write_text(text, encoding="utf-8", newline="")
    return True
