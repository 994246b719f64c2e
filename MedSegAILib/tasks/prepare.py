"""From a case to the array that a network sees, and the way back. Training and inference use this one code.

A manifest names steps and parameters; the steps stand in ``prepare_steps``. The way back needs no list of inverses:
every geometric step keeps the grid true, so ``Trail.undo`` is one resampling from the working grid to the native
voxels. Ring 3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.run import Cancel
from MedSegAILib.core.volume import Array, Grid
from MedSegAILib.image.geometry import Box, Reorientation, crop_grid, reorientation_to, whole_box
from MedSegAILib.image.resample import resample

from .prepare_steps import STEPS, State
from .steps import run_steps

# Axis orders in which slices along z lie in a plane, rows and columns as they are usually shown.
PLANES = {"axial": "LPS", "coronal": "LIP", "sagittal": "PIL"}


@dataclass(frozen=True, eq=False)
class Trail:
    """How to come back from the working grid to the voxels of the reference.

    Args:
        native_grid: grid of the case's reference.
        reorientation: from native to canonical axis order.
        box: part of the reoriented volume that the network saw.
        working_grid: grid of the network's array.
        axes: the canonical axis order.
    """

    native_grid: Grid
    reorientation: Reorientation
    box: Box
    working_grid: Grid
    axes: str = "LPS"

    def undo(self, probabilities: Array, box: Box) -> Array:
        """Bring ``[k, z, y, x]`` from the working grid to the native voxels of a box, in canonical axis order."""
        return resample(probabilities, self.working_grid, crop_grid(self.reorientation.grid(self.native_grid), box))

    def place(self, labels: Array, box: Box) -> Array:
        """Put a label map of a box into the whole native volume, in its own axis order; 0 elsewhere."""
        whole = np.zeros(self.reorientation.grid(self.native_grid).shape_zyx, dtype=labels.dtype)
        whole[box] = labels
        return np.ascontiguousarray(self.reorientation.undo(whole))

    def in_order_of(self, other: Trail) -> Trail:
        """Give the same trail with the canonical axis order of another one of the same case."""
        shape = self.native_grid.shape_zyx
        native_box = self.reorientation.undo_box(self.box, shape)
        box = other.reorientation.box(native_box, shape)
        return replace(self, reorientation=other.reorientation, box=box, axes=other.axes)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a network sees.

    Args:
        array: ``[c, z, y, x]``, float32; a missing role is a channel of zeros.
        trail: the way back.
    """

    array: npt.NDArray[np.float32]
    trail: Trail


def prepare(
    case: Case,
    roles: Sequence[str],
    steps: Sequence[Mapping[str, Any]],
    box: Box | None = None,
    cancel: Cancel | None = None,
) -> Prepared:
    """Run the steps of a manifest on a case.

    Args:
        case: its volumes lie on one lattice (``tasks.check`` saw to that); each may have its own axis order.
        roles: channel order of the network.
        steps: ``{"step": name, parameter: value, ...}``; the first one is "orient".
        box: part of the reference's volume, in its own axis order, that alone is seen; None is all of it. See
            ``boxes``.
        cancel: checked within long steps.

    Raises:
        PackageError: "package.step" for an unknown step or parameter.
        Cancelled: "run.cancelled".
    """
    given = [role for role in roles if role in case.volumes]
    axes = axes_of(steps)
    native = case.reference_grid()
    move = reorientation_to(native, axes)
    grid = move.grid(native)
    seen = whole_box(grid.shape_zyx) if box is None else move.box(box, native.shape_zyx)
    channels = []
    for role in given:
        volume = case.volumes[role]
        own_move = reorientation_to(volume.grid, axes)
        # Contiguous, so that sums run in the same order and equal cases give equal bits.
        channels.append(np.ascontiguousarray(own_move.apply(volume.array)[seen]))
    state = State(tuple(channels), crop_grid(grid, seen), axes, seen, cancel=cancel or Cancel())
    state = run_steps(state, steps[1:], STEPS, "preparation")
    array = np.zeros((len(roles), *state.grid.shape_zyx), dtype=np.float32)
    for role, channel in zip(given, state.channels, strict=True):
        array[list(roles).index(role)] = channel
    return Prepared(array, Trail(native, move, state.box, state.grid, axes))


def axes_of(steps: Sequence[Mapping[str, Any]]) -> str:
    """Give the canonical axis order that the first step names, by letters or by the plane of the slices.

    Raises:
        PackageError: "package.step".
    """
    if not steps or steps[0].get("step") != "orient":
        raise PackageError("package.step", "The first preparation step is not orient.", "Repair the manifest.")
    plane = steps[0].get("plane", "axial")
    if plane not in PLANES:
        raise PackageError(
            "package.step",
            f"The package asks for slices of the plane {plane!r}.",
            f"Known planes: {', '.join(PLANES)}.",
        )
    return str(steps[0].get("axes", PLANES[plane]))
