"""What the parts of the viewer share: the state of the page, the scene, the logic, and the one sentence to the user.

Every handler goes through :meth:`Desk.slot`, so that nothing fails in silence. Ring 10 (web).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from MedSegAISlicer.gui.guard import guarded
from MedSegAISlicer.scene.logic import SegmentationLogic

_POLL_S = 0.05


class Desk:
    """The shared things.

    Args:
        server: of trame.
        application: trame-slicer's ``SlicerApp``.
        logic: what segments; the same object that a script would use.
    """

    def __init__(self, server: Any, application: Any, logic: SegmentationLogic) -> None:
        self.server = server
        self.state = server.state
        self.application = application
        self.scene = application.scene
        self.logic = logic
        self._tasks: set[Any] = set()
        self._isListening = False
        self.onDeaf: Callable[[str], None] = self.warn  # called with a sentence when a callback of the worker failed
        self.state.update({"sentence": "", "is_problem": False})

    def say(self, sentence: str) -> None:
        """Show one sentence about what happened."""
        self.state.update({"sentence": sentence, "is_problem": False})

    def warn(self, sentence: str) -> None:
        """Show one sentence about what is wrong."""
        self.state.update({"sentence": sentence, "is_problem": True})

    def slot(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a handler of the page: what it raises becomes a sentence."""

        @wraps(handler)
        def run(*arguments: Any, **named: Any) -> None:
            with guarded(self.warn):
                handler(*arguments, **named)

        return run

    def onChange(self, name: str, handler: Callable[[Any], Any]) -> None:
        """Call a handler when the user changes a field of the page."""

        @self.state.change(name)
        def changed(**fields: Any) -> None:
            with guarded(self.warn):
                handler(fields[name])

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something on the loop of the server; what it raises becomes a sentence."""

        async def run() -> None:
            with guarded(self.warn):
                await work
            self.state.flush()

        task = asyncio.get_event_loop().create_task(run())
        self._tasks.add(task)  # the loop keeps weak references only
        task.add_done_callback(self._tasks.discard)

    def listen(self) -> None:
        """Hear the worker from now on, until there is nothing to hear."""
        if not self._isListening:
            self._isListening = True
            self.later(self._listen())

    async def _listen(self) -> None:
        try:
            while self.logic.needsPoll:
                with guarded(self.onDeaf):
                    self.logic.poll()
                await self.breathe(_POLL_S)
        finally:
            self._isListening = False

    async def breathe(self, seconds: float = 0.0) -> None:
        """Send what has changed to the page, and let the loop serve others."""
        self.state.flush()
        await asyncio.sleep(seconds)
