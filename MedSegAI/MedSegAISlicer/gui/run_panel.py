"""Segment, Cancel, progress, one sentence: the state of a run as widgets. Ring 10 (GUI).

The states and what is legal in each stand in one table, so that no order of clicks can break the panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt

from MedSegAISlicer.scene.tasks import PresetOutlook

from . import sentences

# State: (the button may be pressed, it says Cancel, choices may be changed, the bar is shown)
_STATES = {
    "blocked": (False, False, True, False),
    "ready": (True, False, True, False),
    "running": (True, True, False, True),
    "cancelling": (False, True, False, True),
}
_BAR_STEPS = 1000


class RunPanel:
    """The widgets of a run.

    Args:
        ui: child widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self.state = "blocked"
        self.isProvisional = False  # a first, coarse look is in the views, and the sentence says so
        self._words: dict[str, str] = {}
        for preset, title in sentences.presetTitles().items():
            ui.presetComboBox.addItem(title, preset)
        ui.progressBar.minimum = 0
        ui.progressBar.maximum = _BAR_STEPS
        self.setState("blocked")

    def setState(self, state: str, reason: str = "") -> None:
        """Show a state; only what is legal in it can be used.

        Args:
            state: "blocked", "ready", "running" or "cancelling".
            reason: why the button cannot be pressed; shown on hover.
        """
        self.state = state
        self.isProvisional = self.isProvisional and state == "running"
        mayPress, isCancel, mayChoose, showsBar = _STATES[state]
        self.ui.segmentButton.text = sentences.cancelButton() if isCancel else sentences.segmentButton()
        self.ui.segmentButton.enabled = mayPress
        self.ui.segmentButton.toolTip = reason
        self.ui.presetComboBox.enabled = mayChoose
        self.ui.taskComboBox.enabled = mayChoose
        self.ui.progressBar.visible = showsBar

    @property
    def isIdle(self) -> bool:
        """Whether no run is under way."""
        return self.state in ("blocked", "ready")

    @property
    def preset(self) -> str:
        """The chosen preset."""
        return str(self.ui.presetComboBox.itemData(self.ui.presetComboBox.currentIndex))

    @preset.setter
    def preset(self, value: str) -> None:
        self.ui.presetComboBox.setCurrentIndex(self.ui.presetComboBox.findData(value))

    def showOutlooks(self, outlooks: Sequence[PresetOutlook]) -> None:
        """Say for each preset what it costs and is worth: the time in the list, all of it on hover and below."""
        self._words = {outlook.preset: outlook.words for outlook in outlooks}
        titles = sentences.presetTitles()
        for outlook in outlooks:
            index = self.ui.presetComboBox.findData(outlook.preset)
            if index >= 0:
                text = sentences.presetWithTime(titles[outlook.preset], outlook.seconds)
                self.ui.presetComboBox.setItemText(index, text)
                self.ui.presetComboBox.setItemData(index, outlook.words, qt.Qt.ToolTipRole)
        self.showOutlook()

    def showOutlook(self) -> None:
        """Show what the chosen preset costs and is worth."""
        self.ui.outlookLabel.text = self._words.get(self.preset, "")
        self.ui.outlookLabel.visible = bool(self.ui.outlookLabel.text)

    def say(self, sentence: str) -> None:
        """Show one sentence about what happens or is wrong."""
        self.ui.statusLabel.text = sentence

    def showProgress(self, share: float, secondsLeft: float | None) -> None:
        """Move the bar.

        Args:
            share: of the run that is done, 0 to 1.
            secondsLeft: estimate; None while nothing is known.
        """
        self.ui.progressBar.format = sentences.barFormat(share, secondsLeft)
        self.ui.progressBar.value = round(share * _BAR_STEPS)
