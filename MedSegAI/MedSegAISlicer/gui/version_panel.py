"""Versions of a result: choose which one is shown, see what changed, take a region of the one before. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedSegAISlicer.scene.family import versionsOf
from MedSegAISlicer.scene.versions import compareVersions, takeRegion, versionBefore

from . import review_sentences as sentences
from .guard import guarded


class VersionPanel:
    """The row of the versions; hidden while there is one version only.

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        onChosen: called with the node of the version that a person chose.
        chosenRegion: gives the id of the chosen region; empty when none is.
    """

    def __init__(
        self,
        ui: Any,
        say: Callable[[str], None],
        onChosen: Callable[[Any], None],
        chosenRegion: Callable[[], str],
    ) -> None:
        self.ui = ui
        self.say = say
        self.onChosen = onChosen
        self.chosenRegion = chosenRegion
        self._versions: list[Any] = []
        ui.takeRegionButton.toolTip = sentences.takeHint()
        ui.versionComboBox.connect("currentIndexChanged(int)", self.onIndexChanged)
        ui.takeRegionButton.connect("clicked()", self.onTakeRegion)

    def disconnect(self) -> None:
        """Undo the connections."""
        self.ui.versionComboBox.disconnect("currentIndexChanged(int)", self.onIndexChanged)
        self.ui.takeRegionButton.disconnect("clicked()", self.onTakeRegion)
        self._versions = []

    def show(self, segmentationNode: Any) -> None:
        """Show the versions of a result; None hides the row."""
        self._versions = versionsOf(segmentationNode) if segmentationNode is not None else []
        isNeeded = len(self._versions) > 1
        box = self.ui.versionComboBox
        box.blockSignals(True)
        box.clear()
        for node in self._versions:
            box.addItem(node.GetName())
        if isNeeded:
            box.setCurrentIndex(self._versions.index(segmentationNode))
        box.blockSignals(False)
        earlier = versionBefore(segmentationNode) if isNeeded else None
        self.ui.takeRegionButton.enabled = earlier is not None
        changes = compareVersions(earlier, segmentationNode) if earlier is not None else []
        self.ui.changeLabel.text = sentences.changes(earlier.GetName(), changes) if changes else ""
        for widget in (self.ui.versionLabel, box, self.ui.takeRegionButton):
            widget.visible = isNeeded
        self.ui.changeLabel.visible = bool(changes)

    def onIndexChanged(self, index: int) -> None:
        """A version was chosen."""
        with guarded(self.say):
            if 0 <= index < len(self._versions) and self._versions[index].GetScene() is not None:
                self.onChosen(self._versions[index])

    def onTakeRegion(self) -> None:
        """Take the chosen region of the version before."""
        with guarded(self.say):
            node = self._versions[self.ui.versionComboBox.currentIndex]
            region, earlier = self.chosenRegion(), versionBefore(node)
            if not region or earlier is None:
                self.say(sentences.chooseRegionFirst())
                return
            kept = takeRegion(earlier, node, region)
            self.say(sentences.regionTaken(earlier.GetName(), bool(kept)))
