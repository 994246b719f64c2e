"""Slices through networks of two dimensions: one by one, or several neighbors as channels.

The slices are those along z of the prepared box, so the plane is a matter of its axis order. They are windows like any
other: shares that sum to one, the same loop over views and members. Ring 2 (engine).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from MedSegAILib.core.errors import PackageError

from .backend import FloatArray, LoadedNetwork, NetworkShape, Shape
from .windows import Box, Shape3, Windows

BATCH = 8  # slices at a time; a cancel is heard between two batches
GIVES = ("middle", "slab")


@dataclass(frozen=True)
class Slices(Windows):
    """How a box is cut for a network of two dimensions.

    Args:
        size_zyx: slices at a time (gives "middle") or of a slab (gives "slab"), and the window within a slice.
        overlap: within the slices; for slabs also between them.
        weights: within the slices; for slabs also along them.
        each: as for other windows; slices that are seen together count as one window.
        slices: neighboring slices that the network sees as channels; odd when it gives the middle one. Channel
            ``c * slices + s`` is slice s of input c. Beyond the ends the end slices are repeated.
        gives: "middle" (one slice a forward) or "slab" (all of them: channel ``k * slices + s``).

    Raises:
        PackageError: "package.window".
    """

    slices: int = 1
    gives: str = "middle"

    def __post_init__(self) -> None:
        super().__post_init__()
        is_odd = self.slices % 2 == 1
        is_slab = self.gives == "slab" and self.slices == self.size_zyx[0]
        if self.slices < 1 or self.gives not in GIVES or not (is_slab or (self.gives == "middle" and is_odd)):
            raise PackageError(
                "package.window",
                f"A window of {self.slices} slices that gives {self.gives!r} cannot be laid.",
                "Give an odd number of slices for the middle one, or any number from 1 for a slab.",
            )

    @property
    def is_plain(self) -> bool:
        """Never: slices become channels, or images of their own."""
        return False

    def sized(self, size_zyx: Shape3) -> Windows:
        """Give the same windows in another size; a slab keeps its slices, which are channels of the network."""
        depth = self.slices if self.gives == "slab" else size_zyx[0]
        return replace(self, size_zyx=(depth, *size_zyx[1:]))

    def seen(self, shape_czyx: Shape) -> NetworkShape:
        """Give the shape that the network sees of a box: channels, y, x."""
        _, height, width = self.clipped(shape_czyx[1:])
        return shape_czyx[0] * self.slices, height, width

    def run(self, network: LoadedNetwork, look: FloatArray, box: Box) -> FloatArray:
        """Run the window at a place of ``[c, z, y, x]``; gives its logits, ``[k, z, y, x]``."""
        z, y, x = box
        present = z.stop - z.start
        count = 1 if self.gives == "slab" else present
        reach = 0 if self.gives == "slab" else (self.slices - 1) // 2
        # Beyond the ends, and in a box of fewer slices than a slab, the end slices are repeated.
        places = np.clip(np.arange(count + self.slices - 1) + z.start - reach, 0, look.shape[1] - 1)
        piece = look[:, places, y, x]
        # [n, c, s, y, x]: what the network sees in every forward.
        stacks = np.stack([self.normalized(piece[:, first : first + self.slices]) for first in range(count)])
        logits = network.run(stacks.reshape(count, -1, *piece.shape[2:]))
        if self.gives == "slab":
            return np.ascontiguousarray(logits[0].reshape(-1, self.slices, *piece.shape[2:])[:, :present])
        return np.ascontiguousarray(np.moveaxis(logits, 0, 1))

    def _overlap_along(self, axis: int) -> float:
        return 0.0 if axis == 0 and self.gives == "middle" else self.overlap

    def _weights_along(self, axis: int) -> str:
        return "flat" if axis == 0 and self.gives == "middle" else self.weights


def cut_of(entry: Mapping[str, Any], shape_zyx: Shape3) -> Windows | None:
    """Read how a manifest has a box cut.

    Args:
        entry: ``window`` of an ensemble; empty for the whole box at once.
        shape_zyx: of the box; what the entry leaves open is its extent.

    Raises:
        PackageError: "package.window".
    """
    if not entry:
        return None
    if "slices" not in entry:
        return Windows.from_manifest(entry)
    try:
        count, gives = int(entry["slices"]), str(entry.get("gives", "middle"))
        height, width = (int(side) for side in entry.get("size", shape_zyx[1:]))
        depth = count if gives == "slab" else int(entry.get("batch", BATCH))
        overlap, weights = float(entry.get("overlap", 0.5)), str(entry.get("weights", "gaussian"))
        return Slices((depth, height, width), overlap, weights, str(entry.get("each", "")), count, gives)
    except (TypeError, ValueError) as error:
        raise PackageError(
            "package.window",
            f"The package asks for slices that cannot be read: {dict(entry)}.",
            "Compare it with docs/reference/manifest.md.",
        ) from error
