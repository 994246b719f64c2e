"""Looks at a case from several sides: flips and quarter turns, with their way back.

Weights are relative; ``predict`` normalizes them. Ring 1 (verbs).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .backend import FloatArray, Shape

_AXES = {"z": 1, "y": 2, "x": 3}


@dataclass(frozen=True)
class View:
    """A flip along some axes, then quarter turns in the axial plane.

    Args:
        name: for passports and progress ("flip_x").
        flips: letters out of "zyx".
        quarter_turns: 0 to 3; one turn maps [[0, 1], [2, 3]] of (y, x) to [[1, 3], [0, 2]].
        weight: how much it counts, relative to the others of its set; > 0.
    """

    name: str
    flips: str = ""
    quarter_turns: int = 0
    weight: float = 1.0

    def apply(self, array: FloatArray) -> FloatArray:
        """Give the look at ``[c, z, y, x]``; a view into it, with y and x swapped in shape for odd turns."""
        return np.rot90(_flip(array, self.flips), self.quarter_turns, axes=(2, 3))

    def invert(self, array: FloatArray) -> FloatArray:
        """Undo :meth:`apply`: turn back first, then flip.

        The published code of the BraTS 2020 system does it the other way round, which turns 4 of its 16 looks by
        180 degrees; this is the correct order.
        """
        return _flip(np.rot90(array, -self.quarter_turns, axes=(2, 3)), self.flips)

    @property
    def swaps_yx(self) -> bool:
        """Whether the look has y and x swapped in shape."""
        return self.quarter_turns % 2 == 1

    def shape(self, shape_czyx: Shape) -> Shape:
        """Give the shape that :meth:`apply` makes of that shape."""
        channels, z, y, x = shape_czyx
        return (channels, z, x, y) if self.swaps_yx else shape_czyx


def _flip(array: FloatArray, axes: str) -> FloatArray:
    return np.flip(array, tuple(_AXES[letter] for letter in axes))


IDENTITY = View("identity")

VIEW_SETS: dict[str, tuple[View, ...]] = {
    "identity": (IDENTITY,),
    "flip_x": (IDENTITY, View("flip_x", "x")),
    "flips": (IDENTITY, *(View(f"flip_{axes}", axes) for axes in ("x", "y", "z", "yx", "zx", "zy", "zyx"))),
    # Henry et al. 2020 list 16 (no flip or one flip, each with 0 to 3 turns); 12 are distinct, four of them occur
    # twice. Transposing y and x is a flip with one turn.
    "brats2020": (
        IDENTITY,
        View("turn_90", "", 1),
        View("turn_180", "", 2),
        View("turn_270", "", 3),
        View("flip_z", "z"),
        View("flip_z_turn_90", "z", 1),
        View("flip_z_turn_180", "z", 2),
        View("flip_z_turn_270", "z", 3),
        View("flip_y", "y", weight=2.0),
        View("flip_x", "x", weight=2.0),
        View("transpose", "x", 1, weight=2.0),
        View("anti_transpose", "y", 1, weight=2.0),
    ),
}
