"""Tissue maps of a head: gray and white matter with folds, ventricles, fissures, cerebellum, skull and scalp.

A drawing by formulas, not an atlas: right enough that a network must look at context, free of any patient.
Contrast and tumor live beside it (``brain.py``, ``tumor.py``). Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .fields import Floats, chain, ellipsoid, random_field, soft_below

# Half lengths of the cerebrum in mm, about those of an adult: 136 x 168 x 2 * 62.
HALF_WIDTH_MM, HALF_LENGTH_MM, HALF_HEIGHT_MM = 67.0, 84.0, 63.0
FOLD_SIGMA_MM = 3.0  # gives gyri about 13 mm apart
SULCUS_DEPTH_MM = 15.0
CORTEX_MM = 3.0


@dataclass(frozen=True, eq=False)
class Tissues:
    """Fractions [z, y, x] in [0, 1]; inside the brain ``csf + gray + white`` is 1.

    Args:
        csf, gray, white: tissues inside the brain outline.
        brain: soft outline of what skull stripping would keep.
        around: subarachnoid fluid, bone, marrow, muscle, fat and eye outside the brain, by name.
        depth_mm: distance to the brain surface, positive inside.
    """

    csf: Floats
    gray: Floats
    white: Floats
    brain: Floats
    around: dict[str, Floats]
    depth_mm: Floats


def cerebrum_distance(left: Floats, back: Floats, up: Floats) -> Floats:
    """Give the rough signed distance to the cerebrum in mm; axes grow to the left, to the back and upward."""
    forward = np.clip(-back / HALF_LENGTH_MM, 0.0, 1.0)
    width = HALF_WIDTH_MM * (1.0 - 0.16 * forward**2)
    temporal = np.exp(-(((np.abs(left) - 42.0) / 20.0) ** 2) - ((back + 2.0) / 34.0) ** 2)
    below = 30.0 - 6.0 * forward + 22.0 * temporal
    height = np.where(up > 0, HALF_HEIGHT_MM, below)
    power = 2.25
    radius = (
        (np.abs(left) / width) ** power + (np.abs(back) / HALF_LENGTH_MM) ** power + (np.abs(up) / height) ** power
    ) ** (1.0 / power)
    return ((radius - 1.0) * np.where(up > 0, 66.0, 48.0)).astype(np.float32)


def ventricle_distance(side: Floats, back: Floats, up: Floats, widening_mm: float) -> Floats:
    """Give the signed distance to all ventricles in mm; ``side`` is the absolute left coordinate."""
    spots = (side, back, up)
    body = chain(
        spots,
        ((7.0, -34.0, 6.0), (9.0, -20.0, 13.0), (10.0, 4.0, 18.0), (17.0, 26.0, 13.0), (22.0, 36.0, 3.0)),
        (3.5, 4.2, 3.6, 4.6, 4.2),
    )
    back_horn = chain(spots, ((22.0, 36.0, 3.0), (19.0, 56.0, 2.0)), (3.8, 1.2))
    low_horn = chain(spots, ((22.0, 36.0, 3.0), (31.0, 16.0, -15.0), (29.0, -4.0, -22.0)), (3.4, 1.8, 1.2))
    third = ellipsoid(spots, (0.0, 2.0, -3.0), (1.8, 13.0, 8.0))
    fourth = ellipsoid(spots, (0.0, 38.0, -38.0), (6.0, 4.0, 6.0))
    lateral = np.minimum(np.minimum(body, back_horn), low_horn) - widening_mm
    return np.minimum(lateral, np.minimum(third, fourth)).astype(np.float32)


def fissures(left: Floats, back: Floats, up: Floats, depth_mm: Floats) -> Floats:
    """Give the fluid fraction of the cleft between the hemispheres and of both Sylvian fissures."""
    middle = soft_below(np.abs(left), 1.1, 0.35)
    callosum = ((back / 44.0) ** 2 + ((up - 4.0) / 21.0) ** 2).astype(np.float32)
    middle = middle * (1.0 - soft_below(callosum, 1.0, 0.05)) * soft_below(-up, 12.0, 2.0)
    plane = np.abs(up - (-9.0 + 0.32 * (back + 20.0)))
    inside = soft_below(np.abs(back + 4.0), 32.0, 3.0) * soft_below(depth_mm, 24.0, 2.0)
    sylvian = soft_below(plane.astype(np.float32), 1.4, 0.45) * inside * soft_below(-np.abs(left), -24.0, 2.0)
    return np.maximum(middle, sylvian)


def folds(field: Floats, depth_mm: Floats, reach_mm: Floats) -> tuple[Floats, Floats]:
    """Give fluid and gray fractions of the folded cortex.

    The level sets of a smooth random field wind like sulci; gray matter lines them and the surface.
    """
    # Mean slope of a field of unit variance smoothed by a Gaussian: sqrt(3 / 2) / sigma, about 0.9 of it in the mean.
    per_mm = np.float32(0.92 * np.sqrt(1.5) / FOLD_SIGMA_MM)
    cleft_mm = np.abs(field) / per_mm
    shallow = soft_below(depth_mm - reach_mm, 0.0, 1.5)
    fluid = soft_below(cleft_mm, 0.75, 0.4) * shallow
    banks = soft_below(cleft_mm, CORTEX_MM, 0.5) * soft_below(depth_mm - reach_mm, CORTEX_MM, 1.0)
    surface = soft_below(depth_mm, CORTEX_MM, 0.6)
    return fluid, np.maximum(banks, surface)


def deep_gray(side: Floats, back: Floats, up: Floats) -> Floats:
    """Give the gray fraction of thalamus, putamen and caudate nucleus."""
    spots = (side, back, up)
    nuclei = np.minimum(
        np.minimum(
            ellipsoid(spots, (10.5, 7.0, 2.0), (7.0, 14.0, 9.0)), ellipsoid(spots, (26.0, -6.0, 0.0), (5.0, 16.0, 11.0))
        ),
        ellipsoid(spots, (14.0, -22.0, 8.0), (4.5, 9.0, 8.0)),
    )
    return soft_below(nuclei, 0.0, 0.7)


def around_the_brain(coordinates_mm: Sequence[Floats], distance_mm: Floats, thickness: float) -> dict[str, Floats]:
    """Give what skull stripping removes, as fractions by name; ``distance_mm`` is positive outside the brain."""
    left, back, up = coordinates_mm
    low = np.clip((-up - 40.0) / 30.0, 0.0, 1.0)  # below the skull base the layers turn into muscle
    fluid = soft_below(distance_mm, 2.5, 0.5)
    bone = soft_below(distance_mm, 8.5 * thickness, 0.5) - fluid
    marrow = np.clip(
        soft_below(distance_mm, 6.5 * thickness, 0.5) - soft_below(distance_mm, 4.5 * thickness, 0.5), 0, 1
    )
    scalp = soft_below(distance_mm, 8.5 * thickness + 6.0, 0.7) - soft_below(distance_mm, 8.5 * thickness, 0.5)
    spots = (np.abs(left), back, up)
    orbit = soft_below(ellipsoid(spots, (31.0, -74.0, -32.0), (18.0, 20.0, 16.0)), 0.0, 0.8)
    eye = soft_below(ellipsoid(spots, (31.0, -80.0, -32.0), (11.5, 11.5, 11.5)), 0.0, 0.6)
    neck = soft_below(ellipsoid(coordinates_mm, (0.0, 20.0, -70.0), (58.0, 70.0, 40.0)), 0.0, 1.0)
    neck = neck * soft_below(-distance_mm, -8.5 * thickness, 0.5)
    free = (1.0 - orbit) * (1.0 - neck)
    return {
        "fluid": fluid,
        "bone": np.clip(bone - marrow, 0, 1) * free * (1.0 - 0.6 * low),
        "marrow": marrow * free,
        "fat": np.clip(scalp * free + orbit * (1.0 - eye) * (distance_mm > 3), 0, 1),
        "muscle": np.clip(neck + 0.6 * low * bone, 0, 1),
        "eye": eye * (distance_mm > 3),
    }


def draw_tissues(
    coordinates_mm: Sequence[Floats], spacing_mm: float, generator: np.random.Generator, *, with_skull: bool
) -> Tissues:
    """Draw one head.

    Args:
        coordinates_mm: place of every voxel in the drawing, [z, y, x] each: to the left, to the back, upward;
            bent coordinates give a bent head.
        spacing_mm: voxel size, for the width of the folds' random field.
        generator: gives folds, ventricle size and skull thickness.
        with_skull: whether the parts around the brain are drawn.

    Returns:
        The fractions.
    """
    left, back, up = coordinates_mm
    side = np.abs(left)
    shape = left.shape
    size = (shape[0], shape[1], shape[2])
    field = random_field(generator, size, FOLD_SIGMA_MM / spacing_mm)
    reach = SULCUS_DEPTH_MM + 4.0 * random_field(generator, size, 10.0 / spacing_mm)
    widening = float(generator.uniform(-0.8, 2.2))
    thickness = float(generator.uniform(0.8, 1.2))
    cerebrum = cerebrum_distance(left, back, up)
    small = ellipsoid(coordinates_mm, (0.0, 50.0, -40.0), (51.0, 33.0, 25.0))
    stem = chain(coordinates_mm, ((0.0, 12.0, -20.0), (0.0, 24.0, -42.0), (0.0, 30.0, -82.0)), (13.0, 13.5, 7.5))
    tent = soft_below(np.abs(cerebrum - small), 1.2, 0.5) * soft_below(np.maximum(cerebrum, small), 3.0, 0.8)
    outline = np.minimum(np.minimum(cerebrum, small), stem)
    depth = -outline
    brain = soft_below(outline, 0.6, 0.45)
    fluid, cortex = folds(field, -cerebrum, reach)
    leaf = np.abs(np.sin((up * 0.9 + 0.35 * back + 2.0 * field) * (2.0 * np.pi / 9.0))).astype(np.float32)
    in_small = soft_below(small - cerebrum, 0.0, 0.6) * (1.0 - soft_below(stem, 0.0, 0.8))
    in_stem = soft_below(stem, 0.0, 0.8) * soft_below(up, -16.0, 3.0)
    in_cerebrum = np.clip(1.0 - in_small - in_stem, 0.0, 1.0)
    csf = in_cerebrum * fluid + in_small * 0.45 * soft_below(leaf, 0.18, 0.08) * soft_below(-small, 14.0, 3.0)
    csf = np.maximum(csf, fissures(left, back, up, -cerebrum) * in_cerebrum)
    csf = np.maximum(csf, tent * (1.0 - in_stem))
    csf = np.maximum(csf, soft_below(ventricle_distance(side, back, up, widening), 0.0, 0.5))
    gray = in_cerebrum * np.maximum(cortex, deep_gray(side, back, up))
    gray = gray + in_small * (0.25 + 0.7 * soft_below(-small, 15.0, 3.0) * soft_below(leaf, 0.8, 0.1)) + 0.3 * in_stem
    gray = np.clip(gray, 0.0, 1.0) * (1.0 - csf)
    white = np.clip(1.0 - csf - gray, 0.0, 1.0)
    around = around_the_brain(coordinates_mm, outline, thickness) if with_skull else {}
    return Tissues(csf, gray, white, brain, around, depth.astype(np.float32))
