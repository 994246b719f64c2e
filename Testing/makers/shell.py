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


def in_process(*arguments: object, packages: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``medsegai`` as :func:`medsegai` does, but in this process: for tests of many calls.

    A child process takes seconds to load its libraries; what only a process shows (signals, exit, encoding) is tested
    with one.
    """
    from MedSegAILib.cli import main

    words = [str(argument) for argument in arguments]
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    named = {"COLUMNS": "200", **({} if packages is None else {"MEDSEGAI_PACKAGES": str(packages)})}
    with mock.patch.dict(os.environ, named), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
        except SystemExit as end:
            code = end.code
    exit_code = code if isinstance(code, int) else int(code is not None)
    return subprocess.CompletedProcess(words, exit_code, out.getvalue(), err.getvalue())
