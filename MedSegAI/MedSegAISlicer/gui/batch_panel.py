"""The worst-first list of a batch: choose its folder, open a study for review. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from MedSegAISlicer.scene.batch_review import openStudy, worstFirst
from MedSegAISlicer.scene.logic import SegmentationLogic

from . import review_sentences as sentences
from .guard import guarded


class BatchPanel:
    """The section "Batch".

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        logic: knows the packages, and what the scene remembers.
        onOpened: called with the result of a study that was opened.
    """

    def __init__(
        self, ui: Any, say: Callable[[str], None], logic: SegmentationLogic, onOpened: Callable[[Any], None]
    ) -> None:
        self.ui = ui
        self.say = say
        self.logic = logic
        self.onOpened = onOpened
        ui.batchCollapsibleButton.collapsed = True
        ui.batchDirectoryButton.connect("directoryChanged(QString)", self.onFolder)
        ui.openStudyButton.connect("clicked()", self.onOpen)
        ui.openStudyButton.enabled = False

    def disconnect(self) -> None:
        """Undo the connections."""
        self.ui.batchDirectoryButton.disconnect("directoryChanged(QString)", self.onFolder)
        self.ui.openStudyButton.disconnect("clicked()", self.onOpen)

    def onFolder(self) -> None:
        """A folder was chosen: list its studies."""
        self.ui.worstComboBox.clear()
        self.ui.openStudyButton.enabled = False
        with guarded(self.say):
            studies = worstFirst(self._folder())
            for line in studies:
                self.ui.worstComboBox.addItem(sentences.worst(line.study, line.reasons), line.study)
            self.ui.openStudyButton.enabled = bool(studies)
            self.say(sentences.batchRead(len(studies)))

    def onOpen(self) -> None:
        """Open the chosen study."""
        with guarded(self.say):
            study = str(self.ui.worstComboBox.itemData(self.ui.worstComboBox.currentIndex))
            task, volumes, node = openStudy(self._folder(), study, lambda name: self.logic.package(name).scheme)
            remembered = self.logic.parameters()
            remembered.task = task
            for role, volume in volumes.items():
                remembered.setInput(role, volume)
            self.onOpened(node)
            self.say(sentences.studyOpened(study))

    def _folder(self) -> Path:
        return Path(str(self.ui.batchDirectoryButton.directory))
