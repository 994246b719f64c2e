"""The dry run: every study looked through by its headers before anything is computed. Ring 6 (batch).

Roles, files, shapes and grids; no voxel is read, so hundreds of studies take seconds. What only the voxels tell (damage
inside a file, CT given as MR) is told when the study is computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from MedSegAILib.core.errors import InputError, MedSegAIError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid
from MedSegAILib.io.case_files import each_file_once
from MedSegAILib.io.peek import peek_grid
from MedSegAILib.tasks.check import check_shape, check_subset
from MedSegAILib.tasks.package import Package

from .studies import Study


@dataclass(frozen=True)
class CheckedStudy:
    """A study that was looked through; ``study.error`` says why it cannot be computed."""

    study: Study
    notices: tuple[Notice, ...] = ()


def check_study(study: Study, package: Package, options: RunOptions) -> CheckedStudy:
    """Look a study through; what is wrong with it stands on the study that comes back."""
    if study.error is not None:
        return CheckedStudy(study)
    try:
        return CheckedStudy(study, _check(study, package, options))
    except MedSegAIError as error:
        return CheckedStudy(replace(study, error=error))


def _check(study: Study, package: Package, options: RunOptions) -> tuple[Notice, ...]:
    missing = next((role for role, path in study.inputs.items() if not Path(path).exists()), None)
    if missing:
        raise InputError("file.missing", f"The file of {missing} is not there.", "Check the path.")
    each_file_once(study.inputs)
    notices = check_subset(tuple(study.inputs), package)
    if study.reference and study.reference not in study.inputs:
        raise InputError(
            "case.reference",
            f"The reference {study.reference!r} is not among the inputs {', '.join(study.inputs)}.",
            "Name one of the inputs.",
        )
    grids: dict[str, Grid] = {}
    for role, path in study.inputs.items():
        grid = peek_grid(path)
        if grid is not None:
            check_shape(role, grid.shape_zyx)
            grids[role] = grid
    reference = study.reference or next(role for role in package.reference if role in study.inputs)
    if "resample" not in options.repair and reference in grids:
        from MedSegAILib.tasks.repair import grids_differ, is_same_box  # loads SimpleITK

        for role, grid in grids.items():
            if not is_same_box(grid, grids[reference]):
                raise grids_differ(role, grid, reference, grids[reference])
    return tuple(notices)
