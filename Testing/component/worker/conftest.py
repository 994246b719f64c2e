"""Clients of the fake server, and the memory place moved to a path with blanks and accents that only the test sees."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.worker import private_folder
from MedSegAILib.worker.client import Job, WorkerClient
from Testing.fake_worker import FAKE_ENTRY
from Testing.makers.phantoms import aligned_grid, make_case

LONGEST_S = 120.0  # for what is no promised figure; a busy machine may take long to start a process


def pump(client: WorkerClient, until: Callable[[], object], longest_s: float = LONGEST_S) -> float:
    """Poll as a window's timer does until something is so; give the seconds it took."""
    started = time.monotonic()
    while not until():
        if time.monotonic() - started > longest_s:
            raise TimeoutError(f"not within {longest_s} s; the worker's log: {client.log_lines()}")
        client.poll()
        time.sleep(0.01)
    return time.monotonic() - started


def run(client: WorkerClient, case: Case, task: str) -> Job:
    """Run a job to its end."""
    job = client.segment_async(case, task)
    pump(client, lambda: job.is_finished)
    return job


def is_gone(process: psutil.Process) -> bool:
    """Tell whether a process has ended; an orphan's end may wait long for the first process to take note of it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(process: psutil.Process, longest_s: float) -> None:
    """Wait for the end of a process.

    Raises:
        TimeoutError: when it lives on.
    """
    deadline_s = time.monotonic() + longest_s
    while not is_gone(process):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"process {process.pid} lives on after {longest_s} s")
        time.sleep(0.02)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Where the folders of jobs lie during the test."""
    folder = tmp_path / "mémoire partagée 脳"
    folder.mkdir()
    monkeypatch.setattr(private_folder, "MEMORY_PLACE", folder)
    return folder


@pytest.fixture
def small_case() -> Case:
    """Two sequences on a grid of 20 voxels a side."""
    return make_case(aligned_grid(4.0, 20), roles=("T1", "FLAIR"), name="small")


@pytest.fixture
def client(place) -> Iterator[WorkerClient]:
    with WorkerClient(entry=FAKE_ENTRY) as client:
        yield client
    assert not list(place.iterdir()), "a temporary folder was left"
