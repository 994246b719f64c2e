"""Windows over a box: where they lie, and what each counts for; for boxes that do not fit in memory as a whole.

The shares of all windows sum to one at every voxel, so sums need no second array of weights. Networks that average
over their input (group and instance norm) answer a little differently to a window than to the whole box: windows are a
choice of the package or the last resort of the memory plan, never a silent default. Ring 2 (engine).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import PackageError

from .backend import FloatArray, LoadedNetwork, NetworkShape, Shape

Shape3 = tuple[int, int, int]
Box = tuple[slice, slice, slice]

# Standard deviation of the Gaussian in window lengths, as nnU-Net has it; the corner then counts e^-24 of the center,
# so a floor keeps every window's share above rounding.
SIGMA = 1.0 / 8.0
SMALLEST_WEIGHT = 1e-3
PHASE = 8  # voxels; three poolings
SMALLEST_SIZE = 32  # voxels a side; below it a window holds more of its border than of its middle


@dataclass(frozen=True)
class Windows:
    """How a box is cut.

    Args:
        size_zyx: voxels of a window; along an axis that is shorter the window is the axis.
        overlap: share of a window that its neighbor covers too, 0 to below 1; windows at the end overlap more.
        weights: "gaussian" (the middle of a window counts most) or "flat".
        each: what is done to every input of a window by itself before the network sees it: "zscore", or "" for
            nothing.

    Raises:
        PackageError: "package.window" with the value found.
    """

    size_zyx: Shape3
    overlap: float = 0.5
    weights: str = "gaussian"
    each: str = ""

    def __post_init__(self) -> None:
        is_size = len(self.size_zyx) == 3 and min(self.size_zyx) >= 1
        if not is_size or not 0.0 <= self.overlap < 1.0 or self.weights not in WEIGHTS or self.each not in EACH:
            raise PackageError(
                "package.window",
                f"Windows of {list(self.size_zyx)} voxels, overlap {self.overlap}, weights {self.weights!r}, each "
                f"{self.each!r} cannot be laid.",
                f"Give three sizes from 1, an overlap from 0 to below 1, weights of {', '.join(WEIGHTS)}, and for "
                "each zscore or nothing.",
            )

    @classmethod
    def from_manifest(cls, entry: Mapping[str, Any]) -> Windows:
        """Read ``{"size": [z, y, x], "overlap": 0.5, "weights": "gaussian", "each": ""}``.

        Raises:
            PackageError: "package.window".
        """
        try:
            depth, height, width = (int(count) for count in entry["size"])
            return cls(
                (depth, height, width),
                float(entry.get("overlap", 0.5)),
                str(entry.get("weights", "gaussian")),
                str(entry.get("each", "")),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise PackageError(
                "package.window",
                f"The package asks for windows that cannot be read: {dict(entry)}.",
                "Compare it with docs/reference/manifest.md.",
            ) from error

    def clipped(self, shape_zyx: Shape3) -> Shape3:
        """Give the shape of the windows in a box: no longer than the box."""
        sizes = [min(size, count) for size, count in zip(self.size_zyx, shape_zyx, strict=True)]
        return sizes[0], sizes[1], sizes[2]

    def turned(self, *, swaps_yx: bool) -> Windows:
        """Give the same windows for a view that swaps y and x."""
        depth, height, width = self.size_zyx
        return replace(self, size_zyx=(depth, width, height)) if swaps_yx else self

    def sized(self, size_zyx: Shape3) -> Windows:
        """Give the same windows in another size."""
        return replace(self, size_zyx=size_zyx)

    def seen(self, shape_czyx: Shape) -> NetworkShape:
        """Give the shape that the network sees of a box."""
        depth, height, width = self.clipped(shape_czyx[1:])
        return shape_czyx[0], depth, height, width

    def run(self, network: LoadedNetwork, look: FloatArray, box: Box) -> FloatArray:
        """Run the window at a place of ``[c, z, y, x]``; gives its logits, ``[k, z, y, x]``."""
        place = (slice(None), *box)
        return network.run(self.normalized(look[place]))

    @property
    def is_plain(self) -> bool:
        """Whether the network sees the voxels of a window as they are."""
        return not self.each

    def normalized(self, piece: FloatArray) -> FloatArray:
        """Give ``[c, z, y, x]`` as ``each`` wants it."""
        if not self.each:
            return piece
        from MedSegAILib.image.intensity import zscore  # brings scipy, which choosing a device must not

        return np.stack([zscore(np.ascontiguousarray(channel)) for channel in piece])

    def count(self, shape_zyx: Shape3) -> int:
        """Give the number of windows that cover a box."""
        return math.prod(len(self._starts(shape_zyx, axis)) for axis in range(3))

    def lay(self, shape_zyx: Shape3) -> Iterator[tuple[Box, FloatArray]]:
        """Give every window of a box with its share.

        Args:
            shape_zyx: of the box.

        Yields:
            The window's place, and its shares ``[z, y, x]``, > 0; at every voxel of the box they sum to one.
        """
        size = self.clipped(shape_zyx)
        starts = [self._starts(shape_zyx, axis) for axis in range(3)]
        shares = [self._shares(shape_zyx, axis, starts[axis]) for axis in range(3)]
        for z, share_z in zip(starts[0], shares[0], strict=True):
            for y, share_y in zip(starts[1], shares[1], strict=True):
                share_zy = share_z[:, None, None] * share_y[:, None]
                for x, share_x in zip(starts[2], shares[2], strict=True):
                    box = (slice(z, z + size[0]), slice(y, y + size[1]), slice(x, x + size[2]))
                    yield box, share_zy * share_x

    def _starts(self, shape_zyx: Shape3, axis: int) -> list[int]:
        """Give where windows begin along an axis, on even steps of at most (1 - overlap) windows.

        Starts keep to multiples of ``PHASE`` where size, axis and overlap allow it: poolings then see the same phase
        of the voxels in every window.
        """
        count, size = shape_zyx[axis], self.clipped(shape_zyx)[axis]
        if size == count:
            return [0]
        widest = max(1, int(size * (1.0 - self._overlap_along(axis))))
        grain = math.gcd(size, count, PHASE)
        while grain > widest:
            grain //= 2
        step = widest // grain * grain
        window_count = math.ceil((count - size) / step) + 1
        places = np.linspace(0, count - size, window_count)
        return [math.floor(place / grain + 0.5) * grain for place in places]

    def _shares(self, shape_zyx: Shape3, axis: int, starts: list[int]) -> list[npt.NDArray[np.float32]]:
        """Give each window's shares along one axis; the product over the axes sums to one as each axis does."""
        count, size = shape_zyx[axis], self.clipped(shape_zyx)[axis]
        weights = WEIGHTS[self._weights_along(axis)](size)
        total = np.zeros(count)
        for start in starts:
            total[start : start + size] += weights
        return [(weights / total[start : start + size]).astype(np.float32) for start in starts]

    def _overlap_along(self, _axis: int) -> float:
        return self.overlap

    def _weights_along(self, _axis: int) -> str:
        return self.weights


