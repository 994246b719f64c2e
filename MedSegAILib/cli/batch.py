"""``medsegai batch``: hundreds of studies, checked first, resumed after any stop, with tables and a page. Ring 8."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from MedSegAILib.batch.options import BATCH_RUN, BatchOptions
from MedSegAILib.batch.progress import BatchProgress
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.run import BACKENDS, DEVICES, PRESETS, Cancel, RunOptions

from . import screen
from .segment import AllowedRepairs, RefusedRepairs, chosen_repairs, stopped_by_ctrl_c

if TYPE_CHECKING:
    from MedSegAILib.batch.summary import BatchResult

_DEFAULT = BatchOptions()


def batch(  # noqa: PLR0913 - an option of the shell is a parameter here
    source: Annotated[Path, typer.Argument(help="Folder with one folder a study (nested or not), or a CSV table.")],
    task: Annotated[str, typer.Option(help="What to segment; see `medsegai models list`.")],
    output: Annotated[Path, typer.Option(help="Folder for the results; that of the same batch to go on with it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every study, compute nothing.")] = _DEFAULT.dry_run,
    preset: Annotated[str, typer.Option(help=f"{', '.join(PRESETS)}: time against quality.")] = BATCH_RUN.preset,
    device: Annotated[str, typer.Option(help=f"{', '.join(DEVICES)} or cuda:<n>.")] = BATCH_RUN.device,
    backend: Annotated[str, typer.Option(help=", ".join(BACKENDS))] = BATCH_RUN.backend,
    threads: Annotated[int, typer.Option(help="CPU threads of a worker, 0 = all its cores.")] = BATCH_RUN.threads,
    memory: Annotated[
        int, typer.Option(metavar="MB", help="Memory that a run may take, 0 = what is free.")
    ] = BATCH_RUN.memory_mb,
    repairs: AllowedRepairs = None,
    no_repairs: RefusedRepairs = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic/--no-deterministic", help="The same input gives the same bytes.")
    ] = BATCH_RUN.deterministic,
    package_sha256: Annotated[
        str, typer.Option(metavar="HEX", help="Refuse any other package; see `medsegai models info`.")
    ] = BATCH_RUN.package_sha256,
    workers: Annotated[int, typer.Option(help="Processes on this machine.")] = _DEFAULT.workers,
    cluster: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Dask scheduler (tcp://host:8786), or its scheduler file.")
    ] = _DEFAULT.cluster,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Compute again what failed before.")
    ] = _DEFAULT.retry_failed,
    keep_names: Annotated[
        bool, typer.Option("--keep-names", help="Show names of folders and files even if they may be a patient's.")
    ] = _DEFAULT.keep_names,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Segment many studies: tables of results and failures, a page with pictures. The same command goes on."""
    options = BatchOptions(
        run=RunOptions(
            preset=preset,  # type: ignore[arg-type]  # the options name the values there are
            device=device,
            backend=backend,  # type: ignore[arg-type]
            threads=threads,
            memory_mb=memory,
            repair=chosen_repairs(repairs or (), no_repairs or ()),
            deterministic=deterministic,
            package_sha256=package_sha256,
        ),
        workers=workers,
        cluster=cluster,
        dry_run=dry_run,
        retry_failed=retry_failed,
        keep_names=keep_names,
    )
    result = _run(source, output, task, options)
    if as_json:
        screen.give_json(_answer(result))
    else:
        _print(result)
    if result.failed and result.failed == result.total:
        raise typer.Exit(InputError.exit_code)


def _run(source: Path, output: Path, task: str, options: BatchOptions) -> BatchResult:
    from MedSegAILib.api import segment_folder

    cancel = Cancel()
    with _Watch() as watch, stopped_by_ctrl_c(cancel):
        return segment_folder(source, output, task, options=options, progress=watch.update, cancel=cancel)


class _Watch:
    """Shows a batch: a bar on a terminal, else one line a study on stderr."""

    def __init__(self) -> None:
        self._bar = screen.Bar()
        self._is_terminal = sys.stderr.isatty()

    def __enter__(self) -> _Watch:
        self._bar.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._bar.__exit__(*exception)

    def update(self, progress: BatchProgress) -> None:
        """Show one piece of news."""
        settled = progress.done + progress.failed
        if self._is_terminal:
            self._bar.show(words(replace(progress, seconds_left=None)), settled, progress.total)
        elif progress.state == "computing" and progress.outcome:
            screen.remark(f"[{settled}/{progress.total}] {words(progress)}")


def words(progress: BatchProgress) -> str:
    """Give a progress for people: "case7: predict 3/8, 12 min left"."""
    parts = [f"{progress.study}: {progress.outcome or progress.step}" if progress.study else progress.state]
    if progress.state == "checking" and not progress.outcome:
        parts = [f"checking {progress.study}"]
    if progress.seconds_left is not None:
        parts.append(f"{_time(progress.seconds_left)} left")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _answer(result: BatchResult) -> dict[str, Any]:
    return {
        "output": str(result.output),
        "dry_run": result.is_dry_run,
        "total": result.total,
        "done": result.done,
        "failed": [vars(problem) for problem in result.problems],
        "worst_first": [{"study": study, "reasons": reasons} for study, reasons in result.worst],
        "files": {name: str(path) for name, path in result.files.items()},
    }


def _print(result: BatchResult) -> None:
    if result.is_dry_run:
        screen.say(f"{result.total} studies: {result.total - result.failed} can be computed, {result.failed} cannot")
    else:
        screen.say(f"{result.total} studies: {result.done} with a result, {result.failed} without")
    for problem in result.problems:
        screen.say(f"{problem.study}: {problem.message} {problem.hint}".rstrip())
    looked_at = [(study, reasons) for study, reasons in result.worst if reasons]
    if looked_at:
        screen.say("look at first:")
        for line in screen.table([(f"  {study}", reasons) for study, reasons in looked_at[:5]]):
            screen.say(line)
    for path in result.files.values():
        screen.say(f"wrote {path}")
