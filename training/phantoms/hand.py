"""An MR of a hand with four classes of bones, made from a seed: posture, bones, tendons, fat, coil, noise.

Labels: 1 metacarpals, 2 proximal, 3 middle, 4 distal phalanges; carpals and forearm look the same and stay
background, so a network must learn place. A drawing by formulas, not an atlas. Beside the library (training).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Grid

from .fields import Floats, chain, ellipsoid, random_field, soft_below
from .space import Point, bent, make_grid, places_of

EXTENT_XYZ_MM = (144.0, 72.0, 228.0)
SPACING_MM = 1.5
FULL_SCALE = 900.0
METACARPAL, PROXIMAL, MIDDLE, DISTAL = 1, 2, 3, 4
# Brightness on a T1-weighted gradient echo, from textbooks of musculoskeletal MR.
BRIGHTNESS = {"muscle": 0.42, "fat": 0.80, "cortex": 0.06, "marrow": 0.85, "tendon": 0.08, "skin": 0.45}
# Lengths in mm of metacarpal, proximal, middle, distal, thumb first (it has no middle one); after anatomy books.
LENGTHS_MM = (
    (45.0, 31.0, 0.0, 22.0), (67.0, 40.0, 23.0, 16.0), (64.0, 44.0, 27.0, 17.0), (57.0, 41.0, 26.0, 17.0),
    (53.0, 33.0, 19.0, 16.0),
)  # fmt: skip
RADII_MM = (5.2, 5.0, 4.4, 3.6)  # at mid shaft
WRIST_MM = (-16.0, 3.0, 12.0, 20.0, 27.0)  # where the metacarpals begin, side to side
SPREAD_DEGREES = (-34.0, -8.0, 0.0, 7.0, 14.0)


@dataclass(frozen=True, eq=False)
class Hand:
    """A drawn study: MR and labels (0 to 4), both [z, y, x] on ``grid``."""

    image: Floats
    labels: npt.NDArray[np.uint8]
    grid: Grid


@dataclass(frozen=True)
class _Bone:
    """One bone: label (0 for those that are not asked for), ends in mm, radius at mid shaft."""

    label: int
    start: Point
    end: Point
    radius: float


def draw_hand(seed: int, kind: str = "") -> Hand:
    """Draw a study from a seed; the same seed gives the same voxels. Left and right hands come up alike."""
    generator = np.random.default_rng((seed, 13))
    grid = make_grid(EXTENT_XYZ_MM, (SPACING_MM,) * 3)
    places = bent(places_of(grid), generator, 1.2, 20.0 / SPACING_MM)
    if generator.random() < 0.5:
        places[0] = -places[0]
    places = [place - float(generator.uniform(-3.0, 3.0)) for place in places]
    places[2] += 5.0  # the fingers reach farther up than the forearm down
    bones = _skeleton(generator)
    distances = [_shaft(places, bone, generator) for bone in bones]
    image = _flesh(places, bones, generator)
    labels = np.zeros(grid.shape_zyx, dtype=np.uint8)
    levels = {name: value * float(np.exp(generator.normal(0, 0.1))) for name, value in BRIGHTNESS.items()}
    shape = (image.shape[0], image.shape[1], image.shape[2])
    marrow = levels["marrow"] * (1.0 + 0.06 * random_field(generator, shape, 2.0))
    for bone, distance in zip(bones, distances, strict=True):
        image += soft_below(distance, 0.0, 0.35) * (levels["cortex"] - image)
        image += soft_below(distance, -1.3, 0.4) * (marrow - image)
        if bone.label:
            labels[distance < 0] = bone.label
    return Hand(np.round(_scan(image, generator) * FULL_SCALE).astype(np.float32), labels, grid)


def _skeleton(generator: np.random.Generator) -> list[_Bone]:
    """Draw a posture: every finger bends and spreads by itself; add carpals and the bones of the forearm."""
    size = float(generator.uniform(0.86, 1.06))
    thick = float(generator.uniform(0.88, 1.12))
    curl = float(generator.uniform(0.0, 26.0))  # degrees by joint, common to the hand
    fan = float(generator.uniform(0.6, 1.25))
    bones = []
    for finger, (lengths, side, spread) in enumerate(zip(LENGTHS_MM, WRIST_MM, SPREAD_DEGREES, strict=True)):
        place = np.array([side * size, 0.0 if finger else -8.0, -42.0 if finger else -48.0])
        sideways = np.radians(spread * fan + float(generator.normal(0.0, 2.5)))
        bend = float(generator.normal(0.0, 5.0)) - (18.0 if not finger else 0.0)
        for number, length in enumerate(lengths):
            if not length:
                continue
            if number:
                bend += max(-8.0, curl + float(generator.normal(0.0, 8.0))) * (0.5 if not finger else 1.0)
            tilt = np.radians(bend)
            way = np.array([np.sin(sideways) * np.cos(tilt), -np.sin(tilt), np.cos(sideways) * np.cos(tilt)])
            end = place + way * length * size
            radius = RADII_MM[number] * thick * (1.25 if not finger and number == 0 else 1.0)
            bones.append(_Bone(number + 1, _point(place + 1.2 * way), _point(end - 1.2 * way), radius))
            place = end + 1.8 * way
    for row, (height, count) in enumerate(((-51.0, 4), (-64.0, 3))):
        for number in range(count):
            center = (size * (-12.0 + 12.0 * number + 4.0 * row), float(generator.normal(0, 1.0)), height)
            bones.append(_Bone(0, center, (center[0] + 2.0, center[1], center[2] - 2.5), 5.6 * thick))
    bones.append(_Bone(0, (-2.0, 0.0, -78.0), (-4.0, 0.0, -112.0), 8.5 * thick))
    bones.append(_Bone(0, (22.0, 2.0, -80.0), (21.0, 2.0, -112.0), 6.0 * thick))
    return bones


def _shaft(places: list[Floats], bone: _Bone, generator: np.random.Generator) -> Floats:
    """Give the signed distance to a bone: slender in the middle, wide at base and head."""
    start, end = np.array(bone.start), np.array(bone.end)
    points = [_point(start + share * (end - start)) for share in (0.05, 0.3, 0.65, 0.95)]
    wide = bone.radius * float(generator.uniform(1.2, 1.4))
    radii = (wide, bone.radius, 0.92 * bone.radius, 0.9 * wide) if bone.label else (bone.radius,) * 4
    return chain(places, points, radii)


def _flesh(places: list[Floats], bones: list[_Bone], generator: np.random.Generator) -> Floats:
    """Give the soft parts: muscle around the bones, fat and skin outside, tendons in front; air is 0."""
    shape = (places[0].shape[0], places[0].shape[1], places[0].shape[2])
    cover = np.full(shape, np.inf, dtype=np.float32)
    for bone in bones:
        middle = [(a + b) / 2.0 for a, b in zip(bone.start, bone.end, strict=True)]
        around = 6.5 if bone.label > METACARPAL else 11.0
        np.minimum(cover, chain(places, (bone.start, bone.end), (bone.radius + around,) * 2), out=cover)
        if bone.label == METACARPAL:
            pad = ellipsoid(places, (middle[0], middle[1] - 9.0, middle[2]), (13.0, 9.0, 26.0))
            np.minimum(cover, pad, out=cover)
    level = {name: value * float(np.exp(generator.normal(0, 0.1))) for name, value in BRIGHTNESS.items()}
    fat_mm = float(generator.uniform(2.0, 4.5))
    image = level["skin"] * soft_below(cover, 0.0, 0.6)
    image += soft_below(cover, -1.2, 0.4) * (level["fat"] * (1 + 0.08 * random_field(generator, shape, 3.0)) - image)
    muscle = level["muscle"] * (1.0 + 0.12 * random_field(generator, shape, 3.5))
    image += soft_below(cover, -fat_mm, 0.7) * (muscle - image)
    for bone in bones:
        if not bone.label:
            continue
        front = [(x, y - bone.radius - 4.0, z) for x, y, z in (bone.start, bone.end)]
        image += soft_below(chain(places, front, (1.7, 1.7)), 0.0, 0.4) * (level["tendon"] - image)
    return image.astype(np.float32)


def _scan(image: Floats, generator: np.random.Generator) -> Floats:
    """Add an uneven coil, smoothing and Rician noise."""
    shape = (image.shape[0], image.shape[1], image.shape[2])
    coil = np.exp(float(generator.uniform(0.1, 0.4)) * random_field(generator, shape, 30.0))
    smooth = ndimage.gaussian_filter(image, float(generator.uniform(0.3, 0.55))) * coil
    spread = float(generator.uniform(0.012, 0.045))
    real = smooth + spread * generator.standard_normal(shape).astype(np.float32)
    return np.hypot(real, spread * generator.standard_normal(shape).astype(np.float32)).astype(np.float32)


def _point(place: npt.NDArray[np.float64]) -> Point:
    return float(place[0]), float(place[1]), float(place[2])
