"""The computing process: ``python -m MedSegAILib.worker.server``.

Greets, takes jobs from its input, computes on the main thread for its whole life, answers on its output, and leaves
when its input ends, also in the middle of a job. The client's side is ``client``. Ring 7 (worker).

Standard library only until the first job: everything else is imported where it is used, so that a missing library is
an answer and not a silent end.
"""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from MedSegAILib.core.errors import Cancelled, MedSegAIError, ResourceError, UsageError, WorkerError
from MedSegAILib.core.run import Cancel, Progress, ProgressCallback, RunOptions
from MedSegAILib.version import VERSION

from .bootstrap import put_site_first
from .post_mortem import missing_library
from .private_folder import remove_tree
from .protocol import (
    FIRST_FOLDER,
    PROTOCOL,
    Ask,
    CancelJob,
    Failed,
    Finished,
    Hello,
    Message,
    Progressed,
    Provisional,
    Segment,
    Taken,
    broken,
    decode,
    encode,
)

if TYPE_CHECKING:
    from MedSegAILib.core.case import Case
    from MedSegAILib.core.result import Result
    from MedSegAILib.tasks.kept import KeptStages

    SegmentFunction = Callable[[Case, str, Sequence[Path], RunOptions, ProgressCallback, Cancel], Result]
    LookFunction = Callable[[Case, str, Sequence[Path], RunOptions, Cancel], Result | None]

# A job that does not heed its cancel flag is given up this long after the client is gone; 2 s are promised.
LEAVE_AFTER_S = 1.5

_log = logging.getLogger(__name__)


def main(segment: SegmentFunction | None = None, look: LookFunction | None = None) -> NoReturn:
    """Serve until the input ends.

    Args:
        segment: computes a job; None is the real pipeline. Tests give their own.
        look: gives a first, coarse result; None is that of the real pipeline.
    """
    commands, messages = claim_channels()
    put_site_first()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    faulthandler.enable(sys.stderr)
    server = Server(commands, messages, segment or RealPipeline(), look or real_first_look)
    server.serve()
    logging.shutdown()
    # Not sys.exit: compiled libraries that crash or hang while they are torn down are known, and nothing is left to do.
    os._exit(0)


def claim_channels() -> tuple[io.FileIO, io.FileIO]:
    """Take standard input and output for messages only; whatever else is read or printed goes elsewhere.

    Returns:
        Input and output for messages. Afterwards descriptor 0 is empty and descriptor 1 is the log, for Python, for
        compiled code and for child processes alike.
    """
    commands, messages = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return io.FileIO(commands, "r"), io.FileIO(messages, "w")


class RealPipeline:
    """Computes jobs with the real pipeline; a job that asks for another box of a later stage costs that stage only."""

    def __init__(self) -> None:
        self._kept: KeptStages | None = None

    def __call__(
        self,
        case: Case,
        task: str,
        packages: Sequence[Path],
        options: RunOptions,
        progress: ProgressCallback,
        cancel: Cancel,
    ) -> Result:
        """Compute a job."""
        from MedSegAILib.tasks.history import remember
        from MedSegAILib.tasks.kept import KeptStages
        from MedSegAILib.tasks.pipeline import segment
        from MedSegAILib.tasks.store import find_package

        from .verb_correct import KEPT

        self._kept = self._kept or KeptStages()
        result = segment(case, find_package(task, packages), options, progress, cancel, self._kept)
        if not any(stage.get("kept") for stage in result.passport.stages):
            remember(result.passport)  # what was kept cost nothing, and would spoil the seconds that are foretold
        KEPT.put(result.passport, self._kept.probabilities)
        return result


def real_first_look(
    case: Case, task: str, packages: Sequence[Path], options: RunOptions, cancel: Cancel
) -> Result | None:
    """Give a first, coarse result with the real pipeline; None when it would gain nothing."""
    from MedSegAILib.tasks.first_look import first_look
    from MedSegAILib.tasks.store import find_package

    return first_look(case, find_package(task, packages), options, cancel)


