"""From a case to the array that a network sees, and the way back. Training and inference use this one code.

Each step is a small function on a working state, listed in ``STEPS``; a manifest names steps and parameters. The way
back needs no list of inverses: every geometric step keeps the grid true, so ``Trail.undo`` is one resampling from the
working grid to the native voxels. Ring 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.volume import Array, Grid
from MedSegAILib.image.geometry import Box, Reorientation, crop_grid, nonzero_box, patient_axes, reorientation_to
from MedSegAILib.image.intensity import scale_percentiles, zscore_nonzero
from MedSegAILib.image.resample import resample

from .working_grid import Lattice, fitting_grid


@dataclass(frozen=True, eq=False)
class Trail:
    """How to come back from the working grid to the voxels of the reference.

    Args:
        native_grid: grid of the case's reference.
        reorientation: from native to canonical axis order.
        box: part of the reoriented volume that the network saw.
        working_grid: grid of the network's array.
    """

    native_grid: Grid
    reorientation: Reorientation
    box: Box
    working_grid: Grid

    def undo(self, probabilities: Array, box: Box) -> Array:
        """Bring ``[k, z, y, x]`` from the working grid to the native voxels of a box, in canonical axis order."""
        return resample(probabilities, self.working_grid, crop_grid(self.reorientation.grid(self.native_grid), box))

    def place(self, labels: Array, box: Box) -> Array:
        """Put a label map of a box into the whole native volume, in its own axis order; 0 elsewhere."""
        whole = np.zeros(self.reorientation.grid(self.native_grid).shape_zyx, dtype=labels.dtype)
        whole[box] = labels
        return np.ascontiguousarray(self.reorientation.undo(whole))


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a network sees.

    Args:
        array: ``[c, z, y, x]``, float32; a missing role is a channel of zeros.
        trail: the way back.
    """

    array: npt.NDArray[np.float32]
    trail: Trail


@dataclass(frozen=True, eq=False)
class _State:
    channels: tuple[Array, ...]  # of the roles that are there, each [z, y, x]
    grid: Grid  # of the channels, now
    axes: str  # canonical axis order
    trail: Trail


def prepare(case: Case, roles: Sequence[str], steps: Sequence[Mapping[str, Any]]) -> Prepared:
    """Run the steps of a manifest on a case.

    Args:
        case: its volumes lie on one lattice (``tasks.check`` saw to that); each may have its own axis order.
        roles: channel order of the network.
        steps: ``{"step": name, parameter: value, ...}``; the first one is "orient".

    Raises:
        PackageError: "package.step" for an unknown step or parameter.
    """
    given = [role for role in roles if role in case.volumes]
    state = _oriented(case, given, steps)
    for entry in steps[1:]:
        parameters = {name: value for name, value in entry.items() if name != "step"}
        try:
            state = STEPS[entry["step"]](state, **parameters)
        except (KeyError, TypeError) as error:
            raise PackageError(
                "package.step",
                f"The package asks for a preparation that this version does not know: {dict(entry)}.",
                f"Known steps: orient, {', '.join(STEPS)}.",
            ) from error
    array = np.zeros((len(roles), *state.grid.shape_zyx), dtype=np.float32)
    for role, channel in zip(given, state.channels, strict=True):
        array[roles.index(role)] = channel
    return Prepared(array, replace(state.trail, working_grid=state.grid))


def _oriented(case: Case, given: Sequence[str], steps: Sequence[Mapping[str, Any]]) -> _State:
    if not steps or steps[0].get("step") != "orient":
        raise PackageError("package.step", "The first preparation step is not orient.", "Repair the manifest.")
    axes = str(steps[0].get("axes", "LPS"))
    native = case.reference_grid()
    move = reorientation_to(native, axes)
    grid = move.grid(native)
    channels = []
    for role in given:
        volume = case.volumes[role]
        own_move = reorientation_to(volume.grid, axes)
        # Contiguous, so that sums run in the same order and equal cases give equal bits.
        channels.append(np.ascontiguousarray(own_move.apply(volume.array)))
    whole = tuple(slice(0, count) for count in grid.shape_zyx)
    return _State(tuple(channels), grid, axes, Trail(native, move, (whole[0], whole[1], whole[2]), grid))


def _crop_nonzero(state: _State) -> _State:
    """Keep the smallest box with every non-zero voxel of any channel."""
    box = nonzero_box(state.channels)
    channels = tuple(channel[box] for channel in state.channels)
    return replace(state, channels=channels, grid=crop_grid(state.grid, box), trail=replace(state.trail, box=box))


def _scale_percentiles(state: _State, lower: float, upper: float, margin_mm: float = 0.0) -> _State:
    z, y, x = (math.ceil(margin_mm / size) for size in state.grid.spacing_zyx_mm)
    scaled = tuple(scale_percentiles(channel, lower, upper, (z, y, x)) for channel in state.channels)
    return replace(state, channels=scaled)


def _zscore_nonzero(state: _State) -> _State:
    return replace(state, channels=tuple(zscore_nonzero(channel) for channel in state.channels))


def _resample(state: _State, spacing_mm: float, multiple: int = 1, at_least_zyx: Sequence[int] = (1, 1, 1)) -> _State:
    """Bring all channels to cubic voxels around what is imaged; see ``working_grid``."""
    content = np.any(np.stack([channel != 0 for channel in state.channels]), axis=0)
    depth, height, width = at_least_zyx
    lattice = Lattice(float(spacing_mm), int(multiple), (depth, height, width))
    grid = fitting_grid(state.grid, content, patient_axes(state.axes), lattice)
    return replace(state, channels=tuple(resample(c, state.grid, grid) for c in state.channels), grid=grid)


def _pad(state: _State, multiple: int) -> _State:
    """Add zeros at the high end of each axis up to a multiple, as the networks' poolings need."""
    shape = [-(-count // multiple) * multiple for count in state.grid.shape_zyx]
    widths = [(0, wanted - count) for wanted, count in zip(shape, state.grid.shape_zyx, strict=True)]
    grid = Grid((shape[0], shape[1], shape[2]), state.grid.ijk_to_ras)
    return replace(state, channels=tuple(np.pad(channel, widths) for channel in state.channels), grid=grid)


STEPS: dict[str, Callable[..., _State]] = {
    "crop_nonzero": _crop_nonzero,
    "scale_percentiles": _scale_percentiles,
    "zscore_nonzero": _zscore_nonzero,
    "resample": _resample,
    "pad": _pad,
}
