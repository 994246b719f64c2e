"""Taking things along: the result as files, the run as lines of Python. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import qt

from MedSegAISlicer.scene.export import exportSteps

from . import review_sentences as sentences
from .guard import guarded

_FOLDER = "MedSegAI-result"


class ExportPanel:
    """The section "Export" and the button "Copy as Python".

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        result: gives the segmentation node that is shown, or None.
        lines: gives the lines of Python for what is on the screen.
    """

    def __init__(
        self, ui: Any, say: Callable[[str], None], result: Callable[[], Any], lines: Callable[[], str]
    ) -> None:
        self.ui = ui
        self.say = say
        self.result = result
        self.lines = lines
        self._steps: Iterator[list[Path]] = iter(())
        self._count, self._folder = 0, Path()
        ui.exportButton.connect("clicked()", self.onExport)
        ui.copyPythonButton.connect("clicked()", self.onCopyPython)

    def disconnect(self) -> None:
        """Undo the connections."""
        self._steps = iter(())
        self.ui.exportButton.disconnect("clicked()", self.onExport)
        self.ui.copyPythonButton.disconnect("clicked()", self.onCopyPython)

    def show(self) -> None:
        """Show the section only where there is something to export."""
        self.ui.exportCollapsibleButton.visible = self.result() is not None

    def onExport(self) -> None:
        """Write all files into a new folder within the chosen one: nothing that is there is replaced."""
        with guarded(self.say):
            node = self.result()
            if node is not None:
                folder = newFolder(Path(self.ui.exportDirectoryButton.directory))
                self._steps, self._count, self._folder = exportSteps(node, folder), 0, folder
                self.ui.exportButton.enabled = False
                self.onStepDue()

    def onStepDue(self) -> None:
        """Write the next file; one at a time, so that the window never stands still for long."""
        written = None
        with guarded(self.say):
            written = next(self._steps, [])
            self._count += len(written)
            if not written:
                self.say(sentences.exported(self._count, str(self._folder)))
        if written:
            qt.QTimer.singleShot(0, self.onStepDue)
        else:
            self._steps = iter(())
            self.ui.exportButton.enabled = True

    def onCopyPython(self) -> None:
        """Put the lines on the clipboard."""
        with guarded(self.say):
            qt.QApplication.clipboard().setText(self.lines())
            self.say(sentences.copied())


def newFolder(parent: Path) -> Path:
    """Give the path of a folder that is not there yet."""
    number = 1
    while (parent / (_FOLDER if number == 1 else f"{_FOLDER}-{number}")).exists():
        number += 1
    return parent / (_FOLDER if number == 1 else f"{_FOLDER}-{number}")
