"""An axial T2 MR of the prostate with its zones, made from a seed: gland, bladder, rectum, muscles, bone, coil, noise.

Labels: 1 transition zone and central gland, 2 peripheral zone. A drawing by formulas, not an atlas; contrast varies
from scanner to scanner, and muscle, vessels and seminal vesicles look like parts of the gland, so a network must learn
shape and place. Beside the library (training).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Grid

from .fields import Floats, chain, ellipsoid, random_field, soft_below
from .space import Point, bent, make_grid, places_of, thicker

EXTENT_XYZ_MM = (140.0, 140.0, 75.0)
IN_PLANE_MM, DRAWN_SLICE_MM, SLICES_AVERAGED = 1.0, 1.5, 2
TRANSITION, PERIPHERAL = 1, 2
FULL_SCALE = 600.0
# Brightness on T2-weighted fast spin echo, fat about 0.75; from textbooks of prostate MR.
BRIGHTNESS: dict[str, float] = {
    "fat": 0.72, "muscle": 0.20, "bone": 0.10, "marrow": 0.50, "bladder": 1.00, "wall": 0.28, "rectum": 0.42,
    "gas": 0.03, "transition": 0.42, "peripheral": 0.78, "stroma": 0.18, "vesicle": 0.85, "vessel": 0.80,
    "capsule": 0.22, "urethra": 0.55,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pelvis:
    """A drawn study: T2 and labels (0, 1, 2), both [z, y, x] on ``grid``."""

    image: Floats
    labels: npt.NDArray[np.uint8]
    grid: Grid


@dataclass(frozen=True)
class _Gland:
    """Shape of one gland in mm: middle, half sizes, and the share of it that the transition zone fills."""

    center: Point
    half: Point
    inner: float


def draw_pelvis(seed: int, kind: str = "") -> Pelvis:
    """Draw a study from a seed; the same seed gives the same voxels. There is one kind."""
    generator = np.random.default_rng((seed, 11))
    grid = make_grid(EXTENT_XYZ_MM, (IN_PLANE_MM, IN_PLANE_MM, DRAWN_SLICE_MM))
    places = bent(places_of(grid), generator, 1.6, 14.0)
    gland = _plan(generator)
    canvas = _Canvas(places, generator)
    _surroundings(canvas, gland, generator)
    inside, inner = _zones(canvas, gland, generator)
    image, thick_grid = thicker(_scan(canvas.image, generator), grid, SLICES_AVERAGED)
    whole, _ = thicker(inside, grid, SLICES_AVERAGED)
    core, _ = thicker(inner, grid, SLICES_AVERAGED)
    labels = np.where(whole > 0.5, np.where(core > 0.5, TRANSITION, PERIPHERAL), 0).astype(np.uint8)
    return Pelvis(np.round(image * FULL_SCALE).astype(np.float32), labels, thick_grid)


class _Canvas:
    """Painted part by part, later ones over earlier ones, with soft edges and a texture of each part's own."""

    def __init__(self, places: list[Floats], generator: np.random.Generator) -> None:
        self.places = places
        self._generator = generator
        vary = float(generator.uniform(0.04, 0.16))
        self._levels = {name: value * float(np.exp(generator.normal(0, vary))) for name, value in BRIGHTNESS.items()}
        self._shape = (places[0].shape[0], places[0].shape[1], places[0].shape[2])
        self.image: Floats = np.full(places[0].shape, self._levels["fat"], dtype=np.float32)
        self.image += 0.06 * self.field(4.0)

    def field(self, reach_voxels: float) -> Floats:
        return random_field(self._generator, self._shape, reach_voxels)

    def paint(self, share: Floats, name: str, texture: float = 0.03, reach_voxels: float = 2.5) -> None:
        value = self._levels[name] + texture * self.field(reach_voxels)
        self.image += share * (value - self.image)

    def near(self, value: float, spread: float) -> float:
        return value + float(self._generator.normal(0.0, spread))


def _plan(generator: np.random.Generator) -> _Gland:
    center = [float(value) for value in generator.normal(0.0, (3.0, 5.0, 3.0))]
    size = float(generator.uniform(0.85, 1.25))
    half = [size * float(generator.uniform(low, high)) for low, high in ((21, 27), (14, 19), (17, 23))]
    # Large glands are large by their transition zone (hyperplasia).
    inner = float(np.clip(generator.uniform(0.58, 0.74) + 0.25 * (size - 1.0), 0.55, 0.85))
    return _Gland((center[0], center[1], center[2]), (half[0], half[1], half[2]), inner)


