"""The module's panel: puts the parts together, listens to the scene, starts and stops runs. Ring 10 (GUI)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.util import VTKObservationMixin

from MedSegAILib.core.errors import Cancelled, MedSegAIError
from MedSegAILib.core.result import RESEARCH_USE, Result
from MedSegAILib.core.run import PRESETS, Progress, RunOptions
from MedSegAILib.tasks.package import Package
from MedSegAISlicer.scene.logic import SegmentationLogic
from MedSegAISlicer.scene.python_line import pythonLines
from MedSegAISlicer.scene.readiness import whyNotReady
from MedSegAISlicer.scene.runner import Callbacks, Run
from MedSegAISlicer.scene.tasks import cardWords, presetOutlooks, taskChoices
from MedSegAISlicer.scene.time_left import TimeLeft
from MedSegAISlicer.scene.versions import showOnly

from . import sentences
from .batch_panel import BatchPanel
from .box_panel import BoxPanel
from .correct_panel import CorrectPanel
from .editor_panel import EditorPanel
from .export_panel import ExportPanel
from .guard import guarded
from .help_panel import HelpPanel
from .keys import KEYS, keyList
from .review_panel import ReviewPanel
from .run_panel import RunPanel
from .shortcuts import Shortcuts
from .study_panel import StudyPanel
from .task_panel import TaskPanel
from .undo_panel import UndoPanel

_POLL_MS = 50


class MainPanel(VTKObservationMixin):
    """Everything below the module's title.

    Args:
        ui: child widgets of ``MedSegAI.ui`` by name.
        logic: what segments; the same object that a script would use.
    """

    def __init__(self, ui: Any, logic: SegmentationLogic) -> None:
        VTKObservationMixin.__init__(self)
        self.ui = ui
        self.logic = logic
        self.package: Package | None = None
        self.run: Run | None = None
        self._timeLeft = TimeLeft()
        self._startedAt = 0.0
        self._isRefreshDue = False
        self._lastChoice: tuple[str, dict[str, str]] | None = None
        ui.researchUseLabel.text = RESEARCH_USE
        ui.cardCollapsibleButton.collapsed = True
        self.runPanel = RunPanel(ui)
        self.undo = UndoPanel(ui, self.runPanel.say, self._showResult)
        self.review = ReviewPanel(ui, self.runPanel.say, self._showResult, self.undo.show)
        self.editor = EditorPanel(ui, lambda: self.review.table.chosen)
        self.help = HelpPanel(ui, logic)
        self.correct = CorrectPanel(ui, self.runPanel.say, logic, lambda: self.review.table.chosen, self.review.show)
        self.batch = BatchPanel(ui, self.runPanel.say, logic, self._showOpened)
        self.boxes = BoxPanel(ui, self.onAgain)
        self.study = StudyPanel(ui, logic.parameters, self.refresh)
        self.tasks = TaskPanel(ui, self.onTaskChosen)
        self.export = ExportPanel(ui, self.runPanel.say, logic, self._python)
        self.shortcuts = Shortcuts({KEYS["keys"]: self.onKeys})
        self._timer = qt.QTimer()
        self._timer.setInterval(_POLL_MS)
        self._timer.connect("timeout()", self.onTimer)
        ui.segmentButton.connect("clicked()", self.onButton)
        ui.presetComboBox.connect("currentIndexChanged(int)", self.onPresetChanged)
        scene = slicer.mrmlScene
        self.addObserver(scene, slicer.vtkMRMLScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, slicer.vtkMRMLScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, slicer.vtkMRMLScene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(scene, slicer.vtkMRMLScene.NodeAddedEvent, self.onNodeAddedOrRemoved)
        self.addObserver(scene, slicer.vtkMRMLScene.NodeRemovedEvent, self.onNodeAddedOrRemoved)
        self._loadPackage()

    def cleanup(self) -> None:
        """Leave nothing behind: no observer, no timer, no connection, no process."""
        self.removeObservers()
        self.shortcuts.remove()
        self._timer.stop()
        self._timer.disconnect("timeout()", self.onTimer)
        self.ui.segmentButton.disconnect("clicked()", self.onButton)
        self.ui.presetComboBox.disconnect("currentIndexChanged(int)", self.onPresetChanged)
        self.study.disconnect()
        self.correct.cleanup()
        self.review.cleanup()
        self.undo.disconnect()
        self.boxes.disconnect()
        self.batch.disconnect()
        self.help.disconnect()
        self.editor.disconnect()
        self.tasks.disconnect()
        self.export.disconnect()
        self.run = None
        self.logic.close()

    def enter(self) -> None:
        """The module is shown: bring the panel in step with the scene."""
        self.shortcuts.install()
        self.review.shortcuts.install()
        self.undo.shortcuts.install()
        self.editor.enter()
        self.correct.shortcuts.install()
        with guarded(self.runPanel.say):
            if self.runPanel.isIdle:
                self._bringInStep()

    def exit(self) -> None:
        """Another module is shown; a run goes on."""
        self.shortcuts.remove()
        self.review.shortcuts.remove()
        self.undo.shortcuts.remove()
        self.editor.exit()
        self.correct.shortcuts.remove()
        self.correct.tool.stop()

    def refresh(self) -> None:
        """Show whether a run may be started with what is chosen now."""
        if self.package is None or not self.runPanel.isIdle:
            return
        inputs = self.study.inputs()
        reason = whyNotReady(self.package, inputs)
        sentence = sentences.problem(reason) if reason else sentences.ready()
        self.runPanel.setState("blocked" if reason else "ready", sentence if reason else "")
        # Asked again for the same choice (a node came or went), the last sentence stays: it may tell how a run ended.
        choice = (sentence, {role: node.GetID() for role, node in inputs.items() if node is not None})
        if choice != self._lastChoice:
            self._lastChoice = choice
            self.runPanel.say(sentence)

    # Slots. Each is guarded: what it raises becomes a sentence.

    def onButton(self) -> None:
        """Segment, or Cancel, whichever the button says."""
        if self.runPanel.state == "running":
            with guarded(self.runPanel.say):
                self.runPanel.setState("cancelling")
                self.runPanel.say(sentences.cancelling())
                if self.run is not None:
                    self.run.cancel()
        elif self.runPanel.state == "ready":
            with guarded(self._refuse):
                self._start()

    def onKeys(self) -> None:
        """Say which keys there are."""
        self.runPanel.say(sentences.keys(keyList()))

    def onAgain(self, segmentationNode: Any) -> None:
        """Run again from the boxes of a result."""
        if self.runPanel.isIdle:
            with guarded(self._refuse):
                self._begin(lambda callbacks: self.logic.segmentAgainFrom(segmentationNode, callbacks=callbacks))

    def onPresetChanged(self) -> None:
        """Remember the preset."""
        with guarded(self.runPanel.say):
            self.logic.parameters().preset = self.runPanel.preset
            self.runPanel.showOutlook()

    def onTaskChosen(self, task: str) -> None:
        """Another task: other inputs, other presets."""
        with guarded(self._blocked):
            self.logic.parameters().task = task
            self._loadPackage()

    def onTimer(self) -> None:
        """Hear the worker; the timer rests when there is nothing to hear."""
        with guarded(self._abandon):
            self.logic.poll()
            if not self.logic.needsPoll:
                self._timer.stop()

    def onSceneStartClose(self, _caller: Any, _event: str) -> None:
        """The scene goes away: a running job must not come back into the next one."""
        with guarded(self.runPanel.say):
            if self.logic.isBusy:
                self.logic.runner.drop()

    def onSceneEndClose(self, _caller: Any, _event: str) -> None:
        """The scene is empty: nothing of the last one is remembered."""
        with guarded(self.runPanel.say):
            self.study.forget()
            self._bringInStep()

    def onSceneEndImport(self, _caller: Any, _event: str) -> None:
        """A scene was loaded: it brings its choices and its result along."""
        with guarded(self.runPanel.say):
            if self.runPanel.isIdle:
                self._bringInStep()

    def onNodeAddedOrRemoved(self, _caller: Any, _event: str) -> None:
        """Look again, once, when Slicer is done with adding or removing: a new node gets its name later."""
        if not self._isRefreshDue:
            self._isRefreshDue = True
            qt.QTimer.singleShot(0, self.onRefreshDue)

    def onRefreshDue(self) -> None:
        """The look that was asked for; nothing is left to look at after ``cleanup``."""
        self._isRefreshDue = False
        if not self.study.selectors or slicer.mrmlScene.IsClosing():
            return
        with guarded(self.runPanel.say):
            if self.runPanel.isIdle:
                self.study.fill()
            self._showAll(self.logic.parameters().result)

    # A run, from start to one of its ends.

    def _start(self) -> None:
        inputs, task = self.study.inputs(), self.logic.parameters().task
        self._begin(
            lambda callbacks: self.logic.segmentAsync(inputs, task, options=self._options(), callbacks=callbacks)
        )

    def _begin(self, start: Callable[[Callbacks], Run]) -> None:
        self._timeLeft = TimeLeft()
        self._startedAt = time.monotonic()
        self.run = start(Callbacks(self._onProgress, self._onProvisional, self._onDone, self._onError))
        self.runPanel.setState("running")
        self.study.setEnabled(False)
        self.runPanel.showProgress(0.0, None)
        self.runPanel.say(sentences.starting())
        self._timer.start()

    def _options(self) -> RunOptions:
        return self.logic.parameters().options

    def _python(self) -> str:
        return pythonLines(self.study.inputs(), self.logic.parameters().task, self._options())

    def _refuse(self, sentence: str) -> None:
        """A click that could not be followed: the only case that opens a message box."""
        self._end(sentence)
        slicer.util.errorDisplay(sentence)

    def _onProgress(self, progress: Progress) -> None:
        share = self._timeLeft.update(progress)
        self.runPanel.showProgress(share, self._timeLeft.seconds())
        if self.runPanel.state == "running" and not self.runPanel.isProvisional:
            self.runPanel.say(sentences.running(progress.stage))

    def _onProvisional(self, _segmentationNode: Any) -> None:
        self.runPanel.isProvisional = True
        self.runPanel.say(sentences.provisional())

    def _onDone(self, segmentationNode: Any, _result: Result) -> None:
        self._showResult(segmentationNode)
        self._end(sentences.done(time.monotonic() - self._startedAt))

    def _showResult(self, segmentationNode: Any) -> None:
        """Show one version of a result, in the table and in the views; None when no version is left."""
        self.logic.parameters().result = segmentationNode
        if segmentationNode is not None:
            showOnly(segmentationNode)
        self._showAll(segmentationNode)

    def _showOpened(self, segmentationNode: Any) -> None:
        """A study of a batch was opened: its task, its inputs, its result."""
        self._loadPackage()
        self._showResult(segmentationNode)

    def _showAll(self, segmentationNode: Any) -> None:
        """Show a result, or that there is none, and what can be done next with which task."""
        self.review.show(segmentationNode)
        self.correct.show(segmentationNode)
        self.boxes.show(segmentationNode)
        self.editor.show(segmentationNode)
        self.export.show()
        if self.package is not None:
            self.runPanel.showOutlooks(presetOutlooks(self.package, PRESETS))
        self.tasks.show(taskChoices(self.logic.packages), self.logic.parameters().task)

    def _onError(self, error: MedSegAIError) -> None:
        self._end(sentences.cancelled() if isinstance(error, Cancelled) else sentences.problem(error))

    def _abandon(self, sentence: str) -> None:
        """A callback failed: end the run rather than repeat the failure 20 times a second."""
        self._timer.stop()
        if self.logic.isBusy:
            self.logic.runner.drop()
        self._end(sentence)

    def _end(self, sentence: str) -> None:
        """Back to idle, whatever happened; the sentence about it stays until something is chosen anew."""
        self.run = None
        self.runPanel.setState("ready")
        self.study.setEnabled(True)
        self.refresh()
        self.runPanel.say(sentence)

    def _bringInStep(self) -> None:
        parameters = self.logic.parameters()
        self.runPanel.preset = parameters.preset
        self.study.restore()
        self._showAll(parameters.result)

    def _loadPackage(self) -> None:
        """Read the package of the task; without one the panel still draws and says what is missing."""
        with guarded(self._blocked):
            task = self.logic.parameters().task
            self.tasks.show(taskChoices(self.logic.packages), task)
            self.package = None
            self.study.disconnect()
            package = self.logic.package(task)
            self.study.setPackage(package)
            self.package = package
            self.ui.cardLabel.text = cardWords(package)
            self._bringInStep()

    def _blocked(self, sentence: str) -> None:
        self.runPanel.setState("blocked", sentence)
        self.runPanel.say(sentence)
