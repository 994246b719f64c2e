"""Correct: paint and erase on the chosen region, undo and redo. Ring 10 (web).

The brush is trame-slicer's; it may differ from the one of Slicer's Segment Editor.
"""

from __future__ import annotations

from typing import Any

from trame_slicer.segmentation import SegmentationEffectErase, SegmentationEffectPaint
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode
from undo_stack import UndoStack

from MedSegAILib.core.errors import UsageError

from .desk import Desk
from .review_part import ReviewPart

_TOOLS = {"paint": SegmentationEffectPaint, "erase": SegmentationEffectErase}
_BRUSH_MM = 8.0
_STROKES = 20


class CorrectPart:
    """The section "Correct"."""

    def __init__(self, desk: Desk, review: ReviewPart) -> None:
        self.desk = desk
        self.state = desk.state
        self.review = review
        self.editor: Any = desk.application.segmentation_editor
        self._strokes = UndoStack(undo_limit=_STROKES)
        self.editor.set_undo_stack(self._strokes)
        for signal in self._strokes.signals():
            signal.connect(self._onStroke)
        self.state.update({"tool": "", "brush_mm": _BRUSH_MM, "can_undo": False, "can_redo": False})
        desk.onChange("tool", self.take)
        desk.onChange("brush_mm", self._setBrush)

    def take(self, tool: str | None) -> None:
        """Take a tool into the hand, or put it away.

        Raises:
            UsageError: "viewer.nothing_to_correct" without a result.
        """
        self.state.tool = tool or ""
        self.review.result.isEditing = bool(tool)
        self.review.result.drawSurfaces()
        if not tool:
            self.editor.deactivate_effect()
            return
        if self.review.node is None or not self.state.chosen:
            self.state.tool = ""
            raise UsageError(
                "viewer.nothing_to_correct", "There is no region to correct yet.", "Press Segment, then choose one."
            )
        self.editor.set_active_segment_id(self.state.chosen)
        self.editor.set_active_effect_type(_TOOLS[tool])
        self._setBrush(self.state.brush_mm)

    def undo(self) -> None:
        """Take the last stroke back."""
        self._strokes.undo()
        self.review.refresh()

    def redo(self) -> None:
        """Bring the stroke back that was taken back."""
        self._strokes.redo()
        self.review.refresh()

    def _setBrush(self, diameterMm: float) -> None:
        for effect in _TOOLS.values():
            self.editor.get_effect(effect).set_brush_diameter(float(diameterMm), BrushDiameterMode.Absolute)

    def _onStroke(self, *_arguments: Any) -> None:
        self.state.update({"can_undo": self._strokes.can_undo(), "can_redo": self._strokes.can_redo()})
        self.desk.slot(self.review.refresh)()
        self.state.flush()
