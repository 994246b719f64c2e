"""The steps of preparation by name: each takes a state and parameters and gives the next state. Ring 3.

Geometric steps keep the grid true; intensity steps act on every input by itself and leave the grid alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from MedSegAILib.core.run import Cancel
from MedSegAILib.core.volume import Array, Grid
from MedSegAILib.image.geometry import Box, crop_grid, nonzero_box, patient_axes, shifted, spanning_grid
from MedSegAILib.image.intensity import scale_percentiles, window_map, zscore, zscore_nonzero
from MedSegAILib.image.resample import resample

from .boxes import rough_box
from .working_grid import Lattice, fitting_grid


@dataclass(frozen=True, eq=False)
class State:
    """A case on its way to the network.

    Args:
        channels: of the roles that are there, each ``[z, y, x]``.
        grid: of the channels, now.
        axes: canonical axis order.
        box: part of the reoriented native volume that the channels show.
        is_native: whether the channels still have native voxels; a later crop is no longer told of in ``box``.
        cancel: looked at within long steps.
    """

    channels: tuple[Array, ...]
    grid: Grid
    axes: str
    box: Box
    is_native: bool = True
    cancel: Cancel = field(default_factory=Cancel)

    def cropped(self, box: Box) -> State:
        """Give the part of it in a box of its grid."""
        inner = [slice(o.start + b.start, o.start + b.stop) for o, b in zip(self.box, box, strict=True)]
        return replace(
            self,
            channels=tuple(channel[box] for channel in self.channels),
            grid=crop_grid(self.grid, box),
            box=(inner[0], inner[1], inner[2]) if self.is_native else self.box,
        )

    def resampled(self, grid: Grid, fill: float | str = 0.0) -> State:
        """Give it on another grid."""
        channels = tuple(resample(c, self.grid, grid, fill=_fill(c, fill)) for c in self.channels)
        return replace(self, channels=channels, grid=grid, is_native=False)

    def mapped(self, change: Callable[[Array], Array]) -> State:
        """Give it with other intensities."""
        return replace(self, channels=tuple(change(channel) for channel in self.channels))


def _crop_nonzero(state: State) -> State:
    """Keep the smallest box with every non-zero voxel of any channel."""
    return state.cropped(nonzero_box(state.channels))


def _crop_rough(state: State, rough: Mapping[str, Any]) -> State:
    """Keep shares of the extent along the patient's axes; see ``boxes.rough_box``."""
    return state.cropped(rough_box(state.channels, state.grid, rough))


def _select_slices(state: State, count: int, low: float = 0.0, high: float = 1.0) -> State:
    """Bring a share of the slices to so many, at equal steps.

    The pancreas system takes 64 slices of [0.2, 0.8] by rounded index; here they are interpolated.
    """
    if not 0.0 <= low < high <= 1.0:
        raise ValueError(f"slices from {low} to {high}")
    depth, height, width = state.grid.shape_zyx
    start, step = low * depth, (high - low) * depth / int(count)
    matrix = shifted(state.grid.ijk_to_ras, [start + (step - 1.0) / 2.0, 0.0, 0.0]) @ np.diag([1.0, 1.0, step, 1.0])
    side = slice(math.floor(start), math.ceil(high * depth))
    moved = state.resampled(Grid((int(count), height, width), matrix))
    return replace(moved, box=state.cropped((side, slice(0, height), slice(0, width))).box)


def _resample(
    state: State,
    spacing_mm: float | Sequence[float],
    multiple: int | Sequence[int] = 1,
    at_least_zyx: Sequence[int] = (1, 1, 1),
    around: str = "nonzero",
    fill: float | str = 0.0,
) -> State:
    """Bring all channels to voxels of one spacing around what is imaged, or around the box; see ``working_grid``."""
    depth, height, width = at_least_zyx
    lattice = Lattice(_three(spacing_mm, float), _three(multiple, int), (depth, height, width))
    if around == "nonzero":
        content = np.any(np.stack([channel != 0 for channel in state.channels]), axis=0)
        axes = patient_axes(state.axes)
    elif around == "all":
        content = np.ones(state.grid.shape_zyx, dtype=bool)
        # Unlike a head, a field of view has a direction of its own: thick slices stay slices.
        axes = state.grid.ijk_to_ras[:3, :3] / np.linalg.norm(state.grid.ijk_to_ras[:3, :3], axis=0)
    else:
        raise ValueError(f"around {around}")
    return state.resampled(fitting_grid(state.grid, content, axes, lattice), fill)


