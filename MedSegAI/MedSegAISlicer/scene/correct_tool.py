"""A prompt being placed: the mouse mode of Slicer, a markup for the moment, and what a person has drawn with it.

The markup is gone when the placing is over; the prompt that it became is drawn anew from the list on the result
(``correct_prompts``). Ring 9 (scene); no Qt.

Source: vtkMRMLInteractionNode.h (modes and InteractionModeChangedEvent), vtkMRMLSelectionNode.h (what is placed).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.util import VTKObservationMixin

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.prompts import Prompt

from .correct_prompts import EXCLUDE_COLOR, INCLUDE_COLOR, MARKUP_CLASSES, promptFromMarkup

_INTERACTION, _SELECTION = "vtkMRMLInteractionNodeSingleton", "vtkMRMLSelectionNodeSingleton"


class PromptTool(VTKObservationMixin):
    """Places one prompt at a time.

    Args:
        onPrompt: called with the result, the segment and the prompt that was placed.
        onError: called with the error when what was placed is no prompt; a placing that was given up tells nothing.
    """

    def __init__(self, onPrompt: Callable[[Any, str, Prompt], None], onError: Callable[[MedSegAIError], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._onPrompt, self._onError = onPrompt, onError
        self.markup: Any = None
        self._about: tuple[Any, str, bool] | None = None

    @property
    def isPlacing(self) -> bool:
        """Whether a prompt is being placed."""
        return self.markup is not None

    def start(self, segmentationNode: Any, segmentId: str, kind: str, isInclude: bool) -> None:
        """Let the mouse place a prompt; one that was being placed is given up.

        Args:
            segmentationNode: the result.
            segmentId: the region.
            kind: "click", "scribble", "lasso" or "box".
            isInclude: whether the region is there.
        """
        self.stop()
        scene = segmentationNode.GetScene()
        self.markup = scene.AddNewNodeByClass(MARKUP_CLASSES[kind], "Prompt")
        self.markup.SetSaveWithScene(False)
        self.markup.CreateDefaultDisplayNodes()
        display = self.markup.GetDisplayNode()
        if display is not None:
            display.SetSelectedColor(*(INCLUDE_COLOR if isInclude else EXCLUDE_COLOR))
            display.SetPointLabelsVisibility(False)
        self._about = (segmentationNode, segmentId, isInclude)
        selection, interaction = scene.GetNodeByID(_SELECTION), scene.GetNodeByID(_INTERACTION)
        if selection is not None and interaction is not None:
            selection.SetReferenceActivePlaceNodeClassName(MARKUP_CLASSES[kind])
            selection.SetActivePlaceNodeID(self.markup.GetID())
            interaction.SetPlaceModePersistence(0)
            interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)
            event = slicer.vtkMRMLInteractionNode.InteractionModeChangedEvent
            self.addObserver(interaction, event, self.onModeChanged)

    def stop(self) -> None:
        """Give up what is being placed."""
        self.removeObservers()
        markup, self.markup, self._about = self.markup, None, None
        if markup is not None and markup.GetScene() is not None:
            scene = markup.GetScene()
            interaction = scene.GetNodeByID(_INTERACTION)
            if interaction is not None:
                interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)
            scene.RemoveNode(markup)

    def onModeChanged(self, interaction: Any, _event: str) -> None:
        """The mouse no longer places: take what it has placed."""
        if self.markup is None or interaction.GetCurrentInteractionMode() == slicer.vtkMRMLInteractionNode.Place:
            return
        self.take()

    def take(self) -> None:
        """Hand over what is placed so far; nothing when that is nothing."""
        about, markup = self._about, self.markup
        if about is None or markup is None:
            return
        node, segmentId, isInclude = about
        isEmpty = markup.GetNumberOfDefinedControlPoints() == 0
        try:
            prompt = None if isEmpty else promptFromMarkup(markup, node, isInclude)
        except MedSegAIError as error:
            self.stop()
            self._onError(error)
            return
        self.stop()
        if prompt is not None and node.GetScene() is not None:
            self._onPrompt(node, segmentId, prompt)
