"""Keys of the panel: they work in the whole main window while the module is shown, as those of the Segment Editor do.

Source: the pattern of Slicer's script repository, a QShortcut on ``slicer.util.mainWindow()``. Ring 10 (GUI).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import qt
import slicer


class Shortcuts:
    """A set of keys.

    Args:
        slots: what each key does, for example ``{"N": onNext}``.
    """

    def __init__(self, slots: Mapping[str, Callable[[], None]]) -> None:
        self._slots = dict(slots)
        self._installed: list[tuple[Any, Callable[[], None]]] = []

    def install(self) -> None:
        """Begin to listen; without a main window (a script, a test) there is nothing to listen in."""
        window = slicer.util.mainWindow()
        if window is None or self._installed:
            return
        for key, slot in self._slots.items():
            shortcut = qt.QShortcut(window)
            shortcut.setKey(qt.QKeySequence(key))
            shortcut.connect("activated()", slot)
            self._installed.append((shortcut, slot))

    def remove(self) -> None:
        """Stop listening, so that another module has its keys."""
        for shortcut, slot in self._installed:
            shortcut.disconnect("activated()", slot)
            shortcut.deleteLater()
        self._installed = []
