"""Files that are written whole or not at all, alone or as a set. Ring 1 (io).

Everything is written into a hidden folder beside the targets and flushed to the disk; only then each file is renamed
into its place. A full disk or a crash before that leaves the earlier files as they were.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from MedSegAILib.core.errors import ResourceError

TEMPORARY_PREFIX = ".medsegai-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BYTES_PER_MB = 1_000_000


def write_files(folder: Path, contents: Mapping[str, bytes]) -> dict[str, Path]:
    """Write a set of files into a folder, which is made when it is not there.

    Args:
        folder: target folder.
        contents: file name -> bytes; existing files of these names are replaced.

    Returns:
        File name -> path.

    Raises:
        ResourceError: "output.disk_full" with the MB that are free and needed; "output.not_writable" with the
            system's reason. Files that were there before are untouched then.
    """
    needed = sum(len(content) for content in contents.values())
    made = _missing_folders(folder)
    with _told_plainly(folder, needed):
        try:
            _write_files(folder, contents, needed)
        except BaseException:
            for empty in made:
                if empty.is_dir() and not any(empty.iterdir()):
                    empty.rmdir()
            raise
    return {name: folder / name for name in contents}


def write_file(path: Path, content: bytes) -> Path:
    """Write one file; errors as :func:`write_files`."""
    return write_files(path.parent, {path.name: content})[path.name]


def _write_files(folder: Path, contents: Mapping[str, bytes], needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=TEMPORARY_PREFIX) as name:
        # Asked before a byte is written: a disk that is nearly full is told of without filling it.
        if shutil.disk_usage(name).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        for file_name, content in contents.items():
            if (folder / file_name).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file_name)
            with (Path(name) / file_name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for file_name in contents:
            (Path(name) / file_name).replace(folder / file_name)


def _missing_folders(folder: Path) -> list[Path]:
    """Give the folders that have to be made, innermost first."""
    return [place for place in (folder, *folder.parents) if not os.path.exists(place)]


@contextmanager
def _told_plainly(folder: Path, needed: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = folder.name or str(folder)
        if error.errno in _FULL:
            free = _free_bytes(folder)
            raise ResourceError(
                "output.disk_full",
                f"The disk is full: {free / BYTES_PER_MB:.1f} MB are free for {place},"
                f" {needed / BYTES_PER_MB:.1f} MB are needed.",
                "Make room or choose another folder, then run again.",
                free_bytes=free,
                needed_bytes=needed,
            ) from error
        raise ResourceError(
            "output.not_writable",
            f"Nothing can be written to {place} ({error.strerror or type(error).__name__}).",
            "Choose a folder in which you may write.",
        ) from error


def _free_bytes(folder: Path) -> int:
    place = next((parent for parent in (folder, *folder.absolute().parents) if os.path.exists(parent)), folder)
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return 0