class Server:
    """The loop of the worker.

    Args:
        commands: where requests come from, one JSON line each.
        messages: where answers go.
        segment: computes one job.
        look: gives a first, coarse result.
    """

    def __init__(self, commands: io.FileIO, messages: io.FileIO, segment: SegmentFunction, look: LookFunction) -> None:
        self._commands = commands
        self._messages = messages
        self._segment = segment
        self._look = look
        self._requests: queue.SimpleQueue[Segment | Ask | None] = queue.SimpleQueue()
        self._cancels: dict[int, Cancel] = {}
        self._folders: list[Path] = []

    def serve(self) -> None:
        """Greet, then compute one request after the other, until the input ends."""
        self._send(Hello(PROTOCOL, VERSION, os.getpid()))
        threading.Thread(target=self._listen, name="MedSegAI requests", daemon=True).start()
        while (request := self._requests.get()) is not None:
            self._send(Taken(request.job))
            started = time.monotonic()
            answer = self._run(request)
            self._cancels.pop(request.job)
            outcome = "done" if isinstance(answer, Finished) else str(answer.error["code"])
            name = request.task if isinstance(request, Segment) else request.verb
            _log.info("job %d (%s): %s in %.2f s", request.job, name, outcome, time.monotonic() - started)
            self._send(answer)
        self._remove_folders()

    def _run(self, request: Segment | Ask) -> Finished | Failed:
        cancel = self._cancels[request.job]
        try:
            if isinstance(request, Segment):
                return Finished(request.job, self._compute(request, cancel))
            return Finished(request.job, self._answer(request, cancel))
        except MedSegAIError as error:
            return Failed(request.job, error.to_json())
        except Exception as error:
            # The door of this ring: whatever went wrong, the worker answers and stays for the next job.
            _log.exception("job %d failed", request.job)
            return Failed(request.job, translate(error).to_json())

    def _compute(self, request: Segment, cancel: Cancel) -> dict[str, Any]:
        from .transfer import read_case, write_result

        folder = Path(request.folder)
        case = read_case(request.case, folder)
        options = _options(request.options)
        report = self._reporter(request.job)
        packages = [Path(name) for name in request.packages]
        cancel.check()
        if request.first_look:
            self._show_first(request, case, options, cancel)
        result = self._segment(case, request.task, packages, options, report, cancel)
        cancel.check()
        return write_result(result, folder, with_probabilities=options.keep_probabilities)

    def _show_first(self, request: Segment, case: Case, options: RunOptions, cancel: Cancel) -> None:
        """Send a coarse result; one that cannot be had costs nothing, the run says what is wrong."""
        from .transfer import write_result

        try:
            found = self._look(case, request.task, [Path(name) for name in request.packages], options, cancel)
        except Cancelled:
            raise
        except MedSegAIError as error:
            _log.info("job %d: no first look (%s)", request.job, error.code)
            return
        if found is not None:
            folder = Path(request.folder) / FIRST_FOLDER
            folder.mkdir(exist_ok=True)
            self._send(Provisional(request.job, write_result(found, folder, with_probabilities=False)))

    def _answer(self, request: Ask, cancel: Cancel) -> dict[str, Any]:
        from .verbs import answer

        cancel.check()
        return answer(request.verb, request.arguments, Path(request.folder), self._reporter(request.job), cancel)

    def _reporter(self, job: int) -> ProgressCallback:
        def report(progress: Progress) -> None:
            self._send(Progressed(job, progress.stage, int(progress.done), int(progress.total)))

        return report

    def _listen(self) -> None:
        """Read requests (a thread of its own); when they end, stop the job and see that this process leaves."""
        try:
            for line in io.BufferedReader(self._commands):
                self._take(decode(line))
        except (WorkerError, OSError) as error:
            _log.error("The input is broken: %s", error)
        for cancel in list(self._cancels.values()):
            cancel.set()
        self._requests.put(None)
        time.sleep(LEAVE_AFTER_S)
        # Still here: the main thread is deep in compiled code, or hangs in tearing down.
        self._remove_folders()
        os._exit(0)

    def _take(self, message: Message) -> None:
        if isinstance(message, Segment | Ask):
            self._cancels[message.job] = Cancel()
            # The client has removed those of earlier jobs by now, unless it died.
            self._folders = [*filter(Path.exists, self._folders), Path(message.folder)]
            self._requests.put(message)
        elif isinstance(message, CancelJob):
            # A cancel that crosses the answer finds no job any more.
            if message.job in self._cancels:
                self._cancels[message.job].set()
        else:
            raise broken(f"the worker was sent a {type(message).__name__}")

    def _send(self, message: Message) -> None:
        line = memoryview(encode(message))
        try:
            while line:
                line = line[self._messages.write(line) :]
        except OSError:
            # Nobody listens any more; the input ends as well, and the reader sees to the rest.
            _log.debug("an answer was not heard")

    def _remove_folders(self) -> None:
        """Do what the client cannot any more when it was killed."""
        for folder in self._folders:
            remove_tree(folder)


def translate(error: Exception) -> MedSegAIError:
    """Give the error that a user sees for one that no ring foresaw."""
    if isinstance(error, MemoryError):
        return ResourceError(
            "worker.memory",
            "The run needs more memory than there is.",
            "Close other programs, or choose the preset fast.",
        )
    if isinstance(error, ImportError):
        return missing_library(error)
    return WorkerError(
        "worker.defect",
        f"The worker met a defect of ours ({type(error).__name__}: {error}).",
        "Report it with the log; the worker is ready for the next run.",
    )


def _options(data: dict[str, Any]) -> RunOptions:
    try:
        return RunOptions(**data)
    except TypeError as error:
        raise UsageError(
            "options.unknown", f"The run options cannot be read ({error}).", "Use the options of this version."
        ) from error


if __name__ == "__main__":
    main()
