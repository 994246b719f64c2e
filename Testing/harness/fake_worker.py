"""A worker client without a process, for tests of what stands before it: the test says when what comes back.

Same surface as ``MedSegAILib.worker.client.WorkerClient``; the numbers of a result are the test's own.
"""

from __future__ import annotations

import json
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.case import Case
from MedSegAILib.core.doubt import Doubt
from MedSegAILib.core.errors import Cancelled, MedSegAIError
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.result import Notice, Passport, Result
from MedSegAILib.core.run import Cancel, Progress, RunOptions, ignore_progress
from MedSegAILib.core.volume import Volume
from MedSegAILib.worker.verbs import answer

SCHEME = LabelScheme.from_json(
    {
        "labels": [
            {"value": 1, "name": "NCR", "title": "Necrotic core", "color": [0.8, 0.2, 0.2]},
            {"value": 2, "name": "ED", "title": "Edema", "color": [0.9, 0.8, 0.3]},
            {"value": 4, "name": "ET", "title": "Enhancing tumor", "color": [0.2, 0.5, 0.9]},
        ],
        "regions": [
            {
                "name": "WT",
                "title": "Whole tumor",
                "labels": [1, 2, 4],
                "color": [0.9, 0.8, 0.3],
                "terminology": {
                    "category": {"scheme": "SCT", "value": "49755003", "meaning": "Morphologically Altered Structure"},
                    "type": {"scheme": "SCT", "value": "108369006", "meaning": "Neoplasm"},
                    "region": {"scheme": "SCT", "value": "12738006", "meaning": "Brain"},
                },
            },
            {"name": "TC", "title": "Tumor core", "labels": [1, 4], "color": [0.8, 0.2, 0.2]},
            {"name": "ET", "title": "Enhancing tumor", "labels": [4], "color": [0.2, 0.5, 0.9]},
        ],
    }
)


def makeResult(
    case: Case,
    labels: Any,
    notices: tuple[Notice, ...] = (),
    doubt: Doubt | None = None,
    boxes: tuple[StageBox, ...] = (),
) -> Result:
    """Give a result with these labels ``[z, y, x]`` on the grid of the case's reference."""
    passport = Passport(
        task="brain-tumor",
        package={"name": "brain-tumor", "version": "0.0.0", "sha256": {}},
        library="0.0.0",
        engine={"backend": "none"},
        options=RunOptions().to_json(),
        inputs={role: {} for role in case.volumes},
        repairs=('a "quoted" <repair> & \n',),
        stages=tuple({"name": box.stage, "ran": True, "box": box.to_json()} for box in boxes),
    )
    return Result(Volume(labels, case.reference_grid()), SCHEME, passport, notices, doubt=doubt, boxes=boxes)


class FakeJob:
    """Handle of a fake job; the callbacks are set by the caller as with the real one."""

    def __init__(self, client: FakeClient, case: Case, task: str, options: RunOptions) -> None:
        self.client, self.case, self.task, self.options = client, case, task, options
        self.on_progress: Callable[[Progress], None] = lambda progress: None
        self.wantsFirstLook = False
        self.still: Callable[[], None] = lambda: None
        self.on_provisional: Callable[[Result], None] = lambda result: None
        self.on_result: Callable[[Result], None] = lambda result: None
        self.on_error: Callable[[MedSegAIError], None] = lambda error: None

    def cancel(self) -> None:
        self.client.cancelled.append(self)
        self.client.send(lambda: self.on_error(Cancelled()))

    # What the test lets the worker say; it arrives at the next poll.
    def sayProgress(self, stage: str, done: int, total: int) -> None:
        self.client.send(lambda: self.on_progress(Progress(stage, done, total)))

    def sayProvisional(self, labels: Any) -> None:
        self.client.send(lambda: self.on_provisional(makeResult(self.case, labels)))

    def sayResult(
        self,
        labels: Any,
        notices: tuple[Notice, ...] = (),
        doubt: Doubt | None = None,
        boxes: tuple[StageBox, ...] = (),
    ) -> None:
        self.client.send(lambda: self.on_result(makeResult(self.case, labels, notices, doubt, boxes)))

    def sayError(self, error: MedSegAIError) -> None:
        self.client.send(lambda: self.on_error(error))


class FakeClient:
    """A client whose worker is the test."""

    def __init__(self, **_arguments: Any) -> None:
        self.jobs: list[FakeJob] = []
        self.cancelled: list[FakeJob] = []
        self.isClosed = False
        self._waiting: deque[Callable[[], None]] = deque()

    def segment_async(
        self, case: Case, task: str, options: RunOptions, *, first_look: bool = False, still: Any = None
    ) -> FakeJob:
        self.jobs.append(FakeJob(self, case, task, options))
        self.jobs[-1].wantsFirstLook = first_look
        self.jobs[-1].still = still
        return self.jobs[-1]

    def ask_async(self, verb: str, write: Any, read: Any, needed: int = 0) -> Any:
        """Do at once what the worker would do, by the same code and the same transfer; told at the next poll."""
        job = SimpleNamespace(on_result=lambda result: None, on_error=lambda error: None, cancel=lambda: None)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            try:
                done = read(
                    answer(verb, json.loads(json.dumps(write(folder))), folder, ignore_progress, Cancel()), folder
                )
            except MedSegAIError as raised:
                error = raised
                self.send(lambda: job.on_error(error))
            else:
                self.send(lambda: job.on_result(done))
        return job

    def send(self, message: Callable[[], None]) -> None:
        self._waiting.append(message)

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting)

    def poll(self, wait_s: float = 0.0) -> None:
        while self._waiting:
            self._waiting.popleft()()

    def close(self) -> None:
        self.isClosed = True
