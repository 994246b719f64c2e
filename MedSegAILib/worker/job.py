"""One job of the worker, as its caller holds it: state, callbacks, outcome. Ring 7 (worker)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.run import Progress, ProgressCallback, ignore_progress

from .protocol import FIRST_FOLDER, Ask, Progressed, Provisional, Segment
from .transfer import Writing

JobState = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]


Outcome = TypeVar("Outcome")


class Job(Generic[Outcome]):
    """One run, or another thing asked for. Set the callbacks you need; one of ``on_result`` and ``on_error`` is called.

    Made by ``WorkerClient.segment_async`` and ``WorkerClient.ask_async`` only.

    Attributes:
        number: counted by the client.
        task: name of the task, or the verb.
        state: "queued", "running", "cancelling", then for good "done", "failed" or "cancelled".
        progress: the last step heard of, or None.
        result: once "done".
        error: once "failed" or "cancelled" (then a ``Cancelled``).
        on_progress, on_provisional, on_result, on_error: called from ``WorkerClient.poll`` only, in its thread.
        writing: writes the arrays and gives the request, portion by portion; None once it is done.
        request: what is sent to the worker; None until the arrays are written.
        read: makes the outcome of the worker's answer and the folder of its arrays.
        starts: how many workers it was handed to.
    """

    def __init__(
        self,
        number: int,
        task: str,
        stop: Callable[[Job[Any]], None],
        read: Callable[[dict[str, Any], Path], Outcome],
    ) -> None:
        self.number = number
        self.task = task
        self.state: JobState = "queued"
        self.progress: Progress | None = None
        self.result: Outcome | None = None
        self.error: MedSegAIError | None = None
        self.on_progress: ProgressCallback = ignore_progress
        self.on_provisional: Callable[[Outcome], None] = _ignore
        self.on_result: Callable[[Outcome], None] = _ignore
        self.on_error: Callable[[MedSegAIError], None] = _ignore
        self.writing: Writing[Segment | Ask] | None = None
        self.request: Segment | Ask | None = None
        self.read = read
        self.starts = 0
        self._stop = stop

    @property
    def is_finished(self) -> bool:
        """Whether the run is over, one way or the other."""
        return self.state in ("done", "failed", "cancelled")

    def hear(self, message: Progressed | Provisional, folder: Path) -> None:
        """Take what the worker says on its way; a first look that cannot be read is let go, the outcome comes later.

        Args:
            message: of this job.
            folder: of its arrays.
        """
        if isinstance(message, Progressed):
            self.progress = Progress(message.stage, message.done, message.total)
            self.on_progress(self.progress)
            return
        try:
            found = self.read(message.result, folder / FIRST_FOLDER)
        except MedSegAIError:
            return
        self.on_provisional(found)

    def write(self, limit_s: float = math.inf) -> None:
        """Write arrays out, for so long or one portion longer; a problem becomes the ``error``."""
        until_s = time.monotonic() + limit_s
        try:
            while self.writing is not None and time.monotonic() < until_s:
                next(self.writing)
        except StopIteration as end:
            self.writing, self.request = None, end.value
        except MedSegAIError as error:
            self.writing, self.error = None, error

    def stop_writing(self) -> None:
        """Let go of the arrays and of the file that is being written."""
        writing, self.writing = self.writing, None
        if writing is not None:
            writing.close()

    def cancel(self) -> None:
        """Stop the run; ``on_error`` gets ``Cancelled`` within 2 s of polling. A second call does nothing."""
        if not self.is_finished and self.state != "cancelling":
            self._stop(self)

    def doing(self) -> str:
        """Say what the worker was at, for a sentence like "it ended while ..."."""
        if self.progress is None:
            return "it took up the run"
        return f"it was at {self.progress.stage!r} ({self.progress.done} of {self.progress.total})"


def _ignore(outcome: object) -> None:
    """Do nothing; the default callback."""
