"""A fresh private folder for the arrays of one job, in memory where there is room, gone afterwards.

What lies in it is ``transfer``'s business. Ring 7 (worker).

The client makes the folder and removes it. When the client is killed, the server removes it; when both are killed,
the next job on this machine does, told by the lock that died with its owner.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from MedSegAILib.core.errors import ResourceError

PREFIX = "medsegai-job-"
MEMORY_PLACE = Path("/dev/shm")
# Left free in memory, for everything else that lives there.
MEMORY_MARGIN_BYTES = 64 * 2**20
_OWNER = "owner"
# A younger folder may be one whose owner has not locked it yet.
_SWEEP_AGE_S = 60.0


class PrivateFolder:
    """A folder that only this user can open (0700), locked by this process as long as it lives."""

    def __init__(self, path: Path, lock: IO[bytes]) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def make(cls, needed_bytes: int, place: Path | None = None) -> PrivateFolder:
        """Make a fresh folder.

        Args:
            needed_bytes: what will be written into it, at most.
            place: parent folder; None is ``/dev/shm`` when it has room, else the folder for temporary files.

        Raises:
            ResourceError: "worker.folder" when none can be made.
        """
        parent = place or choose_place(needed_bytes)
        sweep(parent)
        try:
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            lock = (path / _OWNER).open("wb")
        except OSError as error:
            raise ResourceError(
                "worker.folder",
                f"No folder for temporary files can be made ({error.strerror}).",
                "Free disk space, or point TMPDIR to a folder you may write to.",
            ) from error
        try_lock(lock)
        return cls(path, lock)

    def remove(self) -> None:
        """Remove the folder with all it holds; a second call does nothing."""
        self._lock.close()
        remove_tree(self.path)


def choose_place(needed_bytes: int) -> Path:
    """Give the parent folder: memory when it has room for so many bytes, else the folder for temporary files."""
    if os.access(MEMORY_PLACE, os.W_OK | os.X_OK):
        free_bytes = shutil.disk_usage(MEMORY_PLACE).free
        if free_bytes > needed_bytes + MEMORY_MARGIN_BYTES:
            return MEMORY_PLACE
    return Path(tempfile.gettempdir())


def remove_tree(path: Path) -> None:
    """Remove a job's folder and nothing else; what Windows still holds open stays for the system to clean."""
    if path.name.startswith(PREFIX):
        shutil.rmtree(path, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove the folders of owners that died before they could (POSIX only: elsewhere the system cleans)."""
    if sys.platform == "win32":
        return
    for path in parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            state = path.stat()
            if state.st_uid != os.getuid() or time.time() - state.st_mtime < _SWEEP_AGE_S:
                continue
            with (path / _OWNER).open("rb") as lock:
                if try_lock(lock):
                    remove_tree(path)


def try_lock(lock: IO[bytes]) -> bool:
    """Take the lock of a folder without waiting; the system gives it back when its owner dies, however it dies."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
