"""What goes to the terminal: answers to stdout, everything else to stderr; sentences or JSON. Ring 8."""

from __future__ import annotations

import io
import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.run import Progress

if TYPE_CHECKING:
    import rich.progress


def make_robust() -> None:
    """Let a terminal that lacks a letter show an escape instead of ending the run."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """Print one line of the answer."""
    print(text)


def remark(text: str) -> None:
    """Print one line beside the answer, to stderr."""
    print(text, file=sys.stderr)


def tell_watcher(text: str) -> None:
    """Print one line to stderr when someone watches a terminal; logs and scripts get it in the answer instead."""
    if sys.stderr.isatty():
        remark(text)


def give_json(answer: dict[str, Any]) -> None:
    """Print the answer as one JSON object."""
    print(json.dumps(answer, indent=2, default=str))


def show_error(error: MedSegAIError, *, as_json: bool) -> None:
    """Print an error: two sentences on stderr, or for scripts one JSON object on stdout."""
    if as_json:
        give_json({"error": error.to_json()})
        return
    remark(f"error: {error.message}")
    if error.hint:
        remark(f"next: {error.hint}")


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Give lines with the columns of the rows aligned to the left; the last column is not padded."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)] if rows else []
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip()
        for row in rows
    ]


class Bar:
    """A progress bar with percentage and time left on stderr; nothing when stderr is no terminal.

    Use it as a context; its :meth:`update` is a progress callback.
    """

    def __init__(self) -> None:
        self._display: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._stage = ""
        self.seconds = 0.0

    def __enter__(self) -> Bar:
        self._start_s = time.monotonic()
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            self._display = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.monotonic() - self._start_s
        if self._display is not None:
            self._display.stop()

    def update(self, progress: Progress) -> None:
        """Show one step forward; a new stage starts the bar again."""
        if self._display is None:
            return
        if self._task is None or progress.stage != self._stage:
            if self._task is not None:
                self._display.remove_task(self._task)
            self._stage = progress.stage
            self._task = self._display.add_task(progress.stage, total=progress.total or None)
        self._display.update(self._task, completed=progress.done, total=progress.total or None)

    def show(self, words: str, done: int, total: int) -> None:
        """Show one bar for the whole way, with other words beside it each time."""
        if self._display is None:
            return
        if self._task is None:
            self._task = self._display.add_task(words, total=total or None)
        self._display.update(self._task, description=words, completed=done, total=total or None)
