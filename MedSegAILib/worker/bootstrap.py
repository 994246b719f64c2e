"""Which Python runs the worker, with what on its path: the environment of the child process.

Slicer's own packages are never replaced: what the worker needs beyond them lies in a private folder of ours
(setting, MEDSEGAI_SITE or ``~/.MedSegAI/site``) that only the worker sees. Nothing is installed here. Standard library
only. Ring 7 (worker).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from MedSegAILib.core.errors import SetupError

LIBRARY_ROOT = Path(__file__).resolve().parents[2]
SERVER_ENTRY = ("-m", "MedSegAILib.worker.server")
SITE_VARIABLE = "MEDSEGAI_SITE"

_SET = {
    "PYTHONUTF8": "1",  # paths and text in any language, also on Windows
    "PYTHONNOUSERSITE": "1",  # another Python's user packages broke NumPy in a peer (users.md row 11)
    "PYTHONDONTWRITEBYTECODE": "1",  # the installed tree may be read-only, and stays as it was installed
    "PYTHONUNBUFFERED": "1",  # the last lines before a crash are in the log
}
# Waiting threads sleep instead of spinning, so that the window stays smooth meanwhile (performance.md).
_DEFAULTS = {"OMP_WAIT_POLICY": "PASSIVE"}
_DROPPED = ("PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONDEBUG")
# Slicer sets these for its own Python; another Python does not start with them.
_OF_ONE_PYTHON = ("PYTHONHOME", "PYTHONPATH")


@dataclass(frozen=True)
class Launch:
    """Everything that starting the worker takes: command, environment, working folder."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path


def plan_launch(
    python: Path | None = None,
    site: Path | None = None,
    entry: Sequence[str] = SERVER_ENTRY,
    environment: Mapping[str, str] | None = None,
) -> Launch:
    """Say how the worker is started.

    Args:
        python: interpreter; None is this process's own (in Slicer the one that Slicer ships).
        site: private package folder; None is MEDSEGAI_SITE, else ``~/.MedSegAI/site``. It need not exist.
        entry: arguments for the interpreter.
        environment: what to start from; None is this process's own. Proxies and the like pass unchanged.

    Raises:
        SetupError: "setup.python" when no interpreter is found.
    """
    base = dict(os.environ if environment is None else environment)
    private = site or default_site(base)
    foreign = python is not None and python != default_python_or_none()
    for name in _DROPPED + (_OF_ONE_PYTHON if foreign else ()):
        base.pop(name, None)
    inherited = [base["PYTHONPATH"]] if base.get("PYTHONPATH") else []
    child = {
        **_DEFAULTS,
        **base,
        **_SET,
        SITE_VARIABLE: str(private),
        "PYTHONPATH": os.pathsep.join([str(LIBRARY_ROOT), str(private), *inherited]),
    }
    # The working folder is on the path of "python -m": the library's own adds nothing that was not there.
    return Launch((str(python or default_python()), *entry), child, LIBRARY_ROOT)


def default_site(environment: Mapping[str, str]) -> Path:
    """Give the private package folder: MEDSEGAI_SITE, else ``~/.MedSegAI/site``."""
    named = environment.get(SITE_VARIABLE, "")
    return Path(named) if named else Path.home() / ".MedSegAI" / "site"


def default_python() -> Path:
    """Give the interpreter of this installation, also when this process is Slicer itself.

    Raises:
        SetupError: "setup.python" when none is found.
    """
    found = default_python_or_none()
    if found is None:
        raise SetupError(
            "setup.python",
            "The Python interpreter that would run the worker was not found.",
            "Name one in the settings of the module.",
        )
    return found


def default_python_or_none() -> Path | None:
    """Give what :func:`default_python` gives, or None."""
    own = Path(sys.executable) if sys.executable else None
    if own is None or "python" not in own.stem.lower():
        # Embedded, as in Slicer, which puts the folder of PythonSlicer on PATH.
        named = shutil.which("PythonSlicer")
        own = Path(named) if named else None
    return own and real_interpreter(own)


def real_interpreter(python: Path) -> Path:
    """Give the interpreter behind Slicer's launcher, where it lies beside it; any other is given back.

    The launcher is a second process: it hides the exit signal, and it hands standard input on only on some systems
    (commontk/AppLauncher, pull request 100). Slicer's own process already has the environment that it would set.
    """
    if python.stem.lower() != "pythonslicer":
        return python
    real = python.with_name("python-real" + python.suffix)
    return real if real.is_file() else python


def put_site_first() -> None:
    """In the worker: let the private folder win over what the interpreter ships, also when started by a launcher."""
    private = os.environ.get(SITE_VARIABLE, "")
    if private and os.path.isdir(private):
        sys.path[:] = [private, *(entry for entry in sys.path if entry != private)]
