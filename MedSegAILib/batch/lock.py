"""One batch at a time in one output folder; the system lets go of the lock however the process ends. Ring 6 (batch)."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from types import TracebackType

from MedSegAILib.core.errors import ResourceError, UsageError


class FolderLock:
    """Holds a lock file while it is open; a context manager.

    Args:
        path: of the lock file; its folder is there.

    Raises:
        UsageError: "batch.locked" when another batch holds it.
        ResourceError: "output.not_writable".
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ResourceError(
                "output.not_writable",
                f"Nothing can be written to {path.parent.parent} ({error.strerror}).",
                "Give a folder in which you may write.",
            ) from error
        if not _try_lock(self._file):
            holder = os.read(self._file, 200).decode(errors="replace").strip() or "another process"
            os.close(self._file)
            raise UsageError(
                "batch.locked",
                f"Another batch is at work in this output folder ({holder}).",
                "Wait for its end, stop it, or give another output folder.",
            )
        os.ftruncate(self._file, 0)
        os.write(self._file, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let go; the file stays, so that nobody locks a file that is about to vanish."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _try_lock(file: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        # Far behind the text, which others must be able to read: locked bytes are closed to them on Windows.
        os.lseek(file, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
