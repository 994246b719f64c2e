"""The boxes of a cascade: a line that says they may be dragged, and the run from there. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedSegAISlicer.scene.stage_boxes import boxNodes

from . import review_sentences as sentences


class BoxPanel:
    """The button "Re-run from here"; hidden where the result has no box.

    Args:
        ui: child widgets by name.
        onAgain: called with the result when a person wants a run from its boxes.
    """

    def __init__(self, ui: Any, onAgain: Callable[[Any], None]) -> None:
        self.ui = ui
        self.onAgain = onAgain
        self.node: Any = None
        ui.rerunBoxButton.toolTip = sentences.rerunHint()
        ui.rerunBoxButton.connect("clicked()", self.onClicked)

    def disconnect(self) -> None:
        """Undo the connection."""
        self.ui.rerunBoxButton.disconnect("clicked()", self.onClicked)
        self.node = None

    def show(self, segmentationNode: Any) -> None:
        """Show the button for a result that has boxes; None hides it."""
        self.node = segmentationNode
        stages = list(boxNodes(segmentationNode)) if segmentationNode is not None else []
        self.ui.rerunBoxButton.visible = bool(stages)
        self.ui.boxLabel.visible = bool(stages)
        self.ui.boxLabel.text = sentences.boxes(stages) if stages else ""

    def onClicked(self) -> None:
        """Run again from the boxes as they lie now."""
        if self.node is not None:
            self.onAgain(self.node)
