"""The real command line: in a child process, as a user calls it, or through its door in this one."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

CHECKOUT = Path(__file__).resolve().parent.parent.parent
LIMIT_S = 300


def command(*arguments: object) -> list[str]:
    """Give the command line of ``medsegai`` with these arguments."""
    return [sys.executable, "-m", "MedSegAILib.cli", *map(str, arguments)]


def environment(packages: Path | None = None) -> dict[str, str]:
    """Give the environment of a user of the checkout, with a folder of packages searched first."""
    found = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1", "COLUMNS": "200"}
    if packages is not None:
        found["MEDSEGAI_PACKAGES"] = str(packages)
    return found


def medsegai(
    *arguments: object, packages: Path | None = None, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run ``medsegai`` and give what it printed and its exit code.

    Args:
        arguments: what follows ``medsegai``.
        packages: a package folder, or a folder of packages.
        before: command that the call is put behind, for example to give it a small disk.
    """
    return subprocess.run(
        [*before, *command(*arguments)],
        env=environment(packages),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=False,
    )


def medsegai_here(*arguments: object, packages: Path) -> subprocess.CompletedProcess[str]:
    """Call the door of the command line in this process: for many calls of one kind, a start of Python costs a second.

    Args:
        arguments: what follows ``medsegai``.
        packages: a package folder, or a folder of packages.
    """
    from MedSegAILib.cli import main

    words = list(map(str, arguments))
    out, err = io.StringIO(), io.StringIO()
    place = mock.patch.dict(os.environ, {"MEDSEGAI_PACKAGES": str(packages), "COLUMNS": "200"})
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), place:
        try:
            main(words)
        except SystemExit as ended:
            code = ended.code
    exit_code = code if isinstance(code, int) else int(code is not None)
    return subprocess.CompletedProcess(words, exit_code, out.getvalue(), err.getvalue())
