"""The list of the tasks: what does not fit the loaded volumes is grey and says why. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from MedSegAISlicer.scene.tasks import TaskChoice


class TaskPanel:
    """The list.

    Args:
        ui: child widgets by name.
        onChosen: called with the name of the task that a person chose.
    """

    def __init__(self, ui: Any, onChosen: Callable[[str], None]) -> None:
        self.ui = ui
        self.onChosen = onChosen
        ui.taskComboBox.connect("currentIndexChanged(int)", self.onIndexChanged)

    def disconnect(self) -> None:
        """Undo the connection."""
        self.ui.taskComboBox.disconnect("currentIndexChanged(int)", self.onIndexChanged)

    def show(self, choices: Sequence[TaskChoice], task: str) -> None:
        """Show the tasks.

        Args:
            choices: in the order of the list.
            task: the chosen one; it stays chosen even where it does not fit.
        """
        box = self.ui.taskComboBox
        box.blockSignals(True)
        box.clear()
        for index, choice in enumerate(choices):
            box.addItem(choice.title, choice.task)
            box.setItemData(index, choice.whyNot or choice.title, qt.Qt.ToolTipRole)
            box.model().item(index).setEnabled(not choice.whyNot or choice.task == task)
        box.setCurrentIndex(box.findData(task))
        box.blockSignals(False)
        box.toolTip = next((choice.whyNot or choice.title for choice in choices if choice.task == task), "")

    def onIndexChanged(self, index: int) -> None:
        """A task was chosen."""
        if index >= 0:
            self.onChosen(str(self.ui.taskComboBox.itemData(index)))
