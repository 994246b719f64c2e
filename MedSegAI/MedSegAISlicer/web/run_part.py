"""Segment and Cancel in one button, the true percentage, the time left. Ring 10 (web)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from MedSegAILib.core.errors import Cancelled, MedSegAIError
from MedSegAILib.core.result import Result
from MedSegAILib.core.run import Progress
from MedSegAISlicer.gui import sentences
from MedSegAISlicer.scene.first_look import lookAtResult
from MedSegAISlicer.scene.readiness import whyNotReady
from MedSegAISlicer.scene.runner import Callbacks, Run
from MedSegAISlicer.scene.time_left import TimeLeft

from .desk import Desk
from .study_part import StudyPart


class RunPart:
    """The button, the bar and their state: "blocked", "ready", "running" or "cancelling".

    Args:
        desk: the shared things.
        study: gives the inputs.
        onDone: called with the new segmentation node.
    """

    def __init__(self, desk: Desk, study: StudyPart, onDone: Callable[[Any], None]) -> None:
        self.desk = desk
        self.state = desk.state
        self.study = study
        self.onDone = onDone
        self.run: Run | None = None
        self._timeLeft = TimeLeft()
        self._startedAt = 0.0
        self.state.update({"run_state": "blocked", "run_reason": "", "run_percent": 0, "run_text": ""})
        self.state.is_provisional = False
        desk.onDeaf = self._abandon

    @property
    def isIdle(self) -> bool:
        """Whether no run is under way."""
        return self.state.run_state in ("blocked", "ready")

    def refresh(self) -> None:
        """Show whether a run may be started with what is chosen now."""
        if self.study.package is None or not self.isIdle:
            return
        reason = whyNotReady(self.study.package, self.study.inputs())
        words = sentences.problem(reason) if reason else ""
        self.state.update({"run_state": "blocked" if reason else "ready", "run_reason": words})

    def press(self) -> None:
        """Segment, or Cancel, whichever the button says."""
        if self.state.run_state == "running":
            self.state.run_state = "cancelling"
            self.desk.say(sentences.cancelling())
            if self.run is not None:
                self.run.cancel()
        elif self.state.run_state == "ready":
            self._start()

    def again(self, segmentationNode: Any) -> None:
        """Run again from the boxes as a person has dragged them; the stages before them cost nothing."""
        if self.isIdle and segmentationNode is not None:
            self._begin(self.desk.logic.segmentAgainFrom(segmentationNode, callbacks=self._callbacks()))

    def _start(self) -> None:
        chosen = self.desk.logic.parameters()
        run = self.desk.logic.segmentAsync(
            self.study.inputs(), chosen.task, options=chosen.options, callbacks=self._callbacks()
        )
        self._begin(run)

    def _callbacks(self) -> Callbacks:
        return Callbacks(self._onProgress, self._onProvisional, self._onDone, self._onError)

    def _begin(self, run: Run) -> None:
        self.run, self._timeLeft, self._startedAt = run, TimeLeft(), time.monotonic()
        self.state.update({"run_state": "running", "run_percent": 0, "run_text": ""})
        self.desk.say(sentences.starting())
        self.desk.listen()

    def _onProgress(self, progress: Progress) -> None:
        share = self._timeLeft.update(progress)
        text = sentences.barFormat(share, self._timeLeft.seconds())
        self.state.update({"run_percent": round(100 * share), "run_text": text})
        if self.state.run_state == "running" and not self.state.is_provisional:
            self.desk.say(sentences.running(progress.stage))

    def _onProvisional(self, segmentationNode: Any) -> None:
        """A first, coarse look is in the views; the result takes its place."""
        lookAtResult(segmentationNode)
        self.state.is_provisional = True
        self.desk.say(sentences.provisional())

    def _onDone(self, segmentationNode: Any, _result: Result) -> None:
        self.onDone(segmentationNode)
        self._end()
        self.desk.say(sentences.done(time.monotonic() - self._startedAt))

    def _onError(self, error: MedSegAIError) -> None:
        self._end()
        if isinstance(error, Cancelled):
            self.desk.say(sentences.cancelled())
        else:
            self.desk.warn(sentences.problem(error))

    def _abandon(self, sentence: str) -> None:
        """A callback failed: end the run rather than repeat the failure 20 times a second."""
        if self.desk.logic.isBusy:
            self.desk.logic.runner.drop()
        self._end()
        self.desk.warn(sentence)

    def _end(self) -> None:
        """Back to idle, whatever happened."""
        self.run = None
        self.state.update({"run_state": "ready", "run_percent": 0, "run_text": "", "is_provisional": False})
        self.refresh()
        self.study.refreshOutlooks()
