"""The folder of a job: private, in memory when there is room, gone afterwards, swept when both sides died."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.worker import private_folder
from MedSegAILib.worker.private_folder import PREFIX, PrivateFolder, choose_place, remove_tree, sweep

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and locks of POSIX")


def make_old(path: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))


@posix
def test_only_the_user_can_open_it(tmp_path):
    folder = PrivateFolder.make(0, tmp_path)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.remove()


def test_it_goes_with_all_it_holds_and_may_be_removed_twice(tmp_path):
    folder = PrivateFolder.make(0, tmp_path)
    (folder.path / "a.raw").write_bytes(b"1234")
    folder.remove()
    folder.remove()
    assert not os.listdir(tmp_path)


def test_no_other_folder_is_ever_removed(tmp_path):
    (tmp_path / "study").mkdir()
    remove_tree(tmp_path / "study")
    assert (tmp_path / "study").is_dir()


def test_what_does_not_fit_in_memory_goes_to_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(private_folder, "MEMORY_PLACE", tmp_path)
    free_bytes = shutil.disk_usage(tmp_path).free
    assert choose_place(1000) == tmp_path
    assert choose_place(2 * free_bytes) == Path(tempfile.gettempdir())
    monkeypatch.setattr(private_folder, "MEMORY_PLACE", tmp_path / "none")
    assert choose_place(1000) == Path(tempfile.gettempdir())


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError) as caught:
        PrivateFolder.make(0, tmp_path / "file")
    assert caught.value.code == "worker.folder"


@posix
def test_the_folder_of_a_killed_owner_is_swept(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from MedSegAILib.worker.private_folder import PrivateFolder;"
        "f = PrivateFolder.make(0, Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    (left,) = tmp_path.glob(PREFIX + "*")
    sweep(tmp_path)
    assert left.is_dir(), "a young folder may not be locked yet"
    make_old(left)
    sweep(tmp_path)
    assert not left.exists()


@posix
def test_the_folder_of_a_living_owner_stays(tmp_path):
    folder = PrivateFolder.make(0, tmp_path)
    make_old(folder.path)
    sweep(tmp_path)
    assert folder.path.is_dir()
    folder.remove()
