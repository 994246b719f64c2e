"""The verbs for scripts: ``segment`` waits, ``segmentAsync`` calls back. The panel uses the same two. Ring 9; no Qt."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import slicer

from MedSegAILib.batch.options import BATCH_RUN
from MedSegAILib.core.run import ProgressCallback, RunOptions, ignore_progress
from MedSegAILib.tasks.package import Package
from MedSegAILib.tasks.store import find_package
from MedSegAILib.worker.client import WorkerClient

from .export import ExportRun, exportResult
from .folder_run import FolderProgress, FolderRun, batchArguments, ignoreFolderProgress
from .parameters import DEFAULT_TASK, Parameters, parameterNode
from .runner import Callbacks, Client, Run, Runner
from .stage_boxes import runAgainFrom
from .waiting import waitForEnd


class SegmentationLogic:
    """Segments volume nodes of the scene in the worker process.

    Args:
        client: a worker client; None starts our own when it is first needed.
        packages: further folders in which packages are looked for.
    """

    def __init__(self, client: Client | None = None, packages: Sequence[Path] = ()) -> None:
        self.packages = tuple(packages)
        self._client = client
        self._runner: Runner | None = None

    @property
    def runner(self) -> Runner:
        """The runner of the current scene; made, with its client, when it is first asked for."""
        if self._runner is None:
            client = self._client or WorkerClient(packages=self.packages)
            self._runner = Runner(slicer.mrmlScene, client)
        return self._runner

    def parameters(self) -> Parameters:
        """Give the choices that are remembered in the scene."""
        return Parameters(parameterNode(slicer.mrmlScene))

    def package(self, task: str = DEFAULT_TASK) -> Package:
        """Give the package of a task.

        Raises:
            PackageError: there is none, or it fails its checks.
        """
        return find_package(task, self.packages)

    def segment(
        self,
        inputs: Mapping[str, Any],
        task: str = DEFAULT_TASK,
        *,
        options: RunOptions | None = None,
        progress: ProgressCallback = ignore_progress,
        name: str = "",
    ) -> Any:
        """Segment volume nodes and wait for the result.

        Args:
            inputs: volume node by role, for example ``{"T1": a, "T1ce": b, "T2": c, "FLAIR": d}``.
            task: name of an installed package.
            options: preset, device, backend; None takes the defaults of the panel.
            progress: called with every step.
            name: of the new segmentation node; empty takes the title of the package.

        Returns:
            The new segmentation node. Volumes and other segmentations are not touched.

        Raises:
            MedSegAIError: whatever stopped the run; the scene is then as it was before.
        """
        run = self.segmentAsync(inputs, task, options=options, callbacks=Callbacks(onProgress=progress), name=name)
        waitForEnd(run, self.runner.poll, self.runner.drop)
        return run.segmentationNode

    def segmentAsync(
        self,
        inputs: Mapping[str, Any],
        task: str = DEFAULT_TASK,
        *,
        options: RunOptions | None = None,
        callbacks: Callbacks | None = None,
        name: str = "",
    ) -> Run:
        """Start a segmentation and come back at once.

        The voxels are read in the first polls; a volume that is changed until then ends the run with an error.

        Args:
            inputs: as in :meth:`segment`.
            task: as in :meth:`segment`.
            options: as in :meth:`segment`.
            callbacks: told from within :meth:`poll`, in the caller's thread.
            name: as in :meth:`segment`.

        Returns:
            The handle: ``state``, ``cancel()``, ``segmentationNode``. Call :meth:`poll` until it is over.

        Raises:
            MedSegAIError: the inputs or the package cannot be used; nothing was started.
        """
        package = self.package(task)
        return self.runner.start(
            inputs,
            task,
            options or RunOptions(),
            preferred=package.reference,
            callbacks=callbacks,
            name=name or f"{package.title} (MedSegAI)",
        )

    def segmentAgainFrom(self, segmentationNode: Any, *, callbacks: Callbacks | None = None) -> Run:
        """Start the run of a result again from the boxes that were dragged; the stages before them cost nothing.

        Args:
            segmentationNode: a result whose boxes are in the scene.
            callbacks: as in :meth:`segmentAsync`.

        Raises:
            UsageError: "boxes.not_moved", "boxes.inputs_gone"; else as :meth:`segmentAsync`.
        """
        task, inputs, options = runAgainFrom(segmentationNode)
        return self.segmentAsync(inputs, task, options=options, callbacks=callbacks)

    def segmentFolder(
        self,
        source: Path | str,
        output: Path | str,
        task: str = DEFAULT_TASK,
        *,
        options: RunOptions | None = None,
        progress: Callable[[FolderProgress], None] = ignoreFolderProgress,
    ) -> dict[str, Any]:
        """Segment all studies of a folder or table and wait for the end; ``medsegai batch`` in its own process.

        Args:
            source: folder with one folder a study, or a CSV table.
            output: new or empty folder, or that of the same batch, which then goes on where it stopped.
            task: name of an installed package.
            options: of each study; None takes the defaults of a batch.
            progress: called with ``state``, ``total``, ``done``, ``failed``, ``seconds_left``.

        Returns:
            ``total``, ``done``, ``failed`` (study, code, message, hint), ``worst_first``, ``files``.

        Raises:
            MedSegAIError: whatever stopped the batch; what is done stays.
        """
        run = self.segmentFolderAsync(source, output, task, options=options, progress=progress)

        def poll(waitS: float) -> None:
            run.poll()
            time.sleep(waitS)

        waitForEnd(run, poll)
        return run.answer

    def segmentFolderAsync(
        self,
        source: Path | str,
        output: Path | str,
        task: str = DEFAULT_TASK,
        *,
        options: RunOptions | None = None,
        progress: Callable[[FolderProgress], None] = ignoreFolderProgress,
    ) -> FolderRun:
        """Start a batch and come back at once; arguments as in :meth:`segmentFolder`.

        Returns:
            The handle; call its ``poll`` until its ``state`` is no longer "running". ``cancel`` stops it.
        """
        folder = Path(output).absolute()
        arguments = batchArguments(Path(source).absolute(), folder, task, options or BATCH_RUN)
        return FolderRun(arguments, folder, progress, self.packages)

    def exportAsync(self, segmentationNode: Any, folder: Path | str) -> ExportRun:
        """Start to write all files of a result and come back at once.

        Returns:
            The handle; call its ``poll`` until its ``state`` is no longer "running". ``cancel`` stops it.
        """
        return ExportRun(segmentationNode, Path(folder), self.runner.client)

    def export(self, segmentationNode: Any, folder: Path | str) -> list[Path]:
        """Write all files of a result and wait for the end; what is written is told by ``export.exportResult``.

        Raises:
            MedSegAIError: nothing is written then.
        """
        return exportResult(segmentationNode, Path(folder), self.runner.client)

    def poll(self) -> None:
        """Hand out what the worker has sent; returns at once."""
        if self._runner is not None:
            self._runner.poll()

    @property
    def needsPoll(self) -> bool:
        """Whether :meth:`poll` must still be called."""
        return self._runner is not None and self._runner.needsPoll

    @property
    def isBusy(self) -> bool:
        """Whether a run is under way."""
        return self._runner is not None and self._runner.isBusy

    def close(self) -> None:
        """End the worker; a running job is dropped."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None
