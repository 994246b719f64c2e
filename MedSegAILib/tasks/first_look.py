"""A first, coarse answer: the same package looks once, with one member, at the case in larger voxels. Ring 3.

It is real, of the same weights and the same steps, and worth little: it says where, not how far. It is made to be
replaced by the result of the run. Not here: how it is shown (``MedSegAISlicer.scene.provisional``).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.result import Notice, Result
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.core.volume import Array, Grid, Volume

from .package import Package
from .pipeline import segment

# Voxels are joined up to this edge: what the networks that ship see of a head is no finer.
COARSE_MM = 2.0
LEAST_GAIN = 4  # voxels joined into one; with less the run itself is nearly as quick
PROVISIONAL = Notice(
    "result.provisional",
    "This is a first, coarse look; the result of the run replaces it.",
    "Wait for the run to end before you judge or measure anything.",
)


def first_look(case: Case, package: Package, options: RunOptions, cancel: Cancel | None = None) -> Result | None:
    """Give a coarse result on the grid of the case's reference.

    Args:
        case: inputs by role.
        package: of the run.
        options: of the run; the preset, boxes and probabilities do not matter here.
        cancel: checked between any two network passes.

    Returns:
        The result, marked by the notice "result.provisional" and without doubt; None when the case is so coarse
        itself that looking first gains nothing.

    Raises:
        MedSegAIError: as ``pipeline.segment``.
    """
    grid = _reference(case, package)
    if np.prod(_factors(grid)) < LEAST_GAIN:
        return None
    coarse = Case({role: coarse_volume(volume) for role, volume in case.volumes.items()}, reference=case.reference)
    quick = replace(options, preset="fast", boxes=(), keep_probabilities=False, deterministic=False)
    found = segment(coarse, _with_one_member(package), quick, cancel=cancel)
    labels = refined(found.labels.array, grid)
    return Result(Volume(labels, grid, name="labels"), found.scheme, found.passport, (PROVISIONAL,))


def coarse_volume(volume: Volume) -> Volume:
    """Give a volume in larger voxels, each the mean of those that it holds; the outermost may reach over the edge."""
    factors = _factors(volume.grid)
    matrix = volume.grid.ijk_to_ras.copy()
    shift = [(factor - 1) / 2.0 for factor in factors[::-1]]
    matrix[:3, 3] += matrix[:3, :3] @ shift
    matrix[:3, :3] *= factors[::-1]
    array = _joined(volume.array, factors)
    depth, height, width = array.shape
    return Volume(array, Grid((depth, height, width), matrix), name=volume.name)


def refined(labels: Array, grid: Grid) -> Array:
    """Bring labels from the coarse voxels of a grid back to its own, each to all that were joined to it."""
    for axis, factor in enumerate(_factors(grid)):
        labels = np.repeat(labels, factor, axis=axis)
    depth, height, width = grid.shape_zyx
    return np.ascontiguousarray(labels[:depth, :height, :width])


def _joined(array: Array, factors: tuple[int, int, int]) -> Array:
    """Give the mean over blocks of voxels; a block at the far edge repeats the last voxel."""
    missing = [(0, -count % factor) for count, factor in zip(array.shape, factors, strict=True)]
    whole = np.pad(array, missing, mode="edge") if any(after for _, after in missing) else array
    total = np.zeros([count // factor for count, factor in zip(whole.shape, factors, strict=True)], np.float32)
    for z, y, x in np.ndindex(*factors):
        total += whole[z :: factors[0], y :: factors[1], x :: factors[2]]
    total /= np.float32(np.prod(factors))
    return total


def _factors(grid: Grid) -> tuple[int, int, int]:
    """Give how many voxels of each axis are joined: as many as stay within ``COARSE_MM``, at least one."""
    z, y, x = (max(1, int(COARSE_MM / edge + 1e-6)) for edge in grid.spacing_zyx_mm)
    return z, y, x


def _reference(case: Case, package: Package) -> Grid:
    """Give the grid that the result of the run will lie on."""
    role = case.reference or next((role for role in package.reference if role in case.volumes), "")
    return case.volumes[role].grid if role else case.reference_grid()


def _with_one_member(package: Package) -> Package:
    stages = tuple(
        replace(stage, ensembles=tuple(replace(ensemble, members=ensemble.members[:1]) for ensemble in stage.ensembles))
        for stage in package.stages
    )
    return replace(package, stages=stages)
