"""One training at a time writes to a run folder: a second one would mix both logs and lose a checkpoint. Training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from lightning.pytorch.utilities import rank_zero_only

from MedSegAILib.core.errors import UsageError

LOCK = "run.lock"  # the system lets go of it when its process ends, however that ends


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold a run folder while training writes to it.

    Further processes of one training (several GPUs, several nodes) do not ask: the first of them holds it for all.

    Raises:
        UsageError: "training.run_busy" when another training holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if rank_zero_only.rank:  # type: ignore[attr-defined]  # Lightning sets it on the function
        yield
        return
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(
            "training.run_busy",
            f"Another training writes to {folder} right now.",
            "Wait for its end, or give another folder with --folder.",
        ) from error
    try:
        yield
    finally:
        lock.release()
