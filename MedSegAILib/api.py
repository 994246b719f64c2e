"""The Python door: one call from a case to a result, one from a folder of studies to tables and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .batch.options import BatchOptions
from .batch.progress import BatchProgressCallback, ignore_batch_progress
from .core.case import Case
from .core.correction import Corrected, Correction
from .core.prompts import Prompt
from .core.result import Result
from .core.run import Cancel, ProgressCallback, RunOptions, ignore_progress
from .core.volume import Volume

if TYPE_CHECKING:
    from .batch.summary import BatchResult


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


def segment_folder(
    source: Path | str,
    output: Path | str,
    task: str = "brain-tumor",
    *,
    options: BatchOptions | None = None,
    progress: BatchProgressCallback = ignore_batch_progress,
    cancel: Cancel | None = None,
) -> BatchResult:
    """Segment all studies of a folder, or of a table; ``medsegai batch`` is this function.

    Every study is looked through first. What was computed before and still stands is not computed again, so the same
    call goes on after any stop. A study that cannot be used is noted and passed over.

    Args:
        source: folder with one folder a study, nested as deep as you like; or a CSV table with the columns ``study``
            and ``folder``, or ``study`` and one for each role.
        output: new or empty folder, or that of the same batch.
        task: name of an installed package.
        options: of the studies and of the batch; None takes the defaults.
        progress: called with every study, in this thread.
        cancel: its ``set`` stops the batch; tables and pages of what is done are written.

    Returns:
        What became of it: counts, problems, the tables and the page.

    Raises:
        UsageError: "batch.source", "batch.nothing", "batch.table", "batch.locked", "batch.cluster", "output.*".
        PackageError: "package.unknown", "package.pinned", or a package that fails its checks.
        Cancelled: when ``cancel`` was set.
    """
    from .batch.run import segment_studies

    return segment_studies(Path(source), Path(output), task, options or BatchOptions(), progress, cancel or Cancel())


def correct(
    result: Result, case: Case, region: str, prompts: Sequence[Prompt], *, locked: Sequence[str] = ()
) -> tuple[Result, tuple[Corrected, ...]]:
    """Correct a region of a result, one prompt after the other.

    Args:
        result: as :func:`segment` gave it; with ``keep_probabilities`` the corrections know more.
        case: its inputs; those that lie on the grid of the result are looked at.
        region: name of the region.
        prompts: clicks, scribbles, lassos, boxes, in RAS mm.
        locked: names of regions that may not change.

    Returns:
        The result with the corrected labels, and what each prompt did. The doubt of the run does not hold any more
        and is left out.

    Raises:
        UsageError: "prompt.none", "prompt.locked", "labels.region".
        InputError: "prompt.outside".
    """
    from .interaction.session import correct as apply

    grid = result.labels.grid
    images = {role: volume for role, volume in case.volumes.items() if volume.grid.is_same_as(grid)}
    labels, done = result.labels, []
    for count in range(1, max(len(prompts), 1) + 1):
        given = tuple(prompts[:count])
        answer = apply(Correction(labels, result.scheme, region, given, images, tuple(locked), result.probabilities))
        array = labels.array.copy()
        place = zip(answer.offset_zyx, answer.labels.array.shape, strict=True)
        array[tuple(slice(start, start + size) for start, size in place)] = answer.labels.array
        labels = Volume(array, grid, name=labels.name)
        done.append(answer)
    return replace(result, labels=labels, doubt=None), tuple(done)
