"""A stand-in for Slicer's desktop: loads ``MedSegAI.py`` unchanged on real MRML and lets a test click it.

What a green test here proves: the panel's own code, on real MRML, against the modelled Qt. It does not prove that the
module works in Slicer: the desktop itself is not run here.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer
from PySide6 import QtCore, QtGui, QtTest, QtWidgets

from . import mrml, qt_proxy, slicer_stand_ins
from .widgets import qMRMLNodeComboBox, qMRMLWidget

MODULE = "MedSegAI"


def application() -> Any:
    """Give the one QApplication of this process, in a look that is the same on every machine."""
    app = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    app.setStyle("Fusion")
    return app


class Desktop:
    """One opened module.

    Args:
        folder: folder of ``MedSegAI.py``.
    """

    def __init__(self, folder: Path) -> None:
        self.app = application()
        self.scene, self.errors = mrml.boot()
        qt_proxy.install()
        slicer_stand_ins.install()
        slicer_stand_ins.MESSAGES.clear()
        qt_proxy.FAILURES.clear()
        qt_proxy.forgetConnections()
        self._hook, sys.excepthook = sys.excepthook, self._keep  # VTK hands over what its observers raise
        self.observersBefore = self._observers()
        path = folder / f"{MODULE}.py"
        slicer.modules.medsegai = types.SimpleNamespace(path=str(path))
        self.module = self._load(path)
        self.parent = slicer_stand_ins.ModuleParent(str(path))
        getattr(self.module, MODULE)(self.parent)
        self.root = qMRMLWidget()
        QtWidgets.QVBoxLayout(self.root).setContentsMargins(4, 4, 4, 4)
        slicer_stand_ins.WINDOW[:] = [self.root]
        self.widget = getattr(self.module, f"{MODULE}Widget")(qt_proxy.wrap(self.root))
        self.widget.setup()
        self.root.resize(420, 620)
        self.root.show()
        self.widget.enter()
        self.settle()

    @staticmethod
    def _load(path: Path) -> Any:
        """Import the module's file by its path, under its own name, as Slicer's factory does."""
        if str(path.parent) not in sys.path:
            sys.path.append(str(path.parent))
        spec = importlib.util.spec_from_file_location(MODULE, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[MODULE] = module
        spec.loader.exec_module(module)
        return module

    def _keep(self, kind: Any, error: BaseException, trace: Any) -> None:
        import traceback

        qt_proxy.FAILURES.append("".join(traceback.format_exception(kind, error, trace)))

    def _observers(self) -> int:
        """Count the observers of the scene's own events."""
        events = slicer.vtkMRMLScene
        watched = (events.StartCloseEvent, events.EndCloseEvent, events.NodeAddedEvent, events.NodeRemovedEvent)
        return sum(1 for event in watched if self.scene.HasObserver(event))

    def close(self) -> None:
        """Leave the module and unload it as Slicer does at its end."""
        self.widget.exit()
        self.widget.cleanup()
        for selector in self.root.findChildren(qMRMLNodeComboBox):
            selector.setMRMLScene(None)
        slicer_stand_ins.WINDOW.clear()
        self.root.close()
        self.root.deleteLater()
        self.settle()
        sys.excepthook = self._hook

    # What a person sees and does.

    def find(self, name: str) -> Any:
        """Give the Qt widget itself."""
        found = self.root.findChild(QtWidgets.QWidget, name)
        if found is None:
            raise AssertionError(f"The panel has no widget {name!r}")
        return found

    def click(self, name: str) -> None:
        """Click with the mouse; a hidden or greyed widget cannot be clicked."""
        widget = self.find(name)
        if not (widget.isVisible() and widget.isEnabled()):
            raise AssertionError(f"{name} is hidden or greyed: {self.text('statusLabel')}")
        QtTest.QTest.mouseClick(widget, QtCore.Qt.MouseButton.LeftButton)
        self.settle()

    def press(self, key: str) -> None:
        """Press a key, for example "Shift+N", while the window of the module has the focus."""
        self.root.activateWindow()
        self.root.setFocus()
        self.settle()
        combination = QtGui.QKeySequence(key)[0]
        QtTest.QTest.keyClick(self.root, combination.key(), combination.keyboardModifiers())
        self.settle()

    def tick(self, row: int, column: int = 0) -> None:
        """Click a box of a row of the region table: shown, or locked in column 4."""
        item = self.find("regionTable").item(row, column)
        checked = QtCore.Qt.CheckState
        item.setCheckState(checked.Unchecked if item.checkState() == checked.Checked else checked.Checked)
        self.settle()

    def logicResult(self) -> Any:
        """Give the segmentation node that the panel shows."""
        return self.widget.logic.parameters().result

    def states(self) -> list[str]:
        """Give the states in the region table."""
        table = self.find("regionTable")
        return [table.item(row, 3).text() for row in range(table.rowCount())]

    def choose(self, role: str, name: str) -> None:
        """Choose a volume by its name in the selector of a role."""
        self.find(f"{role}Selector").chooseByHand(name)
        self.settle()

    def chosen(self) -> dict[str, str]:
        """Give what the selectors show."""
        return {role: self.find(f"{role}Selector").box.currentText() for role in ("T1", "T1ce", "T2", "FLAIR")}

    def text(self, name: str) -> str:
        """Give the text of a label or button."""
        return str(self.find(name).text())

    def rows(self) -> list[list[str]]:
        """Give the region table as texts; no rows while it is hidden."""
        table = self.find("regionTable")
        if not table.isVisible():
            return []
        return [[table.item(row, column).text() for column in (1, 2)] for row in range(table.rowCount())]

    @property
    def messages(self) -> list[tuple[str, str]]:
        """The message boxes that were opened."""
        return slicer_stand_ins.MESSAGES

    def settle(self) -> None:
        """Let everything that is due happen."""
        for _ in range(3):
            self.app.processEvents()
            QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)

    def waitFor(self, isTrue: Callable[[], bool], seconds: float = 60.0) -> None:
        """Run the event loop until something is true."""
        end = time.monotonic() + seconds
        while not isTrue():
            if time.monotonic() > end:
                raise AssertionError(f"Waited {seconds} s in vain; the panel says: {self.text('statusLabel')}")
            self.app.processEvents(QtCore.QEventLoop.ProcessEventsFlag.AllEvents, 20)
            time.sleep(0.005)

    def picture(self, path: Path) -> None:
        """Save what the panel looks like."""
        self.root.grab().save(str(path))
