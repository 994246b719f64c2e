"""Everything of a result as files: segmentation, labels, masks, DICOM, volumes, statistics, passport, audit.

The scene is read in small steps, the worker packs and writes, all files or none: so the window lives on. The files are
those of what is in the scene now, edits included; the audit tells them apart. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from MedSegAILib.core.errors import Cancelled, MedSegAIError
from MedSegAILib.core.result import Notice
from MedSegAILib.worker.transfer_handover import write_handover

from .handing_over import Gathering, gathering
from .waiting import waitForEnd


class AskedClient(Protocol):
    """What an export needs of ``worker.client.WorkerClient``."""

    def ask_async(self, verb: str, write: Any, read: Any, needed: int = 0) -> Any:
        """Queue what is asked for and give its handle."""

    def poll(self, wait_s: float = 0.0) -> None:
        """Hand out what the worker has sent, within this thread."""


class ExportRun:
    """The handle of an export: call :meth:`poll` until ``state`` is no longer "running".

    Args:
        segmentationNode: a result of ours.
        folder: made where it is not there; files of the same names are replaced.
        client: of the worker; it is started when it does not run yet.

    Attributes:
        state: "running", then "done", "failed" or "cancelled".
        files: what was written.
        notices: what a user must know of it, for example why there is no DICOM segmentation.
        error: why it failed.
    """

    def __init__(self, segmentationNode: Any, folder: Path, client: AskedClient) -> None:
        self.state = "running"
        self.files: list[Path] = []
        self.notices: list[Notice] = []
        self.error: MedSegAIError | None = None
        self._client, self._folder = client, Path(folder).absolute()
        self._gathering: Gathering | None = gathering(segmentationNode)
        self._job: Any = None

    def poll(self, waitS: float = 0.0) -> None:
        """Do the next step: read a little more of the scene, or hear the worker."""
        if self.state != "running":
            return
        if self._gathering is None:
            self._client.poll(waitS)
            return
        try:
            next(self._gathering)
        except StopIteration as end:
            self._gathering = None
            self._ask(end.value)
        except MedSegAIError as error:
            self._end("failed", error)

    def cancel(self) -> None:
        """Stop it; no file is left half written."""
        if self.state == "running":
            self._end("cancelled", Cancelled())
            if self._job is not None:
                self._job.cancel()

    def _ask(self, handed: Any) -> None:
        def write(folder: Path) -> dict[str, Any]:
            return {"handover": write_handover(handed, folder), "output": str(self._folder)}

        self._job = self._client.ask_async("export", write, lambda answer, _folder: answer)
        self._job.on_result = self._finish
        self._job.on_error = lambda error: self._end("failed", error)

    def _finish(self, answer: dict[str, Any]) -> None:
        if self.state == "running":
            self.files = [Path(name) for name in answer["files"]]
            self.notices = [Notice(*notice) for notice in answer["notices"]]
            self.state = "done"

    def _end(self, state: str, error: MedSegAIError) -> None:
        if self.state == "running":
            self._gathering = None
            self.state, self.error = state, error


def exportResult(segmentationNode: Any, folder: Path, client: AskedClient) -> list[Path]:
    """Write all files of a result and wait for the end; arguments as in :class:`ExportRun`.

    Returns:
        ``volumes.csv``, ``passport.json``, ``audit.json``, ``audit.csv``, ``statistics.csv``,
        ``segmentation.seg.nrrd``, ``labels.nii.gz``, a ``mask-<segment>.nii.gz`` each, and ``segmentation.dcm`` where
        the reference volume came from DICOM.

    Raises:
        UsageError: "export.not_ours", "export.grid".
        ResourceError: "output.disk_full", "output.not_writable"; nothing is written then.
    """
    run = ExportRun(segmentationNode, folder, client)
    waitForEnd(run, run.poll)
    return run.files
