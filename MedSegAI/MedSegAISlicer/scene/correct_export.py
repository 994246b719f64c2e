"""Corrections of a result as one study of a data set that training reads: images, masks, prompts. Ring 9; no Qt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer.util

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.worker.transfer_correction import write_corrections

from .correct_before import labelsBefore, labelsNow
from .correct_place import correctable, latticeOf
from .correct_prompts import promptsOf
from .export import AskedClient
from .segmentations import readPassport
from .statistics import inputsOf
from .volumes import gridFromNode

_WAIT_S = 0.02


def exportCorrections(segmentationNode: Any, folder: Path | str, client: AskedClient) -> list[Path]:
    """Write a corrected result as a study of a data set, and wait for the end.

    Args:
        segmentationNode: a result that was corrected.
        folder: of the study: ``<data set>/<study>``; made where it is not there.
        client: of the worker.

    Returns:
        ``<role>.nii.gz``, ``seg_before.nii.gz``, ``seg.nii.gz``, ``prompts.json``; all on the grid of the volume.

    Raises:
        UsageError: "correct.none" when nothing was corrected; as ``correct_place.correctable``.
        ResourceError: "output.disk_full", "output.not_writable"; nothing is written then.
    """
    scheme, reference = correctable(segmentationNode)
    lattice = latticeOf(segmentationNode, scheme, reference)
    before = labelsBefore(segmentationNode, lattice.grid)
    if before is None:
        raise UsageError(
            "correct.none",
            "Nothing of this result was corrected with a prompt.",
            "Correct it first, or export the result itself.",
        )
    case = _case(segmentationNode, reference, lattice.turn, lattice.grid)
    masks = (Volume(before, lattice.grid), Volume(labelsNow(segmentationNode, scheme, lattice.grid), lattice.grid))
    prompts = tuple((kept.segmentId, kept.prompt) for kept in promptsOf(segmentationNode))
    passport = readPassport(segmentationNode)
    facts = {"task": passport.task, "package": dict(passport.package)} if passport is not None else {}
    output = str(Path(folder).absolute())

    def write(place: Path) -> dict[str, Any]:
        return {"corrections": write_corrections(case, masks, prompts, facts, place), "output": output}

    needed = sum(volume.array.nbytes for volume in (*case.volumes.values(), *masks))
    job = client.ask_async("export_corrections", write, lambda answer, _folder: answer, needed)
    outcome: dict[str, Any] = {}
    job.on_result = lambda answer: outcome.update(files=answer["files"])
    job.on_error = lambda error: outcome.update(error=error)
    while not outcome:
        client.poll(_WAIT_S)
    if "error" in outcome:
        raise outcome["error"]
    return [Path(name) for name in outcome["files"]]


def _case(node: Any, reference: Any, turn: Any, grid: Grid) -> Case:
    """Give the inputs that lie on the grid of the result, in its axis order; at least the reference."""
    volumes = {}
    for role, volume in (inputsOf(node) or {"image": reference}).items():
        if volume is not None and gridFromNode(volume, reference).is_same_as(gridFromNode(reference)):
            volumes[role] = Volume(turn(slicer.util.arrayFromVolume(volume)), grid, name=role)
    if not volumes:
        volumes["image"] = Volume(turn(slicer.util.arrayFromVolume(reference)), grid, name="image")
    return Case(volumes)
