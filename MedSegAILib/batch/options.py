"""What a batch may be told beyond the run options of each study. Ring 6 (batch); loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.run import RunOptions

# Hundreds of results are compared with each other, today and in a year: the same input must give the same bytes.
BATCH_RUN = RunOptions(deterministic=True)


@dataclass(frozen=True)
class BatchOptions:
    """Everything that may be chosen about a batch; the shell and ``segment_folder`` share these defaults.

    Args:
        run: options of each study; deterministic unless told otherwise.
        workers: processes on this machine; each holds the network once. Not used on a cluster.
        cluster: address of a Dask scheduler ("tcp://host:8786") or path of its scheduler file; empty is this machine.
        dry_run: stop after the checks.
        retry_failed: compute again what failed before, also where nothing has changed.
        keep_names: names of folders and files may stand in tables, pages and messages, even if they look like a
            patient's.
        packages: further folders in which packages are looked for.

    Raises:
        UsageError: "batch.workers".
    """

    run: RunOptions = BATCH_RUN
    workers: int = 1
    cluster: str = ""
    dry_run: bool = False
    retry_failed: bool = False
    keep_names: bool = False
    packages: tuple[Path, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError("batch.workers", f"{self.workers} workers cannot compute.", "Give 1 or more.")
