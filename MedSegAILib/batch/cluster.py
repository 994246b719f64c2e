"""Workers of a Dask scheduler that compute studies, on as many machines as it has. Ring 6 (batch).

Dask gives a study of a lost worker to another one by itself. Workers write the folder of a study whole into the shared
output folder; the ledger is written by the one who asked.
"""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import SetupError, UsageError, WorkerError

from .crew import News, died
from .study_run import StudyJob, failure_of, run_study

CONNECT_S = 15.0
# Dask keeps the order in which studies are handed over; it needs a few more than it has workers, not all.
IN_HAND = 256
_KILLED = "KilledWorker"


class DaskCrew:
    """The workers of a scheduler.

    Args:
        address: of the scheduler ("tcp://host:8786"), or the path of its scheduler file.

    Raises:
        SetupError: "setup.distributed_missing".
        UsageError: "batch.cluster" when no scheduler answers there.
    """

    capacity = IN_HAND

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise SetupError(
                "setup.distributed_missing", "The library distributed is not installed.", "Install medsegai[batch]."
            ) from error
        where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
        try:
            self._client = Client(**where, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:  # a time-out is an OSError too
            raise UsageError(
                "batch.cluster",
                f"No Dask scheduler answers at {address}.",
                "Give its address (tcp://host:8786), or its scheduler file.",
            ) from error
        self._done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._in_hand: dict[str, tuple[StudyJob, Any]] = {}

    def submit(self, job: StudyJob) -> None:
        """Hand a study over; see ``Crew.submit``."""
        future = self._client.submit(run_study, job.to_json(), pure=False, key=f"medsegai-{job.study}-{id(job):x}")
        self._in_hand[job.study] = (job, future)
        future.add_done_callback(lambda done, study=job.study: self._done.put((study, done)))

    def wait(self, timeout_s: float) -> list[News]:
        """Give what was heard; see ``Crew.wait``."""
        news: list[News] = []
        try:
            study, future = self._done.get(timeout=timeout_s)
            while True:
                heard = self._settle(study, future)
                if heard is not None:
                    news.append(heard)
                study, future = self._done.get_nowait()
        except queue.Empty:
            pass
        if not news and self._client.status != "running":
            raise _lost()
        return news

    def close(self) -> None:
        """Cancel what was not begun and leave; see ``Crew.close``. The scheduler and its workers stay."""
        if self._client.status == "running" and self._in_hand:
            self._client.cancel([future for _, future in self._in_hand.values()], force=True)
        self._in_hand.clear()
        self._client.close()

    def _settle(self, study: str, future: Any) -> News | None:
        if study not in self._in_hand or self._in_hand[study][1].key != future.key:
            return None
        job, _ = self._in_hand[study]
        if future.status == "cancelled":
            raise _lost()
        del self._in_hand[study]
        if future.status == "finished":
            return News(study, outcome=future.result())
        kind = type(future.exception()).__name__
        how = "several workers were lost with it" if kind == _KILLED else f"a defect of ours, {kind}"
        return News(study, outcome=failure_of(job, died(how)))


def _lost() -> WorkerError:
    return WorkerError(
        "batch.cluster_lost",
        "The Dask scheduler is gone.",
        "Start it again and run the same command; the batch goes on where it stopped.",
    )
