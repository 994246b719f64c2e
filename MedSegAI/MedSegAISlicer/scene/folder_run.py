"""A folder of studies, segmented by ``medsegai batch`` in a process of its own. Ring 9; no Qt, nothing of the scene.

The progress is read from the folder of the batch. Stopping it at any moment loses nothing: the same call goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import Cancelled, MedSegAIError, WorkerError, error_from_json
from MedSegAILib.core.run import REPAIRS, RunOptions
from MedSegAILib.tasks.store import VARIABLE
from MedSegAILib.worker.bootstrap import plan_launch

ENTRY = ("-m", "MedSegAILib.cli", "batch")
PROGRESS_FILE = Path(".batch", "progress.json")
_STOP_PATIENCE_S = 2.0
FolderProgress = dict[str, Any]


def ignoreFolderProgress(progress: FolderProgress) -> None:
    """Do nothing; the default callback."""


class FolderRun:
    """The handle of a batch: ``state``, ``progress``, ``answer``, ``cancel()``. Call :meth:`poll` until it is over.

    Args:
        arguments: what follows ``medsegai batch``, see :func:`batchArguments`.
        output: folder of the batch.
        onProgress: called from within :meth:`poll` with ``state``, ``total``, ``done``, ``failed``, ``seconds_left``.
        packages: further folders in which packages are looked for.

    Raises:
        SetupError: "setup.python" when no interpreter is found.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        output: Path,
        onProgress: Callable[[FolderProgress], None] = ignoreFolderProgress,
        packages: Sequence[Path] = (),
    ) -> None:
        self.state = "running"
        self.progress: FolderProgress = {}
        self.answer: dict[str, Any] = {}
        self.error: MedSegAIError | None = None
        self._output, self._onProgress = output, onProgress
        places = [*map(str, packages), *filter(None, [os.environ.get(VARIABLE, "")])]
        environment = {**os.environ, VARIABLE: os.pathsep.join(places)}
        launch = plan_launch(entry=(*ENTRY, *arguments, "--json"), environment=environment)
        # A file and no pipe: nobody has to read while it runs, and it never fills up.
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        self._process = subprocess.Popen(
            launch.command,
            env=dict(launch.environment),
            stdin=subprocess.DEVNULL,
            stdout=self._told,
            stderr=subprocess.DEVNULL,
        )

    def poll(self) -> None:
        """Look how far it is; returns at once."""
        if self.state != "running":
            return
        code = self._process.poll()
        self._readProgress()
        if code is not None:
            self._finish(code)

    def cancel(self) -> None:
        """Stop it now; what is done stays, and the same call goes on."""
        if self.state != "running":
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._told.close()
        self.state, self.error = "cancelled", Cancelled()

    def _readProgress(self) -> None:
        try:
            found = json.loads((self._output / PROGRESS_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return  # not begun yet
        if found != self.progress:
            self.progress = found
            self._onProgress(found)

    def _finish(self, code: int) -> None:
        self._told.seek(0)
        text = self._told.read().decode(errors="replace")
        self._told.close()
        try:
            self.answer = json.loads(text)
        except ValueError:
            self.error = WorkerError(
                "worker.died", f"The process of the batch ended with exit code {code}.", "Run it again; it goes on."
            )
        if "error" in self.answer:
            self.error = error_from_json(self.answer["error"])
        self.state = "failed" if self.error else "done"


def batchArguments(source: Path, output: Path, task: str, options: RunOptions) -> list[str]:
    """Give what follows ``medsegai batch`` for these choices; the shell makes the same options of it.

    Args:
        source: folder or table.
        output: folder of the batch.
        task: name of an installed package.
        options: of each study.
    """
    arguments = [str(source), "--task", task, "--output", str(output), "--preset", options.preset]
    arguments += ["--device", options.device, "--backend", options.backend]
    arguments += [
        "--threads",
        str(options.threads),
        "--memory",
        str(options.memory_mb),
    ]
    for name in REPAIRS:
        arguments += ["--repair" if name in options.repair else "--no-repair", name]
    arguments.append("--deterministic" if options.deterministic else "--no-deterministic")
    return [*arguments, "--package-sha256", options.package_sha256] if options.package_sha256 else arguments
