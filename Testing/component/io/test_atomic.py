"""Sets of files are written whole or not at all: full disk, read-only folder, crash in between."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.io.atomic import write_file, write_files

OLD = {"a.txt": b"old a", "b.bin": b"old b"}
NEW = {"a.txt": b"new a", "b.bin": b"n" * 300_000, "c.txt": b"new c"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_folder_is_made_and_files_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "Größe 標本 (1)" / "deep"
    write_files(folder, OLD)
    paths = write_files(folder, NEW)
    assert paths == {name: folder / name for name in NEW}
    assert contents(folder) == NEW
    assert len(list(folder.iterdir())) == 3


@pytest.fixture
def small_files() -> Iterator[None]:
    """Let no file of this process grow beyond 100 kB, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files")
def test_disk_that_fills_up_leaves_the_earlier_files(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    with pytest.raises(ResourceError) as caught:
        write_files(tmp_path, NEW)
    assert caught.value.code == "output.disk_full"
    assert "0.3 MB are needed" in caught.value.message
    assert caught.value.details["needed_bytes"] == 300_010
    assert contents(tmp_path) == OLD
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("small_files")
def test_new_folder_is_taken_away_again_when_the_disk_is_full(tmp_path: Path) -> None:
    with pytest.raises(ResourceError):
        write_files(tmp_path / "new" / "deep", NEW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root on Linux can mount")
def test_really_full_disk_is_told_with_its_free_room(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(tmp_path)], check=False, timeout=30
    )
    if mounted.returncode != 0:
        pytest.skip("test_really_full_disk: this machine does not allow a mount")
    try:
        write_files(tmp_path, OLD)
        with pytest.raises(ResourceError) as caught:
            write_files(tmp_path, NEW)
        assert caught.value.code == "output.disk_full"
        assert 0 < caught.value.details["free_bytes"] < 200_000
        assert contents(tmp_path) == OLD
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True, timeout=30)


def test_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/1/medsegai"), tmp_path / ("x" * 300)):
        with pytest.raises(ResourceError) as caught:
            write_files(folder, NEW)
        assert caught.value.code == "output.not_writable"
        assert caught.value.hint


def test_read_only_folder_is_told(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may write everywhere; "nobody" may not
    try:
        with pytest.raises(ResourceError) as caught:
            write_files(tmp_path, NEW)
    finally:
        os.seteuid(user)
    assert caught.value.code == "output.not_writable"
    assert contents(tmp_path) == OLD


def test_folder_in_the_place_of_a_file_is_refused_before_any_is_replaced(tmp_path: Path) -> None:
    write_files(tmp_path, OLD)
    (tmp_path / "c.txt").mkdir()
    with pytest.raises(ResourceError) as caught:
        write_files(tmp_path, NEW)
    assert caught.value.code == "output.not_writable"
    assert contents(tmp_path) == OLD


def test_crash_while_writing_leaves_the_earlier_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, OLD)
    calls: list[int] = []

    def fails_at_the_third(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", fails_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_files(tmp_path, NEW)
    assert contents(tmp_path) == OLD
    assert len(list(tmp_path.iterdir())) == 2


def test_other_faults_of_the_system_keep_their_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(ResourceError) as caught:
        write_file(tmp_path / "a", b"x")
    assert caught.value.code == "output.not_writable"
    assert os.strerror(errno.EIO) in caught.value.message
