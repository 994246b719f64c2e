"""The Python part of Slicer's desktop that slicer-core lacks: ``slicer.app``, ``slicer.i18n``, the module base classes.

Written after Base/Python/slicer/ScriptedLoadableModule.py and i18n.py; everything that is not modelled raises.
"""

from __future__ import annotations

import os
import sys
import types
import unittest
from collections.abc import Callable
from typing import Any

import slicer
import slicer.util

from . import contract
from .qt_proxy import RefusedError, wrap
from .segment_editor import qMRMLSegmentEditorWidget

TRANSLATED: list[str] = []
MESSAGES: list[tuple[str, str]] = []
WINDOW: list[Any] = []  # the one that the opened module lies in


class Application:
    """``slicer.app``; the module waits for the end of the start, and uses nothing else of it."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def connect(self, signal: str, slot: Callable[[], None]) -> bool:
        """Keep a slot for the one signal that is modelled."""
        if signal != "startupCompleted()":
            raise RefusedError(f"slicer.app has no signal {signal!r} here")
        self._waiting.append(slot)
        return True

    def start(self) -> None:
        """Send the signal, as Slicer does once, when all modules are there."""
        for slot in self._waiting:
            slot()

    def __getattr__(self, name: str) -> Any:
        raise RefusedError(f"slicer.app.{name} is not modelled")


class ModuleParent:
    """The C++ side of a module, on which the module class sets its texts (qSlicerScriptedLoadableModule)."""

    def __init__(self, path: str) -> None:
        object.__setattr__(self, "path", path)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in contract.MODULE_PROPERTIES:
            raise RefusedError(f"A module has no property {name!r}")
        object.__setattr__(self, name, value)


class ScriptedLoadableModule:
    """Base of the module class: texts, icon, self test."""

    def __init__(self, parent: Any) -> None:
        import qt

        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title, parent.categories, parent.dependencies, parent.contributors = "", [], [], []
        parent.helpText = parent.acknowledgementText = ""
        icon = os.path.join(os.path.dirname(parent.path), "Resources/Icons", self.moduleName + ".png")
        if os.path.isfile(icon):
            parent.icon = qt.QIcon(icon)


class ScriptedLoadableModuleWidget:
    """Base of the panel class: layout, resources."""

    def __init__(self, parent: Any = None) -> None:
        if parent is None:
            raise RefusedError("The stand-in always gives a parent, as the application does")
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.parent = parent
        self.layout = parent.layout()

    def resourcePath(self, filename: str) -> str:
        return os.path.join(os.path.dirname(slicer.util.modulePath(self.moduleName)), "Resources", filename)

    def setup(self) -> None:
        """Add the developer section; there is none here."""

    def cleanup(self) -> None:
        """For derived classes."""


class ScriptedLoadableModuleLogic:
    """Base of the logic class."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Base of the self test."""


def _tr(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError("tr takes one text")
    TRANSLATED.append(text)
    return text


def _translate(context: str, text: str) -> str:
    if not isinstance(context, str):
        raise TypeError("translate takes a context and a text")
    return _tr(text)


def _errorDisplay(text: str, windowTitle: Any = None, parent: Any = None, standardButtons: Any = None) -> None:
    MESSAGES.append(("error", str(text)))


def _modal(*_arguments: Any, **_options: Any) -> Any:
    raise AssertionError("A dialog would wait for the user here")


def install() -> None:
    """Put the stand-ins where the module imports them from."""
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr, i18n.translate = _tr, _translate
    base = types.ModuleType("slicer.ScriptedLoadableModule")
    for cls in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(base, cls.__name__, cls)
    sys.modules["slicer.i18n"], sys.modules["slicer.ScriptedLoadableModule"] = i18n, base
    slicer.app = Application()
    slicer.qMRMLSegmentEditorWidget = lambda: wrap(qMRMLSegmentEditorWidget())
    slicer.util.errorDisplay = _errorDisplay
    slicer.util.mainWindow = lambda: wrap(WINDOW[0]) if WINDOW else None
    for name in ("messageBox", "confirmOkCancelDisplay", "confirmYesNoDisplay", "infoDisplay", "warningDisplay"):
        setattr(slicer.util, name, _modal)
