"""A box in space: where a stage of a task looks. Shown with the result, and given back by a caller who moved it.

Which voxels it holds is the matter of ``tasks.boxes``. Ring 0 (nouns).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import UsageError

Point = tuple[float, float, float]
Axes = tuple[Point, Point, Point]

PATIENT_AXES: Axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True)
class StageBox:
    """The box of one stage.

    Args:
        stage: name of the stage.
        center_ras_mm: its center.
        size_mm: lengths of its sides along ``axes``, from outer face to outer face, each > 0.
        axes: three unit vectors in RAS along which the sides run; those of the image for boxes in a result.

    Raises:
        UsageError: "options.boxes" when a number is not finite, a side not > 0 or an axis no unit vector.
    """

    stage: str
    center_ras_mm: Point
    size_mm: Point
    axes: Axes = PATIENT_AXES

    def __post_init__(self) -> None:
        object.__setattr__(self, "center_ras_mm", self._point(self.center_ras_mm))
        object.__setattr__(self, "size_mm", self._point(self.size_mm))
        object.__setattr__(self, "axes", tuple(self._point(axis) for axis in self.axes))
        are_units = all(abs(math.hypot(*axis) - 1.0) < _UNIT_TOLERANCE for axis in self.axes)
        if min(self.size_mm) <= 0.0 or len(self.axes) != 3 or not are_units:
            raise self._refused()

    def corners_ras_mm(self) -> list[Point]:
        """Give the eight corners of its outer faces."""
        corners = []
        for signs in [(a, b, c) for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (-0.5, 0.5)]:
            steps = [sign * size for sign, size in zip(signs, self.size_mm, strict=True)]
            corner = [
                middle + sum(step * axis[i] for step, axis in zip(steps, self.axes, strict=True))
                for i, middle in enumerate(self.center_ras_mm)
            ]
            corners.append((corner[0], corner[1], corner[2]))
        return corners

    def to_json(self) -> dict[str, Any]:
        """Give a JSON-able dictionary; :meth:`from_json` reads it back."""
        return {
            "stage": self.stage,
            "center_ras_mm": list(self.center_ras_mm),
            "size_mm": list(self.size_mm),
            "axes": [list(axis) for axis in self.axes],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StageBox:
        """Read ``{"stage", "center_ras_mm", "size_mm", "axes"}``; the axes may be left out.

        Raises:
            UsageError: "options.boxes".
        """
        try:
            return cls(
                str(data["stage"]), data["center_ras_mm"], data["size_mm"], tuple(data.get("axes", PATIENT_AXES))
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                "options.boxes",
                f"The box {data!r} cannot be read.",
                "Give stage, center_ras_mm and size_mm, as the result lists them.",
            ) from error

    def _point(self, values: Any) -> Point:
        try:
            first, second, third = (float(value) for value in values)
        except (TypeError, ValueError) as error:
            raise self._refused() from error
        if not all(map(math.isfinite, (first, second, third))):
            raise self._refused()
        return first, second, third

    def _refused(self) -> UsageError:
        return UsageError(
            "options.boxes",
            f"The box of stage {self.stage!r} is none: center {self.center_ras_mm}, size {self.size_mm} mm.",
            "Give three finite coordinates and three lengths above 0, in mm.",
        )
