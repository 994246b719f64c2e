"""All sequences side by side in linked views, by one button; what they are is the study's. Ring 10 (web).

The views are made when they are first asked for: each costs a third of a second and is drawn by the processor.
"""

from __future__ import annotations

from typing import Any

from MedSegAISlicer.scene.side_by_side import fillViews

from .correct_part import CorrectPart
from .desk import Desk
from .views import BESIDE, MOST_BESIDE, Views


class BesidePart:
    """The choice of a layout, with the sequences side by side among them."""

    def __init__(self, desk: Desk, views: Views, correct: CorrectPart) -> None:
        self.desk = desk
        self.state = desk.state
        self.views = views
        self.correct = correct
        desk.onChange("layout", self.take)
        desk.onChange("sequences", lambda _sequences: self.take(self.state.layout))

    def take(self, layout: str) -> None:
        """Take a layout; side by side wants two sequences or more, else there are four views."""
        nodes = self._sequences() if layout == BESIDE else []
        if len(nodes) < 2:
            self.state.layout = "four" if layout == BESIDE else layout
            self.views.layouts.set_layout(self.state.layout)
            return
        if len(self.views.beside) < len(nodes):
            self.correct.take("")
            with self.correct.withoutTools():
                self.views.makeBeside(len(nodes))
        fillViews(self.desk.scene, nodes)
        self.views.showBeside(len(nodes))

    def _sequences(self) -> list[Any]:
        """Give the volumes that there is a view for, and name the views after them."""
        shown = self.state.sequences[:MOST_BESIDE]
        self.state.update({f"beside_{number}": entry["title"] for number, entry in enumerate(shown, start=1)})
        return [self.desk.scene.GetNodeByID(entry["value"]) for entry in shown]
