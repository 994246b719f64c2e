"""How the worker starts: greeting, versions, odd installations, and what its client costs to import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from MedSegAILib.core.errors import SetupError, WorkerError
from MedSegAILib.worker import client as client_module
from MedSegAILib.worker.client import WorkerClient
from Testing.component.worker.conftest import pump, run, wait_until_gone
from Testing.fake_worker import FAKE_ENTRY

CHECKOUT = Path(__file__).resolve().parents[3]
HEAVY = {"torch", "openvino", "scipy", "SimpleITK", "pydicom", "matplotlib", "monai", "psutil", "slicer", "vtk", "qt"}


@pytest.fixture
def started(place):
    clients = []

    def start(*flags, **arguments):
        clients.append(WorkerClient(entry=(*FAKE_ENTRY, *flags), **arguments))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
    assert not list(place.iterdir())


def test_unequal_versions_are_one_sentence_with_both(started, small_case):
    with pytest.raises(WorkerError) as caught:
        started("--other-version").segment(small_case, "quick")
    assert caught.value.code == "worker.version"
    assert "MedSegAI 9.9.9 (protocol 99)" in caught.value.message


def test_what_a_launcher_prints_before_the_greeting_is_log(started, small_case):
    client = started("--noisy-start")
    assert run(client, small_case, "quick").state == "done"
    assert client.log_lines()[0] == "a launcher says hello"


def test_a_library_that_is_missing_at_the_start_is_named(started, small_case):
    job = run(started("--no-library"), small_case, "quick")
    assert (type(job.error), job.error.code) == (SetupError, "setup.library")
    assert "no_such_library_of_ours is not installed" in job.error.message
    assert "ModuleNotFoundError" in job.error.details["log"][-1]


def test_a_broken_greeting_is_a_protocol_error(started, small_case):
    job = run(started("--garbage"), small_case, "quick")
    assert (type(job.error), job.error.code) == (WorkerError, "worker.protocol")


def test_a_worker_that_never_greets_is_given_up(started, small_case, monkeypatch):
    monkeypatch.setattr(client_module, "START_PATIENCE_S", 0.5)
    job = run(started("--mute"), small_case, "quick")
    assert (type(job.error), job.error.code) == (WorkerError, "worker.start")


def test_an_interpreter_that_is_not_there_is_named(started, small_case, tmp_path):
    job = run(started(python=tmp_path / "no python"), small_case, "quick")
    assert (type(job.error), job.error.code) == (SetupError, "setup.python")
    assert "no python" in job.error.message


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the launcher")
def test_with_a_launcher_in_between_signals_are_told_and_nothing_is_left(started, small_case, tmp_path):
    launcher = tmp_path / "Python Lançeur"
    launcher.write_text(f'#!/bin/sh\necho starting\n"{sys.executable}" "$@"\nexit $?\n')
    launcher.chmod(0o755)
    client = started(python=launcher)
    job = run(client, small_case, "killed")
    assert "signal 9" in job.error.message
    job = client.segment_async(small_case, "deaf")
    pump(client, lambda: job.progress)
    worker = psutil.Process(client.worker_pid)
    parent = worker.parent()
    assert parent.pid != os.getpid()
    job.cancel()
    pump(client, lambda: job.is_finished)
    wait_until_gone(worker, 2.0)
    wait_until_gone(parent, 2.0)


def test_the_private_folder_wins_over_what_the_interpreter_ships(started, small_case, tmp_path):
    site = tmp_path / "privé à moi"
    (site / "no_such_library_of_ours").mkdir(parents=True)
    (site / "no_such_library_of_ours" / "__init__.py").touch()
    (site / "no_such_library_of_ours" / "inner.py").touch()
    job = run(started(site=site), small_case, "missing")
    assert job.state == "done", job.error


def test_a_read_only_tree_with_blanks_and_accents_works_and_stays_as_it_was(place, tmp_path):
    root = tmp_path / "Programme é 脳" / "Slicer 5.10"
    ignore = shutil.ignore_patterns("__pycache__", "packages")
    shutil.copytree(CHECKOUT / "MedSegAILib", root / "MedSegAILib", ignore=ignore)
    shutil.copytree(CHECKOUT / "Testing" / "makers", root / "Testing" / "makers", ignore=ignore)
    shutil.copy(CHECKOUT / "Testing" / "fake_worker.py", root / "Testing")
    before = sorted(root.rglob("*"))
    for path in [*before, root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    program = (
        "from pathlib import Path\n"
        "import MedSegAILib\n"
        "from MedSegAILib.worker.client import WorkerClient\n"
        "from Testing.fake_worker import FAKE_ENTRY\n"
        "from Testing.makers.phantoms import aligned_grid, make_case\n"
        "with WorkerClient(entry=FAKE_ENTRY) as client:\n"
        "    result = client.segment(make_case(aligned_grid(4.0, 20)), 'quick')\n"
        "    print(MedSegAILib.__file__, sum(result.volumes_ml().values()) > 0)\n"
    )
    # A variable of this test only: the worker sets its own for its child.
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.stdout.split() == [*str(root / "MedSegAILib" / "__init__.py").split(), "True"], done.stderr
        assert sorted(root.rglob("*")) == before
    finally:
        for path in [*before, root]:
            path.chmod(0o755)


def test_the_client_loads_nothing_heavy():
    script = "import sys, MedSegAILib.worker.client; print(*sorted({n.split('.')[0] for n in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & HEAVY
    ours = "import sys, MedSegAILib.worker.client; print(*[n for n in sys.modules if n.startswith('MedSegAILib.')])"
    done = subprocess.run(
        [sys.executable, "-c", ours], cwd=CHECKOUT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    rings = {name.split(".")[1] for name in done.stdout.split()}
    assert rings == {"core", "worker", "version"}
    assert "MedSegAILib.worker.server" not in done.stdout


def test_the_server_greets_before_numpy_is_loaded():
    script = "import sys, MedSegAILib.worker.server; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == "False"
