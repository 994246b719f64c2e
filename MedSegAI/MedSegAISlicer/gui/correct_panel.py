"""Corrections by prompts: tools and keys, a preview, doubt and prompts over the slices. Ring 10 (GUI).

What a prompt does is the matter of ``scene.correct``; undo and redo are those of the history (``undo_panel``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.prompts import Prompt
from MedSegAISlicer.scene.correct import Correcting, correctAsync, fillBetweenAsync
from MedSegAISlicer.scene.correct_doubt import hideDoubt, showDoubt
from MedSegAISlicer.scene.correct_export import exportCorrections
from MedSegAISlicer.scene.correct_preview import removePreview, showPreview
from MedSegAISlicer.scene.correct_prompts import drawPrompts, setPromptsShown
from MedSegAISlicer.scene.correct_tool import PromptTool
from MedSegAISlicer.scene.logic import SegmentationLogic

from . import correct_sentences as words
from . import review_sentences, sentences
from .export_panel import newFolder
from .guard import guarded
from .keys import KEYS
from .shortcuts import Shortcuts

_POLL_MS = 10
_LOOK_FIRST = 1  # index of "Look first"
# Not Return and Esc: a line of text in the panel needs them.
_KEYS = {f"{name}Button": KEYS[name] for name in ("include", "exclude", "applyPreview", "discardPreview")}


class CorrectPanel:
    """The section "Correct".

    Args:
        ui: child widgets by name.
        say: shows one sentence.
        logic: gives the worker's client.
        chosen: gives the id of the region that is chosen in the table; empty when none is.
        onChanged: called with the result after a correction.
    """

    def __init__(
        self,
        ui: Any,
        say: Callable[[str], None],
        logic: SegmentationLogic,
        chosen: Callable[[], str],
        onChanged: Callable[[Any], None],
    ) -> None:
        self.ui, self.say, self.logic, self.chosen, self.onChanged = ui, say, logic, chosen, onChanged
        self.node: Any = None
        self.correcting: Correcting | None = None
        self._isDoubtShown, self._arePromptsShown = False, True
        self.tool = PromptTool(self.onPrompt, self.onPromptRefused)
        for kind, title in words.tools().items():
            ui.correctToolComboBox.addItem(title, kind)
        for title in words.modes():
            ui.correctModeComboBox.addItem(title)
        self._slots = {
            "includeButton": self.onInclude,
            "excludeButton": self.onExclude,
            "applyPreviewButton": self.onApply,
            "discardPreviewButton": self.onDiscard,
            "fillBetweenButton": self.onFillBetween,
            "doubtButton": self.onDoubt,
            "promptsButton": self.onPrompts,
            "exportCorrectionsButton": self.onExport,
        }
        for name, hint in words.hints().items():
            getattr(ui, name).toolTip = review_sentences.buttonHint(hint, _KEYS[name]) if name in _KEYS else hint
            getattr(ui, name).connect("clicked()", self._slots[name])
        self.shortcuts = Shortcuts({key: self._slots[name] for name, key in _KEYS.items()})
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self.onTimer)
        self.show(None)

    def cleanup(self) -> None:
        """Leave nothing behind."""
        self.tool.stop()
        self.shortcuts.remove()
        self._timer.stop()
        self._timer.disconnect("timeout()", self.onTimer)
        for name, slot in self._slots.items():
            getattr(self.ui, name).disconnect("clicked()", slot)
        self.node, self.correcting = None, None

    def show(self, segmentationNode: Any) -> None:
        """Show the section for a result; None hides it."""
        if segmentationNode is not self.node:
            self._forget()
            self.node = segmentationNode
        if self.node is not None:
            drawPrompts(self.node)
            setPromptsShown(self.node, self._arePromptsShown)
        self._draw()

    # Slots.

    def onInclude(self) -> None:
        """Place a prompt where the region is."""
        self._place(isInclude=True)

    def onExclude(self) -> None:
        """Place a prompt where the region is not."""
        self._place(isInclude=False)

    def onPrompt(self, segmentationNode: Any, segmentId: str, prompt: Prompt) -> None:
        """A prompt was placed: ask the worker."""
        with guarded(self._refused):
            isPreview = self.ui.correctModeComboBox.currentIndex == _LOOK_FIRST
            client = self.logic.runner.client
            self._follow(correctAsync(segmentationNode, segmentId, prompt, client, isPreview=isPreview))

    def onPromptRefused(self, error: MedSegAIError) -> None:
        """What was placed is no prompt."""
        self._refused(sentences.problem(error))

    def onApply(self) -> None:
        """Bring the preview into the result."""
        with guarded(self._refused):
            waiting, self.correcting = self.correcting, None
            if waiting is not None and waiting.state == "done":
                removePreview(waiting.node.GetScene())
                waiting.apply()
                self._tell(waiting)
            self._draw()

    def onDiscard(self) -> None:
        """Forget the preview, and a prompt that is being placed."""
        with guarded(self.say):
            self._forget()
            self._draw()

    def onFillBetween(self) -> None:
        """Fill the chosen region between its slices."""
        with guarded(self._refused):
            if self.node is not None and self.chosen():
                self._forget()
                self._follow(fillBetweenAsync(self.node, self.chosen(), self.logic.runner.client))

    def onDoubt(self) -> None:
        """Show or hide where the network is undecided."""
        with guarded(self.say):
            if self.node is not None:
                if self._isDoubtShown:
                    hideDoubt(self.node.GetScene())
                    self._isDoubtShown = False
                elif self.chosen():
                    showDoubt(self.node, self.chosen(), self.logic.runner.client)
                    self._isDoubtShown = True
            self._draw()

    def onPrompts(self) -> None:
        """Show or hide the prompts."""
        with guarded(self.say):
            self._arePromptsShown = not self._arePromptsShown
            if self.node is not None:
                setPromptsShown(self.node, self._arePromptsShown)
            self._draw()

    def onExport(self) -> None:
        """Write the corrections as a study of a data set into the export folder."""
        with guarded(self.say):
            if self.node is not None:
                folder = newFolder(Path(self.ui.exportDirectoryButton.directory) / "corrections", "study")
                files = exportCorrections(self.node, folder, self.logic.runner.client)
                self.say(words.exported(len(files), str(folder)))

    def onTimer(self) -> None:
        """Hear the worker; the timer rests when the correction is over."""
        with guarded(self._refused):
            self.logic.poll()
            if self.correcting is None or self.correcting.state != "running":
                self._timer.stop()

    def _place(self, *, isInclude: bool) -> None:
        with guarded(self._refused):
            if self.node is None or not self.chosen():
                self.say(words.about(""))
                return
            self._forget()
            kind = str(self.ui.correctToolComboBox.itemData(self.ui.correctToolComboBox.currentIndex))
            self.tool.start(self.node, self.chosen(), kind, isInclude)
            self.say(words.placing(kind))

    def _follow(self, correcting: Correcting) -> None:
        self.correcting = correcting
        correcting.onDone, correcting.onError = self._onDone, self._onError
        self.say(words.computing())
        self._timer.start()

    def _onDone(self, correcting: Correcting) -> None:
        if correcting.isApplied:
            self.correcting = None
            self._tell(correcting)
        else:
            showPreview(correcting)
            self.say(words.looked(correcting.words))
        self._draw()

    def _onError(self, correcting: Correcting) -> None:
        self.correcting = None
        if correcting.error is not None and correcting.state == "failed":
            self.say(sentences.problem(correcting.error))
        self._draw()

    def _tell(self, correcting: Correcting) -> None:
        setPromptsShown(correcting.node, self._arePromptsShown)
        self.onChanged(correcting.node)
        self.say(correcting.words)

    def _refused(self, sentence: str) -> None:
        self._timer.stop()
        self._forget()
        self.say(sentence)
        self._draw()

    def _forget(self) -> None:
        """Give up a prompt that is being placed, an answer that is awaited, a preview that is shown."""
        self.tool.stop()
        waiting, self.correcting = self.correcting, None
        if waiting is not None:
            waiting.cancel()
            if waiting.node.GetScene() is not None:
                removePreview(waiting.node.GetScene())

    def _draw(self) -> None:
        isThere = self.node is not None
        self.ui.correctCollapsibleButton.visible = isThere
        segment = self.node.GetSegmentation().GetSegment(self.chosen()) if isThere and self.chosen() else None
        self.ui.correctLabel.text = words.about(segment.GetName() if segment is not None else "")
        isWaiting = self.correcting is not None and self.correcting.state == "done"
        self.ui.applyPreviewButton.visible = isWaiting
        self.ui.discardPreviewButton.visible = isWaiting
        self.ui.doubtButton.text = words.doubtButton(self._isDoubtShown)
        self.ui.promptsButton.text = words.promptsButton(self._arePromptsShown)
