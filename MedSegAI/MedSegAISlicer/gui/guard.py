"""The third door at which any exception is caught: a slot of the panel. Ring 10 (GUI)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from MedSegAILib.core.errors import MedSegAIError

from . import sentences

_log = logging.getLogger(__name__)


@contextmanager
def guarded(show: Callable[[str], None]) -> Iterator[None]:
    """Turn what a slot raises into a sentence; an exception must not get lost in the event loop.

    Args:
        show: takes the sentence; called once if something was raised.
    """
    try:
        yield
    except MedSegAIError as error:
        _log.info("%s: %s", error.code, error.message)
        show(sentences.problem(error))
    except Exception as error:  # the door: a defect of ours is logged with its trace and told in words
        _log.exception("A slot of the panel failed")
        show(sentences.defect(error))
