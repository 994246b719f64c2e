"""Processes of this machine that compute studies; one that dies is replaced. Ring 6 (batch).

A crash, or the system killing a process that took too much memory, costs one study at most: it is tried once more, then
noted as failed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from MedSegAILib.core.run import Progress

from .crew import News, died
from .study_run import StudyJob, failure_of

ENTRY = ("-m", "MedSegAILib.batch.process")
LIBRARY_ROOT = Path(__file__).resolve().parents[2]
STARTS_PER_STUDY = 2
CLOSE_PATIENCE_S = 2.0
_TAIL_BYTES = 4000


class LocalCrew:
    """A fixed number of processes, each with one study at a time.

    Args:
        workers: how many.
        log: file for what they print; made anew.
        entry: arguments for the interpreter; tests put a fake there.
    """

    def __init__(self, workers: int, log: Path, entry: Sequence[str] = ENTRY) -> None:
        self.capacity = workers
        self._log = log
        self._log.write_bytes(b"")
        self._heard: queue.SimpleQueue[tuple[_Child, bytes]] = queue.SimpleQueue()
        self._children = [_Child((*entry, f"{number}/{workers}"), log, self._heard) for number in range(workers)]
        self._waiting: deque[StudyJob] = deque()
        self._starts: dict[str, int] = {}

    def submit(self, job: StudyJob) -> None:
        """Hand a study over; see ``Crew.submit``."""
        self._waiting.append(job)
        self._hand_out()

    def wait(self, timeout_s: float) -> list[News]:
        """Give what was heard; see ``Crew.wait``."""
        news: list[News] = []
        try:
            child, line = self._heard.get(timeout=timeout_s)
            while True:
                heard = self._hear(child, line)
                if heard is not None:
                    news.append(heard)
                child, line = self._heard.get_nowait()
        except queue.Empty:
            pass
        self._hand_out()
        return news

    def close(self) -> None:
        """End all processes; see ``Crew.close``."""
        for child in self._children:
            child.stop()

    def _hand_out(self) -> None:
        for child in self._children:
            if child.job is None and self._waiting:
                job = self._waiting.popleft()
                self._starts[job.study] = self._starts.get(job.study, 0) + 1
                child.take(job)

    def _hear(self, child: _Child, line: bytes) -> News | None:
        if not line:
            return self._lost(child)
        message: dict[str, Any] = json.loads(line)
        study = str(message["study"])
        if "outcome" in message:
            child.job = None
            self._starts.pop(study, None)
            return News(study, outcome=message["outcome"])
        stage, done, total = message["progress"]
        return News(study, progress=Progress(str(stage), int(done), int(total)))

    def _lost(self, child: _Child) -> News | None:
        """Note that a process has ended; a new one starts with the next study."""
        code, job = child.bury()
        if job is None:
            return None
        if code < 0 and self._starts[job.study] < STARTS_PER_STUDY:
            self._waiting.appendleft(job)
            return None
        self._starts.pop(job.study, None)
        return News(job.study, outcome=failure_of(job, died(_how(code, self._log))))


class _Child:
    """One process and the study it has."""

    def __init__(self, arguments: Sequence[str], log: Path, heard: queue.SimpleQueue[tuple[_Child, bytes]]) -> None:
        self.job: StudyJob | None = None
        self._arguments, self._log, self._heard = tuple(arguments), log, heard
        self._process: subprocess.Popen[bytes] | None = None

    def take(self, job: StudyJob) -> None:
        self.job = job
        if self._process is None:
            self._start()
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.write(json.dumps(job.to_json()).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # its end is heard of next

    def bury(self) -> tuple[int, StudyJob | None]:
        """Give its exit code and the study it had."""
        process, self._process = self._process, None
        job, self.job = self.job, None
        if process is None:
            return 0, job
        if process.stdin is not None:
            process.stdin.close()
        return process.wait(), job

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # it leaves when its input ends
        try:
            process.wait(CLOSE_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        paths = [str(LIBRARY_ROOT), *filter(None, [os.environ.get("PYTHONPATH", "")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        output = self._process.stdout
        if output is not None:
            threading.Thread(target=self._listen, args=(output,), name="MedSegAI batch", daemon=True).start()

    def _listen(self, output: IO[bytes]) -> None:
        for line in output:
            if line.endswith(b"\n"):
                self._heard.put((self, line))
        output.close()
        self._heard.put((self, b""))


def _how(code: int, log: Path) -> str:
    """Say how a process ended, from its exit code and the last line of its log."""
    if code < 0:
        name = signal.Signals(-code).name if -code in {entry.value for entry in signal.Signals} else str(-code)
        short = ", most often because memory ran out" if name == "SIGKILL" else ""
        return f"the system stopped it ({name}{short})"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").strip().splitlines()
    # Only the kind of a foreign error: its text may hold a name.
    kind = lines[-1].partition(":")[0] if lines else ""
    return f"a defect of ours, {kind}" if kind.isidentifier() or "." in kind else f"exit code {code}"
