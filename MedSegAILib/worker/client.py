"""The worker as everyone else sees it: jobs go in, callbacks come out, the process behind it may die.

No thread of ours ever calls back: everything happens inside :meth:`WorkerClient.poll`, in the thread that calls it (a
timer of the window, or the blocking :meth:`WorkerClient.segment`, which is the same loop). Imports ``core``, numpy and
the standard library only; the computing is ``server``'s. Ring 7 (worker).
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import Cancelled, MedSegAIError, UsageError, WorkerError
from MedSegAILib.core.result import Result
from MedSegAILib.core.run import Cancel, ProgressCallback, RunOptions, ignore_progress

from .bootstrap import SERVER_ENTRY, plan_launch
from .heard import outcome_of, understand
from .held import Held
from .job import Job
from .post_mortem import SHOWN_LINES, explain
from .private_folder import PrivateFolder
from .process import Ended, WorkerProcess
from .protocol import Ask, CancelJob, Hello, Progressed, Provisional, Segment, Taken
from .transfer import Writing, needed_bytes, read_result, writing_case

# Idle within 2 s of a cancel is promised; the worker has this long to confirm, the rest is for killing it.
CANCEL_PATIENCE_S = 1.5
# It greets before it loads anything heavy; a virus scanner on a cold disk is the slowest start seen.
START_PATIENCE_S = 60.0
# An embedded Python gives its threads time only while the main thread waits; without this they would starve.
YIELD_S = 0.002
# The longest that one poll keeps calling back, so that a chatty worker cannot freeze a window.
_DISPATCH_S = 0.1
_BLOCKING_WAIT_S = 0.05
# The longest that one poll keeps writing voxels; 143 MB (four scans of 240 x 240 x 155) take some five polls.
_WRITING_S = 0.015

__all__ = ["Job", "WorkerClient"]

Outcome = TypeVar("Outcome")


class WorkerClient:
    """Runs jobs in a worker process, one at a time, in the order in which they were asked for.

    The process starts with the first job and stays for the next ones; when it dies, the job fails with a reason and
    the next job starts a new one. All methods belong to one thread.

    Args:
        python: interpreter of the worker; None is this one's (in Slicer the one that Slicer ships).
        packages: further folders in which the worker looks for packages.
        site: private package folder of the worker; see ``bootstrap``.
        entry: arguments for the interpreter; tests put a fake server here.
        environment: environment to start from; None is this process's own.
    """

    def __init__(
        self,
        python: Path | None = None,
        packages: Sequence[Path] = (),
        *,
        site: Path | None = None,
        entry: Sequence[str] = SERVER_ENTRY,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.packages = tuple(Path(folder) for folder in packages)
        self._python, self._site, self._entry, self._environment = python, site, tuple(entry), environment
        self._held = Held()
        self._release = weakref.finalize(self, self._held.release)
        self._queue: deque[Job[Any]] = deque()
        self._current: Job[Any] | None = None
        self._is_sent = self._is_taken = False
        self._worker_pid = 0
        self._deadline_s = 0.0
        self._log_start = 0
        self._count = 0

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def is_busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._current is not None or bool(self._queue)

    @property
    def worker_pid(self) -> int:
        """Process id of the worker once it has greeted, else 0."""
        return self._worker_pid

    def log_lines(self) -> list[str]:
        """Give the last lines of the worker's log, oldest first; empty without a worker."""
        return self._held.process.log_lines() if self._held.process else []

    def start(self) -> None:
        """Start the worker now, so that the first job need not wait for it; does nothing when it runs.

        Raises:
            SetupError: "setup.python" when its interpreter is missing or does not start.
        """
        if self._held.process is None:
            self._held.process = WorkerProcess(plan_launch(self._python, self._site, self._entry, self._environment))
            self._worker_pid = 0
            self._deadline_s = time.monotonic() + START_PATIENCE_S

    def segment_async(
        self,
        case: Case,
        task: str = "brain-tumor",
        options: RunOptions | None = None,
        *,
        first_look: bool = False,
        still: Callable[[], None] | None = None,
    ) -> Job[Result]:
        """Ask for a run and come back at once; every failure comes by ``on_error``.

        Args:
            case: inputs by role.
            task: name of the task.
            options: None takes the defaults.
            first_look: also ask for a coarse result, which comes first, by ``on_provisional``.
            still: None writes the voxels out here, so that the caller may change its arrays afterwards. Else they are
                written in the polls that follow, some milliseconds in each, and this is called before each portion is
                read: the error that it raises, when the arrays have changed, is the job's.

        Raises:
            UsageError: "worker.closed" after :meth:`close`.
        """
        options = options or RunOptions()
        packages = tuple(str(root.absolute()) for root in self.packages)

        def request(number: int, folder: Path) -> Writing[Segment]:
            message = yield from writing_case(case, folder, still)
            return Segment(number, task, packages, options.to_json(), str(folder), message, first_look)

        return self._enqueue(task, needed_bytes(case, options), request, read_result, at_once=still is None)

    def ask_async(
        self,
        verb: str,
        write: Callable[[Path], dict[str, Any]],
        read: Callable[[dict[str, Any], Path], Outcome],
        needed: int = 0,
    ) -> Job[Outcome]:
        """Ask for something that is no run, and come back at once; every failure comes by ``on_error``.

        Args:
            verb: a key of ``verbs.VERBS``.
            write: writes the arrays into the private folder of the job and gives the verb's arguments; called here.
            read: makes the outcome of the answer and that folder; called when the answer is there.
            needed: bytes that the arrays take, at most.

        Raises:
            UsageError: "worker.closed" after :meth:`close`.
        """

        def request(number: int, folder: Path) -> Writing[Ask]:
            yield from ()
            return Ask(number, verb, str(folder), write(folder))

        return self._enqueue(verb, needed, request, read)

    def _enqueue(
        self,
        name: str,
        needed: int,
        request: Callable[[int, Path], Writing[Segment] | Writing[Ask]],
        read: Callable[[dict[str, Any], Path], Outcome],
        *,
        at_once: bool = True,
    ) -> Job[Outcome]:
        if not self._release.alive:
            raise UsageError("worker.closed", "This worker client was closed.", "Make a new one.")
        self._count += 1
        job = Job(self._count, name, self._cancel, read)
        try:
            folder = self._held.folders[job.number] = PrivateFolder.make(needed)
            job.writing = request(job.number, folder.path)
        except MedSegAIError as error:
            job.error = error
        if at_once:
            job.write()
        self._queue.append(job)
        return job

    def segment(
        self,
        case: Case,
        task: str = "brain-tumor",
        options: RunOptions | None = None,
        progress: ProgressCallback = ignore_progress,
        cancel: Cancel | None = None,
    ) -> Result:
        """Run a case and wait for the result; arguments and errors as ``MedSegAILib.segment`` has them.

        Raises:
            WorkerError: "worker.died", "worker.version", "worker.protocol", "worker.start" or "worker.defect".
        """
        job = self.segment_async(case, task, options)
        job.on_progress = progress
        try:
            while not job.is_finished:
                if cancel is not None and cancel.is_set:
                    job.cancel()
                self.poll(_BLOCKING_WAIT_S)
        finally:
            # Ctrl-C, or a callback that raised: nothing goes on unseen.
            job.on_progress = ignore_progress
            while not job.is_finished:
                job.cancel()
                self.poll(_BLOCKING_WAIT_S)
        if job.result is None:
            raise job.error or Cancelled()
        return job.result

    def poll(self, wait_s: float = 0.0) -> None:
        """Hear the worker and call back; call it some 10 to 50 times a second while ``is_busy``.

        Args:
            wait_s: wait so long for something to happen, at most; 0 comes back within milliseconds.
        """
        self._advance()
        process = self._held.process
        is_writing = self._current is not None and self._current.writing is not None
        wait_s = 0.0 if is_writing else wait_s
        event = process.next_event(max(wait_s, YIELD_S) if self.is_busy else wait_s) if process else None
        until_s = time.monotonic() + _DISPATCH_S
        while process is not None and event is not None:
            self._hear(process, event)
            # A callback may have ended this worker.
            is_ours = process is self._held.process
            event = process.next_event(0.0) if is_ours and time.monotonic() < until_s else None
        self._advance()

    def close(self) -> None:
        """End the worker and remove all temporary files; jobs that were left become "cancelled" without a call."""
        left = [*self._queue, *([self._current] if self._current else [])]
        self._queue.clear()
        self._current = None
        for job in left:
            job.stop_writing()
            job.state, job.error = "cancelled", Cancelled()
        self._release()

    def _advance(self) -> None:
        """Do everything that does not wait for the worker: settle what is settled, look at the clock, begin."""
        for job in [job for job in self._queue if job.error or job.state == "cancelling"]:
            self._queue.remove(job)
            self._settle(job, job.error or Cancelled())
        if self._current is not None and self._is_waited_for() and time.monotonic() > self._deadline_s:
            self._give_up(self._current)
        if self._current is not None and self._current.state == "cancelling" and not self._is_sent:
            self._settle(self._current, Cancelled())
        if self._current is not None and self._current.writing is not None:
            self._write(self._current)
        if self._current is None and self._queue:
            self._begin(self._queue.popleft())

    def _is_waited_for(self) -> bool:
        return not self._is_sent or (self._current is not None and self._current.state == "cancelling")

    def _begin(self, job: Job[Any]) -> None:
        self._current, self._is_sent, self._is_taken = job, False, False
        try:
            self.start()
        except MedSegAIError as error:
            self._settle(job, error)
            return
        self._deadline_s = time.monotonic() + START_PATIENCE_S
        job.state = "running"
        self._send(job)

    def _write(self, job: Job[Any]) -> None:
        """Write a little more of the current job, and hand it over when that was the last of it."""
        job.write(_WRITING_S)
        self._deadline_s = time.monotonic() + START_PATIENCE_S
        if job.error is not None:
            self._settle(job, job.error)
        else:
            self._send(job)

    def _send(self, job: Job[Any]) -> None:
        """Hand the current job over once it is written and the worker has greeted.

        A worker that has gone meanwhile is heard of next, as its end.
        """
        process = self._held.process
        if job.request is None or not self._worker_pid:
            return
        job.starts += 1
        self._log_start = process.line_count if process else 0
        self._is_sent = bool(process and process.is_alive and process.send(job.request))

    def _cancel(self, job: Job[Any]) -> None:
        job.state = "cancelling"
        if job is self._current and self._is_sent and self._held.process:
            self._deadline_s = time.monotonic() + CANCEL_PATIENCE_S
            self._held.process.send(CancelJob(job.number))

    def _give_up(self, job: Job[Any]) -> None:
        """End a worker that kept us waiting too long: for its greeting, or for the answer to a cancel."""
        log = self.log_lines()
        self._drop_process()
        if job.state == "cancelling":
            self._settle(job, Cancelled())
            return
        error = WorkerError(
            "worker.start",
            f"The worker did not answer within {START_PATIENCE_S:.0f} s of its start.",
            "Run it again; if it happens again, report it with the log.",
            log=log[-SHOWN_LINES:],
        )
        self._settle(job, error)

    def _hear(self, process: WorkerProcess, event: bytes | Ended) -> None:
        job = self._current
        if isinstance(event, Ended):
            self._hear_end(process, event)
            return
        if not self._worker_pid and not event.lstrip().startswith(b"{"):
            # Before the greeting a launcher, or a package of the site, may print.
            process.add_log_line(event)
            return
        # No callback within this try: what a callback raises is its caller's.
        try:
            message = understand(event)
            self._worker_pid = message.pid if isinstance(message, Hello) else self._worker_pid
            held = self._held.folders.get(job.number) if job is not None else None
            outcome = outcome_of(message, job, held.path if held is not None else None)
        except WorkerError as error:
            self._drop_process()
            if job is not None:
                self._settle(job, Cancelled() if job.state == "cancelling" else error)
            return
        if job is None:
            return
        if isinstance(message, Hello):
            self._send(job)
        elif outcome is not None:
            self._settle(job, outcome)
        elif isinstance(message, Taken):
            self._is_taken = message.job == job.number
        elif isinstance(message, Progressed | Provisional) and message.job == job.number and job.state == "running":
            job.hear(message, self._held.folders[job.number].path)

    def _hear_end(self, process: WorkerProcess, ended: Ended) -> None:
        job, has_greeted = self._current, bool(self._worker_pid)
        # What an earlier job logged would mislead the search for the reason.
        log = process.log_lines(self._log_start if self._is_sent else 0)
        self._drop_process()
        if job is None:
            return
        if job.state == "cancelling":
            self._settle(job, Cancelled())
        elif has_greeted and not self._is_taken and job.starts == 1:
            # It had died idle, before it took this job: the job is as good as new, even when a pipe that was still
            # open (the threads of a killed process end one by one) had swallowed it.
            self._current, job.state = None, "queued"
            self._queue.appendleft(job)
        else:
            self._settle(job, explain(ended.exit_code, log, job.doing() if self._is_sent else "it started"))

    def _drop_process(self) -> None:
        process, self._held.process = self._held.process, None
        self._worker_pid = 0
        if process is not None:
            process.kill()

    def _settle(self, job: Job[Any], outcome: Any) -> None:
        """End a job. The state is right before anyone is called: a callback may ask for the next job, or raise."""
        if job is self._current:
            self._current = None
        job.stop_writing()
        self._held.remove_folder(job.number)
        if isinstance(outcome, MedSegAIError):
            job.state = "cancelled" if isinstance(outcome, Cancelled) else "failed"
            job.error = outcome
            job.on_error(outcome)
        else:
            job.state, job.result = "done", outcome
            job.on_result(outcome)
