"""The computing process of a batch: ``python -m MedSegAILib.batch.process``. Ring 6 (batch).

Takes one job a line on its input, answers with lines on its output, and leaves at once when its input ends: the batch
that started it is gone then. A defect ends it; the batch notes the study and starts another process.
"""

from __future__ import annotations

import io
import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from typing import Any

from MedSegAILib.core.run import Progress


def main(share: str = "0/1") -> None:
    """Serve until the input ends.

    Args:
        share: "<number>/<count>" of this process among those of the batch; each takes its part of the cores.
    """
    # Ctrl-C reaches the whole group of the terminal; the batch decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _claim_output()
    _take_cores(share)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), name="MedSegAI jobs", daemon=True).start()
    from .study_run import run_study

    while True:
        job = jobs.get()
        study = str(job["study"])

        def report(progress: Progress, study: str = study) -> None:
            step = [progress.stage, progress.done, progress.total]
            _answer(answers, {"study": study, "progress": step})

        _answer(answers, {"study": study, "outcome": run_study(job, report)})


def _listen(jobs: queue.SimpleQueue[dict[str, Any]]) -> None:
    # Unbuffered: the lock of a buffer that this thread holds would abort an interpreter that ends with a defect.
    with io.FileIO(0, closefd=False) as lines:
        for line in lines:
            jobs.put(json.loads(line))
    # Nobody is there any more. Not sys.exit: a study is under way, and its folder is whole or not there.
    os._exit(0)


def _claim_output() -> io.FileIO:
    """Take standard output for answers only; whatever is printed goes to the log."""
    answers = io.FileIO(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _answer(answers: io.FileIO, message: Mapping[str, Any]) -> None:
    content = memoryview(json.dumps(message).encode() + b"\n")
    try:
        while content:
            content = content[answers.write(content) :]
    except BrokenPipeError:
        os._exit(0)


def _take_cores(share: str) -> None:
    """Keep to a part of the cores, where the system can be told so."""
    number, count = (int(part) for part in share.split("/"))
    if count > 1 and sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[number::count] or cores)


if __name__ == "__main__":
    main(*sys.argv[1:])
