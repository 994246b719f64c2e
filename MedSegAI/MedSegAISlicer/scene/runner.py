"""One run from nodes to node: hands the case to the worker and puts the result into the scene when it is there.

Nothing here waits by itself: :meth:`Runner.poll` is called by a timer in the panel and by a loop in a script. The
scene is touched once, at the end, and only if the volume and the scene are still there. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import Cancelled, InputError, MedSegAIError, UsageError
from MedSegAILib.core.result import Result
from MedSegAILib.core.run import Progress, RunOptions

from .carry_over import carryOver
from .provisional import ProvisionalView
from .segmentations import showResult
from .stage_boxes import showBoxes
from .statistics import keepInputs
from .undo import UndoHistory
from .versions import nextVersionName
from .volumes import caseFromNodes, unchanged

_log = logging.getLogger(__name__)


class Client(Protocol):
    """What a runner needs of ``worker.client.WorkerClient``."""

    def segment_async(
        self, case: Case, task: str, options: RunOptions, *, first_look: bool, still: Callable[[], None]
    ) -> Any:
        """Queue a job and give its handle."""

    def ask_async(self, verb: str, write: Any, read: Any, needed: int = 0) -> Any:
        """Queue what is asked for beside runs and give its handle."""

    @property
    def is_busy(self) -> bool:
        """Whether a job runs, waits or is being cancelled."""

    def poll(self, wait_s: float = 0.0) -> None:
        """Hand out what the worker has sent, within this thread."""

    def close(self) -> None:
        """End the worker."""


def _ignore(*_arguments: Any) -> None:
    """Do nothing; the default callback."""


@dataclass(frozen=True)
class Callbacks:
    """What a caller of an asynchronous run is told; each may be left out.

    Args:
        onProgress: called with every :class:`Progress`.
        onProvisional: called with the node of a first, coarse result; without it none is computed.
        onDone: called with the new segmentation node and the :class:`Result`.
        onError: called with the :class:`MedSegAIError`, :class:`Cancelled` included.
    """

    onProgress: Callable[[Progress], None] = _ignore
    onProvisional: Callable[[Any], None] | None = None
    onDone: Callable[[Any, Result], None] = _ignore
    onError: Callable[[MedSegAIError], None] = _ignore


@dataclass
class Run:
    """Handle of one run; ``state`` is "running", "done", "failed" or "cancelled"."""

    job: Any
    referenceNode: Any
    referenceId: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    callbacks: Callbacks = field(default_factory=Callbacks)
    state: str = "running"
    segmentationNode: Any = None
    result: Result | None = None
    error: MedSegAIError | None = None
    provisional: ProvisionalView | None = None

    def cancel(self) -> None:
        """Ask the worker to stop; the run ends as "cancelled" within 2 s, the scene stays as it is."""
        if self.state == "running":
            self.job.cancel()


class Runner:
    """Runs one job at a time for a scene.

    Args:
        scene: the MRML scene.
        client: a started or startable worker client.
    """

    def __init__(self, scene: Any, client: Client) -> None:
        self.scene = scene
        self.client = client
        self.run: Run | None = None

    @property
    def isBusy(self) -> bool:
        """Whether a run is under way."""
        return self.run is not None and self.run.state == "running"

    def start(
        self,
        inputs: Mapping[str, Any],
        task: str,
        options: RunOptions,
        *,
        preferred: Sequence[str] = (),
        callbacks: Callbacks | None = None,
        name: str = "MedSegAI",
    ) -> Run:
        """Begin to hand the volumes to the worker; their voxels are read in the polls that follow.

        Args:
            inputs: volume node by role; None for a sequence that is not there.
            task: name of the package.
            options: of the run.
            preferred: roles in the order in which they give the grid of the result.
            callbacks: what to tell the caller.
            name: of the new segmentation node.

        Raises:
            UsageError: "scene.busy" while another run is under way; see also ``volumes.caseFromNodes``.
            InputError: a volume cannot be used.
        """
        if self.isBusy:
            raise UsageError("scene.busy", "A segmentation is already under way.", "Wait for it, or cancel it.")
        # A copy would hold up the window: the client reads a little at each poll, and asks whether it still may.
        case = caseFromNodes(inputs, preferred, isCopied=False)
        node = inputs[case.reference]
        run = Run(None, node, node.GetID(), name, dict(inputs), callbacks or Callbacks())
        run.provisional = ProvisionalView(self.scene, node, name)
        isLooking = run.callbacks.onProvisional is not None
        run.job = self.client.segment_async(case, task, options, first_look=isLooking, still=unchanged(inputs))
        run.job.on_provisional = lambda result: self._showFirst(run, result)
        run.job.on_progress = run.callbacks.onProgress
        run.job.on_result = lambda result: self._finish(run, result)
        run.job.on_error = lambda error: self._fail(run, error)
        self.run = run
        return run

    @property
    def needsPoll(self) -> bool:
        """Whether the worker must still be listened to; also true while a dropped job is being stopped."""
        return self.isBusy or self.client.is_busy

    def poll(self, waitS: float = 0.0) -> None:
        """Hand out what has come from the worker.

        Args:
            waitS: wait so long, at most, for something to come; 0 returns at once.
        """
        self.client.poll(waitS)

    def close(self) -> None:
        """Drop a running job without telling anyone, and end the worker."""
        self.drop()
        self.client.close()

    def drop(self) -> None:
        """Cancel a running job whose scene goes away: it ends now and puts nothing into any scene."""
        if self.run is not None and self.isBusy:
            self.run.cancel()
            self._fail(self.run, Cancelled())

    def _showFirst(self, run: Run, result: Result) -> None:
        """Show a coarse result; one that cannot be shown is let go, the run goes on."""
        if run.state != "running" or run.provisional is None or not self._isThere(run):
            return
        try:
            node = run.provisional.show(result)
        except MedSegAIError as error:
            _log.info("No first look: %s", error.code)
            return
        if run.callbacks.onProvisional is not None:
            run.callbacks.onProvisional(node)

    def _finish(self, run: Run, result: Result) -> None:
        if run.state != "running":
            return
        if not self._isThere(run):
            gone = InputError(
                "scene.reference_gone",
                "The reference volume was removed during the run, so the result was dropped.",
                "Load the volume again and run once more.",
            )
            self._fail(run, gone)
            return
        try:
            name = nextVersionName(self.scene, run.name)
            shown = run.provisional.take() if run.provisional is not None else None
            run.segmentationNode = showResult(self.scene, result, run.referenceNode, name, shown)
        except MedSegAIError as error:
            self._fail(run, error)
            return
        keepInputs(run.segmentationNode, run.inputs)
        carryOver(run.segmentationNode)
        boxes = showBoxes(run.segmentationNode, result.boxes)
        UndoHistory.of(run.segmentationNode).added(run.segmentationNode, f"Model run {name}", boxes)
        run.result, run.state = result, "done"
        run.callbacks.onDone(run.segmentationNode, result)

    def _fail(self, run: Run, error: MedSegAIError) -> None:
        if run.state != "running":
            return
        if run.provisional is not None:
            run.provisional.remove()
        run.error = error
        run.state = "cancelled" if isinstance(error, Cancelled) else "failed"
        _log.info("Run ended: %s", error.code)
        run.callbacks.onError(error)

    def _isThere(self, run: Run) -> bool:
        """Whether the very volume of the run is still in the scene (an id alone may have been given away again)."""
        return (
            run.referenceNode.GetScene() is self.scene and self.scene.GetNodeByID(run.referenceId) is run.referenceNode
        )
