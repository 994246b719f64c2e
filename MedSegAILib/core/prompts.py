"""What a reader says about one region, in patient space: here it is, here it is not.

Points, strokes, boxes and outlines in RAS mm, so they mean the same on every grid and every oblique plane. Which voxels
they hold is the matter of ``interaction.prompt_voxels``. Ring 0 (nouns).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from .box import PATIENT_AXES, Axes, Point
from .errors import UsageError

STROKE_RADIUS_MM = 1.5  # of a scribble when none is given
LASSO_THICKNESS_MM = 1.0


@dataclass(frozen=True)
class Click:
    """One point.

    Args:
        position_ras_mm: where.
        is_include: whether the region is there (else it is not).
    """

    kind: ClassVar[str] = "click"
    position_ras_mm: Point
    is_include: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "position_ras_mm", _point(self.position_ras_mm))

    @property
    def points_ras_mm(self) -> tuple[Point, ...]:
        """Points that hold the prompt."""
        return (self.position_ras_mm,)


@dataclass(frozen=True)
class Scribble:
    """A stroke: a polyline with a radius.

    Args:
        points_ras_mm: at least one.
        is_include: as for a click.
        radius_mm: of the tube around the line, > 0.
    """

    kind: ClassVar[str] = "scribble"
    points_ras_mm: tuple[Point, ...]
    is_include: bool = True
    radius_mm: float = STROKE_RADIUS_MM

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_ras_mm", _points(self.points_ras_mm, 1))
        _positive(self.radius_mm, "radius of a scribble")


@dataclass(frozen=True)
class BoxPrompt:
    """A box: include looks for the region within it, exclude takes the region out of it.

    Args:
        center_ras_mm: its center.
        size_mm: lengths of its sides along ``axes``, each > 0.
        is_include: as for a click.
        axes: three unit vectors in RAS.
    """

    kind: ClassVar[str] = "box"
    center_ras_mm: Point
    size_mm: Point
    is_include: bool = True
    axes: Axes = PATIENT_AXES

    def __post_init__(self) -> None:
        object.__setattr__(self, "center_ras_mm", _point(self.center_ras_mm))
        object.__setattr__(self, "size_mm", _point(self.size_mm))
        object.__setattr__(self, "axes", _points(self.axes, 3))
        for size in self.size_mm:
            _positive(size, "side of a box")

    @property
    def points_ras_mm(self) -> tuple[Point, ...]:
        """Its eight corners."""
        corners = []
        for signs in [(a, b, c) for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (-0.5, 0.5)]:
            steps = [sign * size for sign, size in zip(signs, self.size_mm, strict=True)]
            moved = [
                middle + sum(step * axis[i] for step, axis in zip(steps, self.axes, strict=True))
                for i, middle in enumerate(self.center_ras_mm)
            ]
            corners.append((moved[0], moved[1], moved[2]))
        return tuple(corners)


@dataclass(frozen=True)
class Lasso:
    """An outline drawn on one slice, axial or oblique: what it holds is the region, or is not.

    Args:
        points_ras_mm: corners of the polygon in order, at least three; it is closed by itself.
        is_include: as for a click.
        thickness_mm: of the slab along the normal of its plane, > 0.
    """

    kind: ClassVar[str] = "lasso"
    points_ras_mm: tuple[Point, ...]
    is_include: bool = True
    thickness_mm: float = LASSO_THICKNESS_MM

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_ras_mm", _points(self.points_ras_mm, 3))
        _positive(self.thickness_mm, "thickness of a lasso")


Prompt = Click | Scribble | BoxPrompt | Lasso
PROMPTS: dict[str, type[Prompt]] = {cls.kind: cls for cls in (Click, Scribble, BoxPrompt, Lasso)}


def prompt_to_json(prompt: Prompt) -> dict[str, Any]:
    """Give a JSON-able dictionary; :func:`prompt_from_json` reads it back."""
    return {"kind": prompt.kind, **asdict(prompt)}


def prompt_from_json(data: Mapping[str, Any]) -> Prompt:
    """Read what :func:`prompt_to_json` wrote.

    Raises:
        UsageError: "prompt.unreadable" when it is no prompt.
    """
    fields = dict(data)
    kind = fields.pop("kind", None)
    if kind not in PROMPTS:
        raise UsageError("prompt.unreadable", f"There is no prompt {kind!r}.", f"Give one of {', '.join(PROMPTS)}.")
    try:
        return PROMPTS[kind](**fields)
    except TypeError as error:
        raise UsageError(
            "prompt.unreadable", f"The {kind} cannot be read ({error}).", "Write it as the library writes it."
        ) from error


def _points(values: Sequence[Any], least: int) -> tuple[Point, ...]:
    points = tuple(_point(value) for value in values)
    if len(points) < least:
        raise UsageError(
            "prompt.points", f"The prompt has {len(points)} points, at least {least} are wanted.", "Draw more of it."
        )
    return points


def _point(values: Any) -> Point:
    try:
        right, anterior, superior = (float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise _refused(values) from error
    if not all(map(math.isfinite, (right, anterior, superior))):
        raise _refused(values)
    return right, anterior, superior


def _refused(values: Any) -> UsageError:
    return UsageError("prompt.points", f"{values!r} is no point.", "Give three finite coordinates, RAS in mm.")


def _positive(value: float, what: str) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise UsageError("prompt.size", f"The {what} is {value} mm.", "Give a length above 0 mm.")
