"""DICOM folder or file to a volume. Ring 1 (io)."""

from __future__ import annotations

from pathlib import Path

from .headers import ReadVolume


def can_read(path: Path, start: bytes) -> bool:
    """Tell whether this is a DICOM file or a folder."""
    return path.is_dir() or start[128:132] == b"DICM"


def read(path: Path) -> ReadVolume:
    """Read it."""
    raise NotImplementedError
