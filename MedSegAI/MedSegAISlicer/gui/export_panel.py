"""Taking things along: the result as files, the run as lines of Python. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

from MedSegAISlicer.scene.export import ExportRun
from MedSegAISlicer.scene.logic import SegmentationLogic

from . import review_sentences as sentences
from .guard import guarded

_FOLDER = "MedSegAI-result"
_STEP_MS = 10


class ExportPanel:
    """The section "Export" and the button "Copy as Python".

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        logic: what exports; its parameters tell which result is shown.
        lines: gives the lines of Python for what is on the screen.
    """

    def __init__(self, ui: Any, say: Callable[[str], None], logic: SegmentationLogic, lines: Callable[[], str]) -> None:
        self.ui = ui
        self.say = say
        self.logic = logic
        self.lines = lines
        self._run: ExportRun | None = None
        self._folder = Path()
        self._timer = qt.QTimer()
        self._timer.setInterval(_STEP_MS)
        self._timer.connect("timeout()", self.onTimer)
        ui.exportButton.connect("clicked()", self.onExport)
        ui.copyPythonButton.connect("clicked()", self.onCopyPython)

    def disconnect(self) -> None:
        """Undo the connections, and stop an export that is under way."""
        self._rest()
        self._timer.disconnect("timeout()", self.onTimer)
        self.ui.exportButton.disconnect("clicked()", self.onExport)
        self.ui.copyPythonButton.disconnect("clicked()", self.onCopyPython)

    def show(self) -> None:
        """Show the section only where there is something to export."""
        self.ui.exportCollapsibleButton.visible = self.logic.parameters().result is not None

    def onExport(self) -> None:
        """Write all files into a new folder within the chosen one: nothing that is there is replaced."""
        with guarded(self.say):
            node = self.logic.parameters().result
            if node is not None:
                self._folder = newFolder(Path(self.ui.exportDirectoryButton.directory))
                self._run = self.logic.exportAsync(node, self._folder)
                self.ui.exportButton.enabled = False
                self.say(sentences.exporting())
                self._timer.start()

    def onTimer(self) -> None:
        """Do the next step, one at a time, so that the window never stands still for long."""
        with guarded(self._abandon):
            if self._run is None:
                return
            self._run.poll()
            if self._run.state != "running":
                self._end(self._run)

    def _end(self, run: ExportRun) -> None:
        self._rest()
        if run.error is not None:
            self.say(str(run.error))
        else:
            notes = [f"{notice.message} {notice.hint}" for notice in run.notices]
            self.say(" ".join([sentences.exported(len(run.files), str(self._folder)), *notes]))

    def _abandon(self, sentence: str) -> None:
        self._rest()
        self.say(sentence)

    def _rest(self) -> None:
        self._timer.stop()
        run, self._run = self._run, None
        if run is not None:
            run.cancel()
        self.ui.exportButton.enabled = True

    def onCopyPython(self) -> None:
        """Put the lines on the clipboard."""
        with guarded(self.say):
            qt.QApplication.clipboard().setText(self.lines())
            self.say(sentences.copied())


def newFolder(parent: Path, name: str = _FOLDER) -> Path:
    """Give the path of a folder that is not there yet."""
    number = 1
    while (parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return parent / (name if number == 1 else f"{name}-{number}")