def _resample_shape(state: State, shape_zyx: Sequence[int]) -> State:
    """Bring the box to so many voxels; 0 keeps an axis."""
    depth, height, width = (int(wanted) or count for wanted, count in zip(shape_zyx, state.grid.shape_zyx, strict=True))
    return state.resampled(spanning_grid(state.grid, (depth, height, width)))


def _pad(
    state: State,
    multiple: int | Sequence[int] = 1,
    at_least_zyx: Sequence[int] = (1, 1, 1),
    fill: float | str = 0.0,
) -> State:
    """Add voxels at the high end of each axis up to a multiple, as the networks' poolings need."""
    shape = [
        -(-max(count, least) // block) * block
        for count, least, block in zip(state.grid.shape_zyx, at_least_zyx, _three(multiple, int), strict=True)
    ]
    widths = [(0, wanted - count) for wanted, count in zip(shape, state.grid.shape_zyx, strict=True)]
    grid = Grid((shape[0], shape[1], shape[2]), state.grid.ijk_to_ras)
    padded = tuple(np.pad(c, widths, constant_values=_fill(c, fill)) for c in state.channels)
    return replace(state, channels=padded, grid=grid)


def _window_map(state: State, low: float, high: float, to: Sequence[float] = (0.0, 1.0)) -> State:
    first, last = to
    return state.mapped(lambda channel: window_map(channel, low, high, (first, last)))


def _scale_percentiles(state: State, lower: float, upper: float, margin_mm: float = 0.0) -> State:
    margin = _in_voxels(margin_mm, state)
    return state.mapped(lambda channel: scale_percentiles(channel, lower, upper, margin))


def _zscore(state: State) -> State:
    return state.mapped(zscore)


def _zscore_nonzero(state: State, margin_mm: float = 0.0) -> State:
    margin = _in_voxels(margin_mm, state)
    return state.mapped(lambda channel: zscore_nonzero(channel, margin))


def _in_voxels(length_mm: float, state: State) -> tuple[int, int, int]:
    z, y, x = (math.ceil(length_mm / size) for size in state.grid.spacing_zyx_mm)
    return z, y, x


def _n4(state: State, shrink: int = 4, iterations: Sequence[int] = (50, 50, 50, 50)) -> State:
    from MedSegAILib.image.bias_field import n4

    spacing = state.grid.spacing_zyx_mm
    return state.mapped(lambda channel: n4(channel, spacing, int(shrink), iterations, state.cancel))


def _diffuse(state: State, iterations: int = 10, kappa: float = 50.0, gamma: float = 0.1) -> State:
    from MedSegAILib.image.diffusion import diffuse

    return state.mapped(lambda channel: diffuse(channel, int(iterations), kappa, gamma, state.cancel))


def _three(value: Any, kind: Callable[[Any], Any]) -> tuple[Any, Any, Any]:
    """Give one value for each axis, (z, y, x)."""
    if isinstance(value, (int, float)):
        return kind(value), kind(value), kind(value)
    depth, height, width = (kind(entry) for entry in value)
    return depth, height, width


def _fill(channel: Array, fill: float | str) -> float:
    """Give what stands outside the image: a number, or the lowest value of the channel."""
    return float(channel.min()) if fill == "min" else float(fill)


STEPS: dict[str, Callable[..., State]] = {
    "crop_nonzero": _crop_nonzero,
    "crop_rough": _crop_rough,
    "select_slices": _select_slices,
    "resample": _resample,
    "resample_shape": _resample_shape,
    "pad": _pad,
    "window_map": _window_map,
    "scale_percentiles": _scale_percentiles,
    "zscore": _zscore,
    "zscore_nonzero": _zscore_nonzero,
    "n4": _n4,
    "diffuse": _diffuse,
}
