"""No orphan process and no temporary file, whichever side ends first and however."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from MedSegAILib.worker.client import WorkerClient
from Testing.component.worker.conftest import is_gone, pump, wait_until_gone
from Testing.fake_worker import FAKE_ENTRY

CHECKOUT = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

# A program that uses the worker: tells the worker's number, then polls on (or does what its last argument says).
PROGRAM = """
import json, os, sys, time
from pathlib import Path
from MedSegAILib.worker import private_folder
from MedSegAILib.worker.client import WorkerClient
from Testing.fake_worker import FAKE_ENTRY
from Testing.makers.phantoms import aligned_grid, make_case

place, task, ending = sys.argv[1:]
private_folder.MEMORY_PLACE = Path(place)
client = WorkerClient(entry=FAKE_ENTRY)
case = make_case(aligned_grid(4.0, 20), roles=("T1",))
job = client.segment_async(case, task)
while not (job.progress if task != "quick" else job.is_finished):
    client.poll(0.02)
print(json.dumps({"worker": client.worker_pid, "folders": os.listdir(place)}), flush=True)
if ending == "exit":
    sys.exit(0)
if ending == "raise":
    raise RuntimeError("the program fails")
while True:
    client.poll(0.02)
"""


def start_program(place: Path, task: str, ending: str) -> tuple[subprocess.Popen[bytes], psutil.Process, list[str]]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(place), task, ending],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    told = json.loads(program.stdout.readline())
    return program, psutil.Process(told["worker"]), told["folders"]


@posix
@pytest.mark.parametrize("task", ["quick", "friendly", "deaf"])
def test_the_worker_of_a_killed_program_leaves_and_cleans_up(place, task):
    program, worker, folders = start_program(place, task, "poll")
    assert len(folders) == (0 if task == "quick" else 1)
    program.kill()
    program.wait()
    program.stdout.close()
    wait_until_gone(worker, 3.0)
    assert not list(place.iterdir())


@pytest.mark.parametrize("task", ["friendly", "deaf"])
@pytest.mark.parametrize("ending", ["exit", "raise"])
def test_a_program_that_forgets_to_close_leaves_nothing(place, task, ending):
    program, worker, _ = start_program(place, task, ending)
    program.wait(timeout=60)
    program.stdout.close()
    assert is_gone(worker)
    assert not list(place.iterdir())


@pytest.mark.parametrize("task", ["friendly", "deaf"])
def test_close_ends_the_worker_in_the_middle_of_a_job_without_calling_back(place, small_case, task):
    client = WorkerClient(entry=FAKE_ENTRY)
    called = []
    job = client.segment_async(small_case, task)
    job.on_result, job.on_error = called.append, called.append
    pump(client, lambda: job.progress)
    worker = psutil.Process(client.worker_pid)
    started = time.monotonic()
    client.close()
    assert time.monotonic() - started < 3
    assert is_gone(worker)
    assert (job.state, called) == ("cancelled", [])
    assert not list(place.iterdir())


def test_a_client_that_is_forgotten_ends_its_worker(place, small_case):
    client = WorkerClient(entry=FAKE_ENTRY)
    client.segment(small_case, "quick")
    worker = psutil.Process(client.worker_pid)
    del client
    gc.collect()
    assert is_gone(worker)