def _surroundings(canvas: _Canvas, gland: _Gland, generator: np.random.Generator) -> None:
    x, y, z = gland.center
    _, depth, height = gland.half
    places = canvas.places
    for side in (-1.0, 1.0):
        obturator = ellipsoid(places, (x + side * canvas.near(52, 2), canvas.near(-4, 3), 0.0), (13.0, 32.0, 60.0))
        canvas.paint(soft_below(obturator, 0.0, 0.7), "muscle")
        bone = ellipsoid(places, (x + side * canvas.near(74, 2), canvas.near(-6, 3), 4.0), (14.0, 40.0, 60.0))
        canvas.paint(soft_below(bone, 0.0, 0.6), "bone")
        canvas.paint(soft_below(bone, -3.0, 0.8), "marrow", texture=0.05)
        pubis = ellipsoid(places, (x + side * 20.0, y - depth - canvas.near(24, 2), z - 12.0), (18.0, 10.0, 20.0))
        canvas.paint(soft_below(pubis, 0.0, 0.6), "bone")
        canvas.paint(soft_below(pubis, -2.5, 0.8), "marrow", texture=0.05)
        levator = chain(
            places,
            (
                (x + side * 31.0, y + depth + 8.0, z - 30.0),
                (x + side * 33.0, y, z - 4.0),
                (x + side * 38.0, y - 12, z + 26),
            ),
            (3.0, 3.0, 2.5),
        )
        canvas.paint(soft_below(levator, 0.0, 0.6), "muscle")
        vessels = ellipsoid(places, (x + side * (gland.half[0] + 4.0), y + 0.6 * depth, z), (4.0, 5.0, 0.9 * height))
        plexus = soft_below(vessels, 0.0, 0.7) * soft_below(canvas.field(1.6), 0.2, 0.3)
        canvas.paint(plexus, "vessel")
        vesicle = ellipsoid(places, (x + side * 15.0, y + 0.75 * depth, z + height + 7.0), (17.0, 6.5, 7.5))
        canvas.paint(soft_below(vesicle, 0.0, 0.6) * soft_below(np.abs(canvas.field(1.8)), 0.9, 0.25), "vesicle", 0.08)
    bladder = ellipsoid(places, (x, y - canvas.near(6, 3), z + height + canvas.near(21, 3)), (32.0, 25.0, 22.0))
    canvas.paint(soft_below(bladder, 3.5, 0.6), "wall")
    canvas.paint(soft_below(bladder, 0.0, 0.6), "bladder", texture=0.02)
    behind = y + depth + canvas.near(12.0, 1.5)
    rectum = chain(places, ((x, behind + 4.0, z - 45.0), (x, behind, z), (x + canvas.near(0, 6), behind + 8, z + 45)),
                   (9.0, canvas.near(11.5, 1.5), 13.0))  # fmt: skip
    canvas.paint(soft_below(rectum, 0.0, 0.7), "wall")
    canvas.paint(soft_below(rectum, -3.0, 0.7), "gas" if generator.random() < 0.4 else "rectum", texture=0.06)


def _zones(canvas: _Canvas, gland: _Gland, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Paint the gland; give its soft outline and that of the transition zone within."""
    x, y, z = gland.center
    width, depth, height = gland.half
    left, back, up = canvas.places
    narrow = 1.0 - 0.22 * np.clip((z - up) / height, 0.0, 1.2)  # the apex is narrower
    spots = [x + (left - x) / narrow, y + (back - y) / narrow, up]
    outline = ellipsoid(spots, gland.center, gland.half)
    dent = 2.5 * soft_below(np.hypot(left - x, back - (y + depth)).astype(np.float32), 7.0, 2.0)
    outline = (outline + dent + 0.7 * canvas.field(7.0)).astype(np.float32)
    inside = soft_below(outline, 0.0, 0.6)
    share = gland.inner
    lobes = np.minimum(
        *(
            ellipsoid(spots, (x + side * 0.30 * width, y - (1 - share) * depth * 0.9, z + 0.12 * height),
                      (0.66 * share * width * 1.2, share * depth, share * height * 1.1))
            for side in (-1.0, 1.0)
        )
    )  # fmt: skip
    inner = soft_below((lobes + 0.6 * canvas.field(5.0)).astype(np.float32), 0.0, 0.6) * inside
    canvas.paint(inside, "peripheral", texture=0.06)
    canvas.paint(soft_below(np.abs(outline).astype(np.float32), 0.7, 0.4), "capsule")
    canvas.paint(inner, "transition", texture=0.11, reach_voxels=3.5)
    rim = soft_below(np.abs(lobes).astype(np.float32), 0.6, 0.4) * inside
    canvas.paint(rim * 0.8, "capsule")
    stroma = ellipsoid(spots, (x, y - 0.95 * depth, z), (0.45 * width, 0.22 * depth, 0.8 * height))
    canvas.paint(soft_below(stroma, 0.0, 1.0) * inside, "stroma")
    urethra = chain(spots, ((x, y - 0.25 * depth, z + height), (x, y + 0.1 * depth, z - height)), (2.2, 2.2))
    canvas.paint(soft_below(urethra, 0.0, 0.6) * inside, "urethra")
    if generator.random() < 0.5:
        side = 1.0 if generator.random() < 0.5 else -1.0
        spot = (x + side * float(generator.uniform(6, 16)), y + 0.65 * depth, z + float(generator.uniform(-10, 8)))
        lesion = ellipsoid(spots, spot, (float(generator.uniform(3, 8)),) * 3)
        canvas.paint(soft_below(lesion, 0.0, 0.9) * inside, "capsule", texture=0.04)
    front = soft_below(back - (y - 0.45 * depth), 0.0, 1.5)  # before the lobes there is no peripheral zone
    return inside, np.maximum(inner, inside * front)


def _scan(image: Floats, generator: np.random.Generator) -> Floats:
    """Add an uneven coil, smoothing and Rician noise."""
    shape = (image.shape[0], image.shape[1], image.shape[2])
    coil = np.exp(float(generator.uniform(0.0, 0.3)) * random_field(generator, shape, 40.0))
    smooth = ndimage.gaussian_filter(image, (0.0, *(float(generator.uniform(0.3, 0.7)),) * 2)) * coil
    spread = float(generator.uniform(0.015, 0.05))
    real = smooth + spread * generator.standard_normal(shape).astype(np.float32)
    imaginary = spread * generator.standard_normal(shape).astype(np.float32)
    return np.hypot(real, imaginary).astype(np.float32)
