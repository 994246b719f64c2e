"""The ledger of a batch: what was begun, done and failed, one line each, never changed afterwards. Ring 6 (batch).

A line counts when it ends with a line feed and its checksum fits; a stop in the middle of a write leaves at most one
line that does not, and the next opening cuts it off. Only the process that holds the lock of the folder writes here.
"""

from __future__ import annotations

import errno
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.io.atomic import is_full

LEDGER_FILE = "ledger.jsonl"
FORMAT = 1
# Events of a study; "begun" alone says nothing of an outcome.
BEGUN, DONE, FAILED = "begun", "done", "failed"


@dataclass(frozen=True)
class Entry:
    """The last outcome of a study.

    Args:
        event: "done" or "failed".
        study: its id.
        facts: the record of the study when done; ``error``, ``key`` and ``stamps`` when failed.
    """

    event: str
    study: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Ledger:
    """The ledger of one output folder, open for appending.

    Args:
        path: of the file; made when it is not there, its folder is.

    Raises:
        ResourceError: "output.not_writable", "output.disk_full".
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        whole = _whole_bytes(path)
        try:
            self._file = path.open("ab", buffering=0)
            self._file.truncate(whole)
        except OSError as error:
            raise _unwritable(path, error) from error

    def close(self) -> None:
        """Close the file; nothing is pending, every line was flushed."""
        self._file.close()

    def append(self, event: str, study: str, **facts: Any) -> None:
        """Write one line and wait until it is on the disk.

        Raises:
            ResourceError: "output.disk_full", "output.not_writable"; the ledger then ends with its last whole line.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        text = json.dumps(
            {"format": FORMAT, "event": event, "study": study, "at": now, **facts}, sort_keys=True, ensure_ascii=False
        )
        content = text.encode()
        line = b"%08x %s\n" % (zlib.crc32(content), content)
        before = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(before)
            raise _unwritable(self._path, error) from error

    def outcomes(self) -> dict[str, Entry]:
        """Give by study its last outcome; a study that was only begun is not in it."""
        return {entry.study: entry for entry in read_entries(self._path) if entry.event in (DONE, FAILED)}


def read_entries(path: Path) -> Iterator[Entry]:
    """Give all whole lines of a ledger, oldest first; none when there is no file. One line is in memory at a time."""
    for line in _whole_lines(path):
        data = json.loads(line)
        yield Entry(str(data.pop("event")), str(data.pop("study")), data)


def _whole_lines(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:
            checksum, _, content = line.rstrip(b"\n").partition(b" ")
            if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(content):
                return
            yield content


def _whole_bytes(path: Path) -> int:
    return sum(len(content) + 10 for content in _whole_lines(path))  # 8 digits, blank, line feed


def _unwritable(path: Path, error: OSError) -> ResourceError:
    if is_full(error):
        return ResourceError(
            "output.disk_full",
            f"The disk is full: {path.name} cannot grow.",
            "Make room, then run the same command again; it goes on where it stopped.",
        )
    return ResourceError(
        "output.not_writable",
        f"{path.name} cannot be written ({error.strerror or type(error).__name__}).",
        "Give a folder in which you may write.",
    )