def _gaussian(size: int) -> npt.NDArray[np.float64]:
    offsets = np.arange(size) - (size - 1) / 2.0
    weights: npt.NDArray[np.float64] = np.exp(-0.5 * (offsets / max(SIGMA * size, 1e-6)) ** 2)
    return np.maximum(weights, SMALLEST_WEIGHT)


def _flat(size: int) -> npt.NDArray[np.float64]:
    return np.ones(size)


EACH = ("", "zscore")
WEIGHTS: dict[str, Callable[[int], npt.NDArray[np.float64]]] = {"gaussian": _gaussian, "flat": _flat}


def smaller(shape_zyx: Shape3) -> Iterator[Shape3]:
    """Give ever smaller windows of a box: the longest axis is halved first, in the grain that poolings need.

    Args:
        shape_zyx: of the box; a network that takes it takes all windows given here.

    Yields:
        Shapes of windows, down to ``SMALLEST_SIZE`` voxels or one grain a side.
    """
    grains = [_grain(count) for count in shape_zyx]
    sizes = list(shape_zyx)
    while True:
        able = [axis for axis in range(3) if _halved(sizes[axis], grains[axis]) < sizes[axis]]
        if not able:
            return
        axis = max(able, key=lambda a: sizes[a])
        sizes[axis] = _halved(sizes[axis], grains[axis])
        yield sizes[0], sizes[1], sizes[2]


def _grain(count: int) -> int:
    """Give the largest power of two up to 32 that divides a length: so many poolings the network may have."""
    return math.gcd(count, 32)


def _halved(size: int, grain: int) -> int:
    half = -(-size // (2 * grain)) * grain
    return half if half >= min(SMALLEST_SIZE, size) else size
