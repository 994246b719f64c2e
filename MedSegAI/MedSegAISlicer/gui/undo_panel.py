"""Undo and redo of all that happens to a result, by name; the history itself is ``scene.undo``. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedSegAISlicer.scene.locks import isLocked
from MedSegAISlicer.scene.undo import Entry, UndoHistory

from . import review_sentences as sentences
from .guard import guarded
from .keys import KEYS
from .shortcuts import Shortcuts

# Slicer's main window has no such keys; those of the Segment Editor are taken away when its module is left
# (qMRMLSegmentEditorWidget::uninstallKeyboardShortcuts), so the two never meet.
_KEYS = {"undoButton": KEYS["undo"], "redoButton": KEYS["redo"]}


class UndoPanel:
    """The two buttons; greyed where there is nothing to undo.

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        onStep: called with the node to show after an undo or redo; None when no version is left.
    """

    def __init__(self, ui: Any, say: Callable[[str], None], onStep: Callable[[Any], None]) -> None:
        self.ui = ui
        self.say = say
        self.onStep = onStep
        self.history: UndoHistory | None = None
        ui.undoButton.connect("clicked()", self.onUndo)
        ui.redoButton.connect("clicked()", self.onRedo)
        self.shortcuts = Shortcuts({_KEYS["undoButton"]: self.onUndo, _KEYS["redoButton"]: self.onRedo})
        self.draw()

    def disconnect(self) -> None:
        """Undo the connections."""
        self.shortcuts.remove()
        self.ui.undoButton.disconnect("clicked()", self.onUndo)
        self.ui.redoButton.disconnect("clicked()", self.onRedo)
        self.history = None

    def show(self, segmentationNode: Any) -> None:
        """Take up the history of a result; without one the last stays, so that an undone run can be done again."""
        if segmentationNode is not None:
            self.history = UndoHistory.of(segmentationNode)
            entry = self.history.noteEdits()
            if entry is not None:
                self._warnOfLocks(entry)
        elif self.history is not None and not self.history.isAlive:
            self.history = None
        self.draw()

    def draw(self) -> None:
        """Show what undo and redo would do."""
        undoName, redoName = (self.history.undoName, self.history.redoName) if self.history else ("", "")
        self.ui.undoButton.enabled, self.ui.redoButton.enabled = bool(undoName), bool(redoName)
        self.ui.undoButton.toolTip = sentences.buttonHint(sentences.undoHint(undoName), _KEYS["undoButton"])
        self.ui.redoButton.toolTip = sentences.buttonHint(sentences.redoHint(redoName), _KEYS["redoButton"])

    def onUndo(self) -> None:
        """Take the last entry back."""
        with guarded(self.say):
            if self.history is not None:
                self._tell(self.history.undo(), isBack=True)

    def onRedo(self) -> None:
        """Do the last undone entry again."""
        with guarded(self.say):
            if self.history is not None:
                self._tell(self.history.redo(), isBack=False)

    def _warnOfLocks(self, entry: Entry) -> None:
        """Tell when someone has drawn in a locked region; the drawing stands, it is a person's."""
        for changed in entry.changes:
            for change in changed.segments:
                if change.byteCount and isLocked(changed.node, change.segmentId):
                    self.say(sentences.lockedButEdited(change.title))

    def _tell(self, entry: Entry | None, *, isBack: bool) -> None:
        if self.history is None or entry is None:
            return
        self.onStep(self.history.nodeToShow(entry))
        self.say(sentences.undone(entry.words) if isBack else sentences.doneAgain(entry.words))
        self.draw()
