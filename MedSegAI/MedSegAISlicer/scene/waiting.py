"""Waiting for the end of something that was asked of the worker; for scripts. Ring 9; no Qt, nothing of the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WAIT_S = 0.02  # Ctrl+C is heard between two polls


def waitForEnd(asked: Any, poll: Callable[[float], object], stop: Callable[[], object] | None = None) -> None:
    """Poll until something is over; what is left half done by Ctrl+C, or by an error in a callback, is stopped.

    Args:
        asked: a handle with ``state`` ("running" until it is over), ``error`` and ``cancel()``.
        poll: hears the worker; takes the seconds to wait.
        stop: called at the end whatever happened; None takes ``asked.cancel``, which does nothing when it is over.

    Raises:
        MedSegAIError: the ``error`` of the handle.
    """
    try:
        while asked.state == "running":
            poll(WAIT_S)
    finally:
        (stop or asked.cancel)()
    if asked.error is not None:
        raise asked.error
