"""The Python door: one call from a case to a result, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .core.case import Case
from .core.result import Result
from .core.run import Cancel, ProgressCallback, RunOptions, ignore_progress


def segment(
    case: Case,
    task: str = "brain-tumor",
    *,
    options: RunOptions | None = None,
    progress: ProgressCallback = ignore_progress,
    cancel: Cancel | None = None,
    packages: Sequence[Path] = (),
) -> Result:
    """Segment a case with the package of a task.

    Args:
        case: volumes by role; see ``read_case`` and ``read_study``.
        task: name of an installed package, as ``medsegai models list`` shows it.
        options: preset, device, backend; None takes the defaults.
        progress: called with every step, in this thread.
        cancel: its ``set`` stops the run between two network passes.
        packages: further folders in which packages are looked for, before the usual places.

    Returns:
        Label map on the grid of the case's reference, with passport and warnings.

    Raises:
        InputError: the case does not fit the task; the message says why.
        PackageError: "package.unknown" or a package that fails its checks.
        Cancelled: when ``cancel`` was set.
    """
    from .tasks.pipeline import segment as run
    from .tasks.store import find_package

    return run(case, find_package(task, packages), options or RunOptions(), progress, cancel or Cancel())
