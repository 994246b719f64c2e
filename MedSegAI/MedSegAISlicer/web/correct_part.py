"""Correct: clicks, strokes and the brush on the chosen region; the others in step; undo and redo. Ring 10 (web).

The brush is trame-slicer's; it may differ from the one of Slicer's Segment Editor. What it changes is noticed by the
one undo history, like an edit of anybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trame_slicer.segmentation import SegmentationEffectErase, SegmentationEffectPaint
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode, PaintEffectParameters
from trame_slicer.utils import create_scripted_module_dataclass_proxy

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.prompts import Prompt
from MedSegAISlicer.gui import review_sentences as sentences
from MedSegAISlicer.scene.correct import Correcting, correctAsync, fillBetweenAsync
from MedSegAISlicer.scene.correct_prompts import drawPrompts
from MedSegAISlicer.scene.in_step import Offer, bringInStep
from MedSegAISlicer.scene.locks import refuseLocked
from MedSegAISlicer.scene.undo import Entry, UndoHistory

from .desk import Desk
from .preview import Preview
from .prompt_tools import STROKE_MM, ExcludeEffect, ExcludeOutlineEffect, IncludeEffect, IncludeOutlineEffect
from .review_part import ReviewPart

_BRUSHES = {"paint": SegmentationEffectPaint, "erase": SegmentationEffectErase}
_PROMPTS = {"include": IncludeEffect, "exclude": ExcludeEffect}
_OUTLINES = {"include": IncludeOutlineEffect, "exclude": ExcludeOutlineEffect}
_BRUSH_MM = 8.0
_SETTLE_S = 0.15  # a stroke sends several events; the numbers follow when it rests


class CorrectPart:
    """The section "Correct"."""

    def __init__(self, desk: Desk, review: ReviewPart) -> None:
        self.desk = desk
        self.state = desk.state
        self.review = review
        self.editor: Any = desk.application.segmentation_editor
        self.history: UndoHistory | None = None
        self.preview = Preview(desk)
        self._offer: Offer | None = None
        self._isDue = False
        self.editor.segmentation_modified.connect(self._onModified)
        review.onRefreshed = self.refresh
        review.onChosen = self._follow
        self.state.update({"tool": "", "brush_mm": _BRUSH_MM, "offer": "", "undo_name": "", "redo_name": ""})
        self.state.update({"undo_hint": "", "redo_hint": ""})
        self.state.is_correcting = False
        self.state.is_lasso = False
        for prompting in (*_PROMPTS.values(), *_OUTLINES.values()):
            self.editor.get_effect(prompting).hear = desk.slot(self.prompt)
        desk.onChange("tool", self.take)
        desk.onChange("is_lasso", lambda _isLasso: self._follow())
        desk.onChange("brush_mm", self._setBrush)

    def take(self, tool: str | None) -> None:
        """Take a tool into the hand, or put it away.

        Raises:
            UsageError: "viewer.nothing_to_correct" without a result; "viewer.under_transform"; "segment.locked".
        """
        try:
            if tool:
                self._check()
        except UsageError:
            tool = ""
            raise
        finally:
            self.state.tool = tool or ""
            self.review.result.isEditing = bool(tool)
            self.review.result.drawSurfaces()
            self.review.result.drawBoxes()
            self.editor.deactivate_effect()
            if tool:
                self.editor.set_active_segment_id(self.state.chosen)
                effect = {**_BRUSHES, **(_OUTLINES if self.state.is_lasso else _PROMPTS)}[tool]
                self.editor.set_active_effect_type(effect)
                if effect not in _OUTLINES.values():
                    self._setBrush(self.state.brush_mm)
                    self._keepBrushOutOfSurfaces(effect)

    @contextmanager
    def withoutTools(self) -> Iterator[None]:
        """Take the tools out of the scene while views are made; trame-slicer tells a tool its view only when it comes.

        Put the tool in the hand away first.
        """
        effects = {*_BRUSHES.values(), *_PROMPTS.values(), *_OUTLINES.values()}
        nodes = [self.editor.get_effect_parameter_node(effect) for effect in effects]
        for node in nodes:
            self.desk.scene.RemoveNode(node)
        try:
            yield
        finally:
            for node in nodes:
                self.desk.scene.AddNode(node)

    def prompt(self, prompt: Prompt) -> None:
        """Ask the worker for a correction of the chosen region.

        Raises:
            UsageError: "viewer.correcting" while one is under way; see ``scene.correct.correctAsync``.
        """
        self._checkIdle()
        client, isPreview = self.desk.logic.runner.client, self.preview.isWanted
        self._begin(correctAsync(self.review.node, self.state.chosen, prompt, client, isPreview=isPreview))

    def fill(self) -> None:
        """Fill the chosen region between the slices that it is drawn on; raises as :meth:`prompt`."""
        self._checkIdle()
        self._begin(fillBetweenAsync(self.review.node, self.state.chosen, self.desk.logic.runner.client))

    def apply(self) -> None:
        """Bring the preview into the result; raises as ``Correcting.apply``."""
        waiting = self.preview.take()
        if waiting is not None:
            waiting.apply()
            self._corrected(waiting)

    def discard(self) -> None:
        """Forget the preview."""
        if self.preview.take() is not None:
            self.desk.say(sentences.discarded())

    def _checkIdle(self) -> None:
        if self.state.is_correcting:
            raise UsageError("viewer.correcting", "A correction is under way.", "Wait for it, then click again.")
        self._check()

    def _begin(self, correcting: Correcting) -> None:
        self.preview.take()
        correcting.onDone, correcting.onError = self._corrected, self._notCorrected
        self.state.is_correcting = True
        self.desk.say(f"{correcting.name}\N{HORIZONTAL ELLIPSIS}")
        self.state.flush()
        self.desk.listen()

    def _corrected(self, correcting: Correcting) -> None:
        self.state.is_correcting = False
        if not correcting.isApplied:
            self.preview.hold(correcting)
            return
        self._offer = None
        self.review.refresh()
        self.desk.say(correcting.words)

    def _notCorrected(self, correcting: Correcting) -> None:
        self.state.is_correcting = False
        self.desk.warn(str(correcting.error))

    def bringInStep(self) -> None:
        """Let the other regions follow the last edit."""
        offer, self._offer = self._offer, None
        if offer is not None and all(change.node.GetScene() is not None for change in offer.changes):
            offer.apply()
            self.desk.say(sentences.broughtInStep(offer))
        self.review.refresh()

    def undo(self) -> None:
        """Take the last entry of the history back, whatever made it; a preview goes."""
        self.preview.take()
        if self.history is not None:
            self._tell(self.history.undo(), isBack=True)

    def redo(self) -> None:
        """Do the last undone entry again; a preview goes."""
        self.preview.take()
        if self.history is not None:
            self._tell(self.history.redo(), isBack=False)

    def refresh(self) -> None:
        """Show what undo and redo would do, and what is offered."""
        if self.review.node is not None:
            self.history = UndoHistory.of(self.review.node)
        elif self.history is not None and not self.history.isAlive:
            self.history = None
        undoName, redoName = (self.history.undoName, self.history.redoName) if self.history else ("", "")
        self.state.update({"undo_name": undoName, "redo_name": redoName})
        self.state.update({"undo_hint": sentences.undoHint(undoName), "redo_hint": sentences.redoHint(redoName)})
        self.state.offer = sentences.offer(self._offer) if self._offer is not None else ""

    def _check(self) -> None:
        node = self.review.node
        if node is None or not self.state.chosen:
            raise UsageError(
                "viewer.nothing_to_correct", "There is no region to correct yet.", "Press Segment, then choose one."
            )
        if node.GetParentTransformNode() is not None or self.editor.active_segmentation_node is not node:
            # The brush of trame-slicer leaves parent transforms out and would paint elsewhere.
            raise UsageError(
                "viewer.under_transform",
                "The brush of the viewer works on results whose volume is there and under no transform.",
                "Correct it in 3D Slicer.",
            )
        refuseLocked(node, self.state.chosen)

    def _follow(self) -> None:
        """Another region was chosen: the tool goes on there, or is put away where it may not; a preview goes."""
        self.preview.take()
        if self.state.tool:
            self.take(self.state.tool)

    def _setBrush(self, diameterMm: float) -> None:
        for effect in _BRUSHES.values():
            self.editor.get_effect(effect).set_brush_diameter(float(diameterMm), BrushDiameterMode.Absolute)
        for effect in _PROMPTS.values():
            self.editor.get_effect(effect).set_brush_diameter(STROKE_MM, BrushDiameterMode.Absolute)

    def _keepBrushOutOfSurfaces(self, effect: Any) -> None:
        """Show the outline of the brush in the slices only."""
        node = self.editor.get_effect_parameter_node(effect)
        parameters = create_scripted_module_dataclass_proxy(PaintEffectParameters, node, self.desk.scene)
        for model in (parameters.brush_model_node, parameters.paint_feedback_model_node):
            if model is not None:
                model.GetDisplayNode().SetVisibility3D(False)

    def _onModified(self, *_arguments: Any) -> None:
        if self.state.tool in _BRUSHES and not self._isDue:
            self._isDue = True
            self.desk.later(self._settle())

    async def _settle(self) -> None:
        """Note the stroke, and say what must follow it."""
        await asyncio.sleep(_SETTLE_S)
        self._isDue = False
        if self.history is None or self.review.node is None:
            return
        entry = self.history.noteEdits()
        if entry is not None:
            drawn = [(changed.node, change.segmentId) for changed in entry.changes for change in changed.segments]
            self._offer = bringInStep(*drawn[-1]) if drawn else None
            self.review.refresh()

    def _tell(self, entry: Entry | None, *, isBack: bool) -> None:
        if self.history is None or entry is None:
            return
        self._offer = None
        node = self.history.nodeToShow(entry)
        if node is not None:
            drawPrompts(node)
        if node is self.review.node:
            self.review.refresh()
        else:
            self.review.show(node)
        self.desk.say(sentences.undone(entry.words) if isBack else sentences.doneAgain(entry.words))
