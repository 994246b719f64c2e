"""Include and exclude by a click, a stroke or an outline in a slice: tools that ask the worker for a correction.

They use the mouse of trame-slicer's brush and of its outline, which is drawn while the mouse moves; but what was drawn
becomes a prompt and not voxels. Ring 10 (web).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from trame_slicer.segmentation import ModificationMode, SegmentationEffectPaintErase
from trame_slicer.segmentation.segmentation_effect_draw import SegmentationEffectDraw

from MedSegAILib.core.prompts import Click, Lasso, Prompt, Scribble

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


class _OutlineEffect(SegmentationEffectDraw):
    """Hands the corners of an outline over; no voxel is changed here."""

    isInclude = True

    def __init__(self) -> None:
        super().__init__()
        self.hear: Callable[[Prompt], None] = lambda _prompt: None

    def apply_points_display_coordinates(self, points_display: Any, view: Any) -> None:
        """Take what was drawn, in pixels of the view; called when the button is let go."""
        toRas = view.get_view_node().GetXYToRAS()
        count = points_display.GetNumberOfPoints()
        shown = [points_display.GetPoint(index) for index in range(count)]
        self.hear(outlineOf([toRas.MultiplyPoint([x, y, 0.0, 1.0])[:3] for x, y, _ in shown], self.isInclude))


class IncludeOutlineEffect(_OutlineEffect):
    """What the outline holds is the region."""

    isInclude = True


class ExcludeOutlineEffect(_OutlineEffect):
    """What the outline holds is not the region."""

    isInclude = False


def outlineOf(points: Sequence[Point], isInclude: bool) -> Prompt:
    """Give the prompt of an outline; a click where the mouse hardly moved.

    Args:
        points: in the order in which they were drawn, RAS mm; at least one.
        isInclude: whether what it holds is the region.
    """
    kept = _spaced(points)
    return Lasso(tuple(kept), isInclude) if len(kept) > 2 else Click(_plain(points[0]), isInclude)


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
    return Scribble(tuple(_spaced(points)), isInclude)


def _spaced(points: Sequence[Point]) -> list[Point]:
    """Give the points that lie at least a step from the one before."""
    kept = [_plain(points[0])]
    for point in points[1:]:
        if math.dist(kept[-1], point) >= _STEP_MM:
            kept.append(_plain(point))
    return kept


def _plain(point: Sequence[float]) -> Point:
    right, anterior, superior = (float(value) for value in point)
    return right, anterior, superior
