"""The same batch on a Dask scheduler with two worker processes; a worker that is killed loses and doubles nothing."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from MedSegAILib.batch.cluster import DaskCrew
from MedSegAILib.core.errors import UsageError
from Testing.makers.shell import CHECKOUT, environment
from Testing.makers.study_roots import CORRUPT, STUDIES, count_of, table, what_stands

LIMIT_S = 120.0


class LocalCluster:
    """A scheduler and workers as an administrator starts them, each a process of its own."""

    def __init__(self, folder):
        self.file = folder / "scheduler.json"
        self._folder = folder
        self._processes = [self._start("dask_scheduler", "--port", "0", "--scheduler-file", self.file)]
        self.workers = [self.add_worker(), self.add_worker()]

    def add_worker(self):
        return self._start("dask_worker", "--scheduler-file", self.file, "--nthreads", "1", "--no-nanny",
                           "--preload", "Testing.fake_batch_work", "--local-directory", self._folder)  # fmt: skip

    def _start(self, program, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{program}", *map(str, arguments), "--no-dashboard"]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--host", "127.0.0.1"],
                cwd=CHECKOUT,
                env={**environment(), "FAKE_BATCH_SECONDS": "0.4"},
                stdout=log,
                stderr=log,
            )
        if hasattr(self, "_processes"):
            self._processes.append(process)
        return process

    def close(self):
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    with contextlib.closing(LocalCluster(tmp_path)) as started:
        yield started


def test_killed_worker_loses_and_doubles_no_study(cluster, root, undisturbed, tiny_package, tmp_path):
    output = tmp_path / "out"
    client = subprocess.Popen(
        [sys.executable, "-m", "Testing.batch_driver", str(root), str(output), str(tiny_package), str(cluster.file)],
        cwd=CHECKOUT,
        env=environment(),
    )
    until_s = time.monotonic() + LIMIT_S
    while sum(count_of(output, "done").values()) < 2:
        assert time.monotonic() < until_s
        assert client.poll() is None
        time.sleep(0.02)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    cluster.add_worker()
    assert client.wait(LIMIT_S) == 0
    assert set(count_of(output, "done").values()) == {1}
    assert len(table(output / "results.csv")) == STUDIES - 1
    assert [line["study"] for line in table(output / "failed.csv")] == [f"case-{CORRUPT:03d}"]
    assert what_stands(output) == what_stands(undisturbed)


def test_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("MedSegAILib.batch.cluster.CONNECT_S", 0.3)
    with pytest.raises(UsageError) as caught:
        DaskCrew("tcp://127.0.0.1:9")
    assert caught.value.code == "batch.cluster"
