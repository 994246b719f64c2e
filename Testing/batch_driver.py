"""A batch in a process of its own, so that a test can kill it: ``batch_driver.py SOURCE OUTPUT PACKAGES [CLUSTER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from MedSegAILib.batch import run
from MedSegAILib.batch.crew import Crew
from MedSegAILib.batch.local import LocalCrew
from MedSegAILib.batch.options import BatchOptions
from MedSegAILib.core.run import Cancel

FAKE_ENTRY = ("-m", "Testing.fake_batch_work")


def make_crew(options: BatchOptions, private: Path) -> Crew:
    """Give the real crew of a cluster, or real processes with the fake network."""
    return (
        run.make_crew(options, private) if options.cluster else LocalCrew(options.workers, private / "log", FAKE_ENTRY)
    )


def segment(source: Path, output: Path, options: BatchOptions, cancel: Cancel | None = None) -> run.BatchResult:
    """Run a batch with the fake network."""
    batch = run._Batch(source, output, "brain-tumor", options, lambda progress: None, cancel or Cancel())
    return batch.run(make_crew)


if __name__ == "__main__":
    source, output, packages, *cluster = sys.argv[1:]
    options = BatchOptions(packages=(Path(packages),), cluster="".join(cluster))
    segment(Path(source), Path(output), options)
