"""Who computes studies: the one form that processes of this machine and a cluster share. Ring 6 (batch)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from MedSegAILib.core.errors import WorkerError
from MedSegAILib.core.run import Progress

from .study_run import StudyJob


@dataclass(frozen=True)
class News:
    """What is heard of a study: a step forward, or its outcome (see ``study_run.run_study``)."""

    study: str
    progress: Progress | None = None
    outcome: Mapping[str, Any] | None = None


class Crew(Protocol):
    """Takes studies and tells what became of them; every study that was given ends in exactly one outcome."""

    @property
    def capacity(self) -> int:
        """How many studies may be in its hands at a time."""
        ...

    def submit(self, job: StudyJob) -> None:
        """Hand a study over; comes back at once."""
        ...

    def wait(self, timeout_s: float) -> list[News]:
        """Give what was heard, waiting so long for the first piece; may be nothing.

        Raises:
            WorkerError: "batch.cluster_lost" when nobody is left who could answer.
        """
        ...

    def close(self) -> None:
        """Stop everything that is under way; no half-written study is left."""
        ...


def died(how: str) -> WorkerError:
    """Give the error of a study whose process ended without an answer."""
    return WorkerError(
        "batch.study_died",
        f"The process that computed this study ended: {how}.",
        "Run the same command again; if it happens again with this study, run it alone with `medsegai segment`.",
    )
