"""Include and exclude by a click or a stroke in a slice: the tools that ask the worker for a correction. Ring 10 (web).

They use the mouse of trame-slicer's brush, but what was drawn becomes a prompt and not voxels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from trame_slicer.segmentation import ModificationMode, SegmentationEffectPaintErase

from MedSegAILib.core.prompts import Click, Prompt, Scribble

STROKE_MM = 3.0  # width of the line that shows a stroke
_CLICK_MM = 3.0  # a stroke that never leaves its beginning by more is a click
_STEP_MM = 1.0  # between the points of a stroke that are kept

Point = tuple[float, float, float]


class _PromptEffect(SegmentationEffectPaintErase):
    """Hands the points of a stroke over; no voxel is changed here."""

    isInclude = True

    def __init__(self) -> None:
        super().__init__(ModificationMode.Add)
        self.hear: Callable[[Prompt], None] = lambda _prompt: None

    def paint_glyph_at_world_coordinates(self, _polydata: Any, paint_coordinates_world: Any) -> None:
        """Take what was drawn, in world mm; called by the brush when the button is let go."""
        count = paint_coordinates_world.GetNumberOfPoints()
        points = [paint_coordinates_world.GetPoint(index) for index in range(count)]
        if points:
            self.hear(promptOf(points, self.isInclude))


class IncludeEffect(_PromptEffect):
    """The region is here."""

    isInclude = True


class ExcludeEffect(_PromptEffect):
    """The region is not here."""

    isInclude = False


def promptOf(points: Sequence[Point], isInclude: bool) -> Prompt:
    """Give the prompt of a stroke.

    Args:
        points: in the order in which they were drawn, RAS mm; at least one.
        isInclude: whether the region is there.

    Returns:
        A click where the mouse hardly moved, else a scribble with points at least 1 mm apart.
    """
    first = _plain(points[0])
    if all(math.dist(first, point) <= _CLICK_MM for point in points):
        return Click(first, isInclude)
    kept = [first]
    for point in points[1:]:
        if math.dist(kept[-1], point) >= _STEP_MM:
            kept.append(_plain(point))
    return Scribble(tuple(kept), isInclude)


def _plain(point: Sequence[float]) -> Point:
    right, anterior, superior = (float(value) for value in point)
    return right, anterior, superior
