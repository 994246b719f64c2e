"""Files that are written whole or not at all, alone or as a set. Ring 1 (io).

Everything is written into a hidden folder beside the targets and flushed to the disk; only then each file is renamed
into its place. A full disk or a crash before that leaves the earlier files as they were.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
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


def write_stream(path: Path, pieces: Iterable[bytes]) -> Path:
    """Write one file from pieces that come one after the other; errors as :func:`write_files`."""
    with _told_plainly(path.parent, 0), tempfile.TemporaryDirectory(dir=path.parent, prefix=TEMPORARY_PREFIX) as name:
        draft = Path(name) / path.name
        with draft.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return path


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> bool:
    """Write a new folder with files: it is there with all of them, or not at all; a stop at any moment leaves no half.

    Args:
        folder: target; must not be there. Its parent is made.
        contents: file name -> bytes.

    Returns:
        False when somebody else put the folder there meanwhile; theirs stays.

    Raises:
        ResourceError: as :func:`write_files`.
    """
    needed = sum(len(content) for content in contents.values())
    with _told_plainly(folder, needed):
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=TEMPORARY_PREFIX))
        try:
            if shutil.disk_usage(draft).free < needed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            for name, content in contents.items():
                _write_through(draft / name, content)
            draft.chmod(0o755)  # mkdtemp keeps everybody else out
            return _put(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def is_full(error: OSError) -> bool:
    """Tell whether a system error says that there is no room left."""
    return error.errno in _FULL


def _put(draft: Path, folder: Path) -> bool:
    try:
        draft.rename(folder)
    except OSError as error:
        # POSIX: ENOTEMPTY or EEXIST for a folder with files; Windows: EEXIST or EACCES.
        if folder.is_dir() and any(folder.iterdir()):
            return False
        raise error
    if os.name == "posix":  # the rename itself must survive a power cut
        handle = os.open(folder.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return True


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _write_files(folder: Path, contents: Mapping[str, bytes], needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=TEMPORARY_PREFIX) as name:
        # Asked before a byte is written: a disk that is nearly full is told of without filling it.
        if shutil.disk_usage(name).free < needed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        for file_name, content in contents.items():
            if (folder / file_name).is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file_name)
            _write_through(Path(name) / file_name, content)
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
        if is_full(error):
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
