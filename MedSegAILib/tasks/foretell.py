"""The shape that a case will have when a network sees it, told before anything is prepared. Ring 3.

Near enough for seconds and memory, and much cheaper than preparing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from MedSegAILib.core.case import Case
from MedSegAILib.engine.backend import Shape
from MedSegAILib.image.geometry import nonzero_box, reorientation_to

from .boxes import SHARES
from .manifest import BoxRule, Ensemble, Stage
from .prepare import axes_of

# A brain with a margin, for telling the time without a case: mean box of ten stripped studies.
TYPICAL_BOX_ZYX_MM = (139.0, 173.0, 138.0)
_PATIENT_AXIS = {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}

Three = list[float]


def foretell_shape(stage: Stage, ensemble: Ensemble, case: Case | None) -> Shape:
    """Tell the shape of a prepared case.

    Args:
        stage: whose box is known only when it is rough; one around a region counts as its smallest size, or as all of
            the image.
        ensemble: of the stage.
        case: None for a typical brain.

    Returns:
        (channels, z, y, x).
    """
    axes = axes_of(ensemble.prepare)
    size_mm, spacing_mm = _content(ensemble, case, axes)
    if stage.box is not None:
        size_mm = _boxed(size_mm, stage.box, axes)
    counts = [float(math.ceil(size / spacing)) for size, spacing in zip(size_mm, spacing_mm, strict=True)]
    for step in ensemble.prepare:
        counts, size_mm = _after(step, counts, size_mm, axes)
    return len(ensemble.inputs), int(counts[0]), int(counts[1]), int(counts[2])


def _after(step: Mapping[str, Any], counts: Three, size_mm: Three, axes: str) -> tuple[Three, Three]:
    """Give voxels and size after a step."""
    name = step.get("step")
    if name == "crop_rough":
        shares = _shares(step.get("rough", {}), axes)
        return (
            [math.ceil(count * share) for count, share in zip(counts, shares, strict=True)],
            [size * share for size, share in zip(size_mm, shares, strict=True)],
        )
    if name == "select_slices":
        share = float(step.get("high", 1.0)) - float(step.get("low", 0.0))
        return [float(step["count"]), *counts[1:]], [size_mm[0] * share, *size_mm[1:]]
    if name == "resample_shape":
        return [float(wanted or count) for wanted, count in zip(step["shape_zyx"], counts, strict=True)], size_mm
    if name == "resample":
        counts = [size / spacing for size, spacing in zip(size_mm, _three(step["spacing_mm"]), strict=True)]
    if name in ("resample", "pad"):
        multiples, least = _three(step.get("multiple", 1)), step.get("at_least_zyx", (1, 1, 1))
        counts = [
            max(math.ceil(count / multiple) * multiple, float(smallest))
            for count, multiple, smallest in zip(counts, multiples, least, strict=True)
        ]
    return counts, size_mm


def _content(ensemble: Ensemble, case: Case | None, axes: str) -> tuple[Three, Three]:
    """Give size and spacing of what will be prepared, in mm, (z, y, x) of the canonical axes."""
    if case is None:
        return list(TYPICAL_BOX_ZYX_MM), [1.0, 1.0, 1.0]
    grid = reorientation_to(case.reference_grid(), axes).grid(case.reference_grid())
    counts: Sequence[int] = grid.shape_zyx
    if any(_looks_at_content(step) for step in ensemble.prepare):
        canonical = [reorientation_to(volume.grid, axes).apply(volume.array) for volume in case.volumes.values()]
        same = [array for array in canonical if array.shape == grid.shape_zyx]
        counts = [side.stop - side.start for side in nonzero_box(same)] if same else counts
    spacing_mm = list(grid.spacing_zyx_mm)
    return [count * size for count, size in zip(counts, spacing_mm, strict=True)], spacing_mm


def _looks_at_content(step: Mapping[str, Any]) -> bool:
    return step.get("step") == "crop_nonzero" or (
        step.get("step") == "resample" and step.get("around", "nonzero") == "nonzero"
    )


def _boxed(size_mm: Three, rule: BoxRule, axes: str) -> Three:
    if not rule.region:
        return [size * share for size, share in zip(size_mm, _shares(rule.rough, axes), strict=True)]
    least = rule.at_least_mm
    wanted = _by_axis(least if isinstance(least, tuple) else (least,) * 3, axes)
    return [min(size, least) if least > 0.0 else size for size, least in zip(size_mm, wanted, strict=True)]


def _shares(rough: Mapping[str, Any], axes: str) -> Three:
    """Give the share of the extent that is kept along z, y, x."""
    ends = [rough.get(name, (0.0, 1.0)) for name in SHARES]
    return _by_axis([float(high) - float(low) for low, high in ends], axes)


def _by_axis(values_xyz: Sequence[float], axes: str) -> Three:
    """Give values along the patient's x, y, z as values along z, y, x of an axis order."""
    return [values_xyz[_PATIENT_AXIS[letter]] for letter in reversed(axes)]


def _three(value: Any) -> Three:
    return [float(value)] * 3 if isinstance(value, (int, float)) else [float(entry) for entry in value]
