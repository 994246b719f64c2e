"""A glioma in a drawn head: core, enhancing rim, edema along white matter, and the push on its neighborhood.

Labels are those of BraTS: 1 necrotic and non-enhancing core, 2 edema, 4 enhancing tumor. Beside the library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .fields import Floats, random_field, soft_below

CORE, EDEMA, ENHANCING = 1, 2, 4
KINDS = ("ring", "ring", "solid", "diffuse")  # two of four have a necrotic core inside an enhancing rim


@dataclass(frozen=True)
class TumorPlan:
    """Where a tumor sits and how it is built; lengths in mm, center as (left, back, up).

    Args:
        kind: "ring" (necrosis, rim, edema), "solid" (enhancing, little necrosis), "diffuse" (nothing enhances).
        center_mm: middle of the core.
        core_mm: mean radius of core and rim together.
        rim_mm: mean thickness of the enhancing rim.
        edema_mm: how far the edema reaches beyond the core.
        push: share by which the neighborhood is displaced, 0 to about 0.5.
    """

    kind: str
    center_mm: tuple[float, float, float]
    core_mm: float
    rim_mm: float
    edema_mm: float
    push: float


@dataclass(frozen=True, eq=False)
class Tumor:
    """Soft parts [z, y, x] in [0, 1] and the labels made of them (uint8)."""

    necrosis: Floats
    solid: Floats
    enhancing: Floats
    edema: Floats
    labels: npt.NDArray[np.uint8]


def plan_tumor(generator: np.random.Generator) -> TumorPlan:
    """Draw a tumor plan: any lobe of either hemisphere, from a nut to a fist."""
    kind = KINDS[int(generator.integers(len(KINDS)))]
    side = 1.0 if generator.random() < 0.5 else -1.0
    center = (
        side * float(generator.uniform(18.0, 44.0)),
        float(generator.uniform(-50.0, 50.0)),
        float(generator.uniform(-12.0, 40.0)),
    )
    core = float(generator.uniform(9.0, 24.0))
    return TumorPlan(
        kind=kind,
        center_mm=center,
        core_mm=core,
        rim_mm=float(generator.uniform(2.5, 5.5)),
        edema_mm=float(generator.uniform(2.0, 6.0) if kind == "diffuse" else generator.uniform(5.0, 22.0)),
        push=float(generator.uniform(0.1, 0.45)),
    )


def displace(coordinates_mm: Sequence[Floats], plan: TumorPlan) -> list[Floats]:
    """Give the coordinates from which the anatomy is drawn when a mass pushes it away from its center."""
    offsets = [axis - middle for axis, middle in zip(coordinates_mm, plan.center_mm, strict=True)]
    distance = np.sqrt(sum(offset**2 for offset in offsets))
    shrink = 1.0 - plan.push * np.exp(-((distance / (2.0 * plan.core_mm)) ** 2))
    return [
        (middle + offset * shrink).astype(np.float32) for offset, middle in zip(offsets, plan.center_mm, strict=True)
    ]


def draw_tumor(
    coordinates_mm: Sequence[Floats],
    white: Floats,
    depth_mm: Floats,
    plan: TumorPlan,
    generator: np.random.Generator,
    spacing_mm: float,
) -> Tumor:
    """Draw the parts of a tumor.

    Args:
        coordinates_mm: undisplaced places (left, back, up), [z, y, x] each.
        white: white matter fraction; edema prefers it.
        depth_mm: distance to the brain surface, positive inside; nothing grows outside.
        plan: what to draw.
        generator: gives the irregular outline.
        spacing_mm: voxel size.

    Returns:
        Parts and labels.
    """
    size = (white.shape[0], white.shape[1], white.shape[2])
    coarse, fine = (random_field(generator, size, width / spacing_mm) for width in (9.0, 4.0))
    distance = np.sqrt(sum((axis - middle) ** 2 for axis, middle in zip(coordinates_mm, plan.center_mm, strict=True)))
    lumpy = distance + 0.16 * plan.core_mm * coarse + 0.05 * plan.core_mm * fine
    inside = soft_below(-depth_mm, -2.0, 0.7)
    mass = soft_below(lumpy.astype(np.float32), plan.core_mm, 0.6) * inside
    hollow = plan.core_mm - plan.rim_mm * (1.0 + 0.35 * fine)
    if plan.kind == "solid":
        hollow = hollow - 0.55 * plan.core_mm
    center = soft_below((lumpy - hollow).astype(np.float32), 0.0, 0.5) * mass
    spread = lumpy + 3.5 * coarse - plan.edema_mm * (0.25 + 0.95 * white)
    swollen = np.clip(soft_below(spread.astype(np.float32), plan.core_mm, 1.0) * inside - mass, 0.0, 1.0)
    if plan.kind == "diffuse":
        necrosis, solid, enhancing = np.zeros_like(mass), mass, np.zeros_like(mass)
    else:
        necrosis, solid, enhancing = center, np.zeros_like(mass), mass - center
    parts = np.stack([1.0 - mass - swollen, necrosis + solid, swollen, enhancing])
    labels = np.array([0, CORE, EDEMA, ENHANCING], dtype=np.uint8)[parts.argmax(axis=0)]
    return Tumor(necrosis, solid, enhancing.astype(np.float32), swollen, labels)
