"""Corrections: a prompt goes to the worker, the changed voxels of the region come back as one entry of the history.

Panel, browser and scripts call these; nothing waits by itself (``poll`` of the logic hears the worker). While one is
under way a second one is refused. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.core.correction import Corrected, Correction
from MedSegAILib.core.errors import Cancelled, MedSegAIError, UsageError
from MedSegAILib.core.prompt_box import part_around
from MedSegAILib.core.prompts import Prompt
from MedSegAILib.worker.transfer_correction import read_corrected, run_of, write_correction, write_fill

from .correct_before import keepBefore
from .correct_place import Place, boxOfRegion, correctable, heldRegions, latticeOf, placeAt, putCorrected
from .correct_prompts import drawPrompts, keepPrompt, promptsOf
from .export import AskedClient
from .locks import refuseLocked
from .segmentations import readPassport
from .story import tell
from .undo import UndoHistory
from .waiting import waitForEnd

_KINDS = {"click": "click", "scribble": "scribble", "box": "box", "lasso": "lasso"}


def _ignore(_correcting: Correcting) -> None:
    """Do nothing; the default callback."""


@dataclass(eq=False)
class Correcting:
    """The handle of one correction; ``state`` is "running", "done", "failed" or "cancelled".

    Args:
        node: the result.
        segmentId: the region.
        name: of the entry in the undo history.
        prompt: what was said; None for a fill between slices.
        onDone, onError: called with the handle, from within a poll of the client.
    """

    node: Any
    segmentId: str
    name: str
    prompt: Prompt | None
    place: Place = field(repr=False)
    onDone: Callable[[Correcting], None] = _ignore
    onError: Callable[[Correcting], None] = _ignore
    state: str = "running"
    corrected: Corrected | None = None
    changed: tuple[str, ...] = ()
    error: MedSegAIError | None = None
    isApplied: bool = False
    job: Any = field(default=None, repr=False)

    @property
    def words(self) -> str:
        """What it did, for people: "Include click in Whole tumor: +1.2 mL"."""
        return f"{self.name}: {self.corrected.words(self.segmentId)}" if self.corrected is not None else self.name

    def cancel(self) -> None:
        """Forget it; nothing in the scene changes any more."""
        if self.state == "running":
            self._end("cancelled", Cancelled())
            self.job.cancel()

    def apply(self) -> None:
        """Bring a correction that was only looked at into the scene, as one entry of the history.

        Raises:
            UsageError: "correct.changed" when the region was changed meanwhile; "correct.nothing" before the answer.
        """
        if self.corrected is None:
            raise UsageError("correct.nothing", "There is no correction to apply yet.", "Wait for its preview.")
        if self.isApplied:
            return
        now = placeAt(self.node, self.place.scheme, correctable(self.node)[1], self.place.box)
        if not np.array_equal(now.labels.array, self.place.labels.array):
            raise UsageError(
                "correct.changed", "The region was changed while the correction was computed.", "Click again."
            )
        with UndoHistory.of(self.node).entry(self.name, self.node):
            keepBefore(self.node, self.place.scheme)
            self.changed = tuple(putCorrected(self.place, self.corrected))
            if self.prompt is not None:
                keepPrompt(self.node, self.segmentId, self.prompt)
            tell(self.node, self.words, self.segmentId)
        self.isApplied = True
        drawPrompts(self.node)

    def _finish(self, corrected: Corrected, *, isPreview: bool) -> None:
        if self.state != "running":
            return
        self.corrected = corrected
        try:
            if not isPreview:
                self.apply()
        except MedSegAIError as error:
            self._end("failed", error)
            return
        self.state = "done"
        self.onDone(self)

    def _end(self, state: str, error: MedSegAIError) -> None:
        if self.state == "running":
            self.state, self.error = state, error
            self.onError(self)


def correctAsync(
    segmentationNode: Any, segmentId: str, prompt: Prompt, client: AskedClient, *, isPreview: bool = False
) -> Correcting:
    """Start a correction and come back at once.

    Args:
        segmentationNode: a result of ours.
        segmentId: the region that the prompt is about.
        prompt: in the frame of the node's parent; see ``correct_prompts.promptFromMarkup``.
        client: of the worker, for example ``logic.runner.client``.
        isPreview: only look: the scene changes when the handle's ``apply`` is called.

    Raises:
        UsageError: "correct.not_ours", "correct.reference_gone", "correct.grid", "segment.locked", "labels.region".
        InputError: "prompt.outside".
    """
    scheme, reference = correctable(segmentationNode)
    region = scheme.region(segmentId)
    refuseLocked(segmentationNode, segmentId)
    place = placeAt(
        segmentationNode, scheme, reference, part_around([prompt], latticeOf(segmentationNode, scheme, reference).grid)
    )
    earlier = tuple(kept.prompt for kept in promptsOf(segmentationNode, segmentId))
    held = heldRegions(segmentationNode, scheme, segmentId)
    correction = Correction(place.labels, scheme, segmentId, (*earlier, prompt), place.images, held)
    run = run_of(readPassport(segmentationNode))
    verb = "Include" if prompt.is_include else "Exclude"
    name = f"{verb} {_KINDS[prompt.kind]} in {region.title}"
    correcting = Correcting(segmentationNode, segmentId, name, prompt, place)

    def write(folder: Path) -> dict[str, Any]:
        return write_correction(correction, run, folder)

    return _asked(correcting, client, "correct", write, isPreview=isPreview)


def correct(segmentationNode: Any, segmentId: str, prompt: Prompt, client: AskedClient) -> Correcting:
    """Correct and wait for the end; arguments and errors as :func:`correctAsync`.

    Raises:
        MedSegAIError: whatever stopped it; the scene is then as it was.
    """
    return _waited(correctAsync(segmentationNode, segmentId, prompt, client), client)


def fillBetweenAsync(segmentationNode: Any, segmentId: str, client: AskedClient, axis: int = -1) -> Correcting:
    """Fill a region between the slices that it is drawn on, and come back at once.

    Args:
        segmentationNode: a result of ours.
        segmentId: the region.
        client: of the worker.
        axis: array axis across the slices; -1 finds the one that has gaps.

    Raises:
        UsageError: as :func:`correctAsync`; "between.empty" for a region without a voxel.
    """
    scheme, reference = correctable(segmentationNode)
    region = scheme.region(segmentId)
    refuseLocked(segmentationNode, segmentId)
    box = boxOfRegion(segmentationNode, segmentId, latticeOf(segmentationNode, scheme, reference).grid)
    if box is None:
        raise UsageError("between.empty", f"{region.title} is empty.", "Draw it on two slices first.")
    place = placeAt(segmentationNode, scheme, reference, box)
    held = heldRegions(segmentationNode, scheme, segmentId)
    correcting = Correcting(segmentationNode, segmentId, f"Fill between slices of {region.title}", None, place)

    def write(folder: Path) -> dict[str, Any]:
        return write_fill(place.labels, scheme, segmentId, held, axis, folder)

    return _asked(correcting, client, "fill_between", write, isPreview=False)


def fillBetween(segmentationNode: Any, segmentId: str, client: AskedClient, axis: int = -1) -> Correcting:
    """Fill between slices and wait for the end; arguments and errors as :func:`fillBetweenAsync`."""
    return _waited(fillBetweenAsync(segmentationNode, segmentId, client, axis), client)


def _asked(
    correcting: Correcting,
    client: AskedClient,
    verb: str,
    write: Callable[[Path], dict[str, Any]],
    *,
    isPreview: bool,
) -> Correcting:
    labels = correcting.place.labels.array
    needed = 2 * labels.nbytes + sum(image.array.nbytes for image in correcting.place.images.values())
    correcting.job = client.ask_async(verb, write, read_corrected, needed)
    correcting.job.on_result = lambda corrected: correcting._finish(corrected, isPreview=isPreview)
    correcting.job.on_error = lambda error: correcting._end("failed", error)
    return correcting


def _waited(correcting: Correcting, client: AskedClient) -> Correcting:
    waitForEnd(correcting, client.poll)
    return correcting
