"""Why the worker ended, told from its exit code and the last lines of its log. Ring 7 (worker)."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from typing import Any

from MedSegAILib.core.errors import MedSegAIError, SetupError, WorkerError

# Lines of the log that travel with the error.
SHOWN_LINES = 20

_MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_BROKEN = re.compile(r"ImportError: (.+)")
_NUMPY = re.compile(r"compiled using NumPy 1\.x|numpy\.core\.multiarray failed to import|numpy\.dtype size changed")
_MEMORY = re.compile(r"MemoryError|std::bad_alloc|[Oo]ut of memory|not enough memory|Cannot allocate memory")
_WINDOWS_CRASHES = {0xC0000005, 0xC000001D, 0xC0000374, 0xC0000409}
_WINDOWS_NO_MEMORY = {0xC0000017, 0xC000012D}
_KILLED_BY_SHELL = 128  # a launcher between us reports a signal as this plus its number


def explain(exit_code: int, log: Sequence[str], doing: str) -> MedSegAIError:
    """Give the error for a worker that ended by itself.

    Args:
        exit_code: as ``subprocess`` gives it; negative is a signal.
        log: last lines of its log, oldest first.
        doing: what it was at ("starting", "predict 3 of 8").

    Returns:
        SetupError "setup.library" when a library was missing, else WorkerError "worker.died" with the likeliest
        reason; both carry the last lines in ``details["log"]``.
    """
    details: dict[str, Any] = {"exit_code": exit_code, "log": list(log[-SHOWN_LINES:])}
    text = "\n".join(log)
    library = _library(text)
    if library and exit_code > 0:
        return SetupError("setup.library", *library, **details)
    reason, hint = _reason(exit_code, text)
    return WorkerError("worker.died", f"The worker process ended while {doing}: {reason}.", hint, **details)


def missing_library(error: ImportError) -> SetupError:
    """Give the error for a library that did not load in a worker that lives on."""
    sentence = f"ModuleNotFoundError: No module named '{error.name}'" if isinstance(error, ModuleNotFoundError) else ""
    message, hint = _library(f"{sentence or f'ImportError: {error}'}") or ("A library does not load.", "")
    return SetupError("setup.library", message, hint)


def _library(text: str) -> tuple[str, str] | None:
    if _NUMPY.search(text):
        return (
            "A library in the worker was built for another version of NumPy.",
            "Install that library again for the NumPy of this Python.",
        )
    if found := _MISSING.search(text):
        return (
            f"The library {found[1]} is not installed in the Python of the worker.",
            f"Install {found[1].split('.')[0]} in the private package folder, or name another Python.",
        )
    if found := _BROKEN.search(text):
        return (
            f"A library does not load in the worker ({found[1].strip()}).",
            "Install that library again, or name another Python.",
        )
    return None


def _reason(exit_code: int, text: str) -> tuple[str, str]:
    number = -exit_code if exit_code < 0 else exit_code - _KILLED_BY_SHELL
    unsigned = exit_code & 0xFFFFFFFF
    name = next((item.name for item in signal.Signals if item.value == number), "") if number > 0 else ""
    if _MEMORY.search(text) or unsigned in _WINDOWS_NO_MEMORY:
        return "it ran out of memory", "Close other programs, or choose the preset fast."
    if name == "SIGKILL":
        return (
            "it was killed by signal 9; out of memory is the likeliest reason",
            "Close other programs, or choose the preset fast; then run it again.",
        )
    if name in {"SIGTERM", "SIGINT", "SIGHUP"}:
        return f"it was stopped from outside ({name})", "Run it again."
    if name in {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"} or unsigned in _WINDOWS_CRASHES:
        return (
            f"a compiled library crashed ({name or hex(unsigned)})",
            "Run it again with the device cpu; if it crashes again, report it with the log.",
        )
    return f"it left with exit code {exit_code}", "Run it again; if it happens again, report it with the log."
