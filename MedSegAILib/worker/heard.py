"""What a line of the worker means: the message it holds, and the outcome of a job that it tells. Ring 7 (worker)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import Cancelled, MedSegAIError, WorkerError

from .job import Job
from .protocol import (
    Ask,
    CancelJob,
    Failed,
    Finished,
    Hello,
    Progressed,
    Provisional,
    Segment,
    Taken,
    broken,
    check_hello,
    decode,
    decode_error,
)

FromWorker = Hello | Taken | Progressed | Provisional | Finished | Failed


def understand(line: bytes) -> FromWorker:
    """Give the message of a line.

    Raises:
        WorkerError: "worker.protocol" for a line that no worker of ours says; "worker.version" for another version.
    """
    message = decode(line)
    if isinstance(message, Segment | Ask | CancelJob):
        raise broken(f"the worker sent a {type(message).__name__}")
    if isinstance(message, Hello):
        check_hello(message)
    return message


def outcome_of(message: FromWorker, job: Job[Any] | None, folder: Path | None) -> Any:
    """Give what a message means for the current job: its outcome, or None when it goes on.

    Args:
        message: of the worker.
        job: the current one, if any.
        folder: of its arrays.

    Raises:
        WorkerError: "worker.protocol" when the result cannot be read.
    """
    if job is None or folder is None or not isinstance(message, Finished | Failed) or message.job != job.number:
        return None
    if job.state == "cancelling":
        # Confirmed, or too late to be stopped: either way the result is not wanted any more.
        return Cancelled()
    if isinstance(message, Failed):
        return decode_error(message.error)
    try:
        return job.read(message.result, folder)
    except WorkerError:
        raise
    except MedSegAIError as error:
        return error
