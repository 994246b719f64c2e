"""An abdominal CT with pancreas and tumor, made from a seed: organs, vessels, bowel, contrast phase, noise.

Labels are those of the Decathlon: 1 pancreas, 2 tumor. A drawing by formulas, not an atlas: the pancreas has neighbors
of its own density, so a network must learn shape and place. Beside the library (training).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Grid

from .fields import Floats, chain, ellipsoid, random_field, soft_below
from .space import Point, bent, make_grid, places_of

EXTENT_XYZ_MM = (330.0, 250.0, 200.0)
SPACING_MM = 2.5
ORGAN, TUMOR = 1, 2
# HU by phase: native, arterial (35 s), portal venous (70 s); from textbooks of abdominal CT.
PHASES = ("native", "arterial", "portal")
DENSITY: dict[str, tuple[float, float, float]] = {
    "fat": (-100.0, -100.0, -98.0),
    "muscle": (50.0, 55.0, 62.0),
    "bone": (240.0, 250.0, 250.0),
    "liver": (58.0, 70.0, 112.0),
    "spleen": (48.0, 125.0, 125.0),
    "kidney": (32.0, 160.0, 185.0),
    "stomach": (15.0, 18.0, 20.0),
    "wall": (40.0, 75.0, 90.0),
    "bowel": (25.0, 30.0, 32.0),
    "gallbladder": (8.0, 8.0, 8.0),
    "aorta": (42.0, 310.0, 155.0),
    "vein": (42.0, 65.0, 165.0),
    "pancreas": (42.0, 105.0, 95.0),
}
TUMOR_CONTRAST = {"dark": -45.0, "cyst": -80.0, "bright": 55.0}  # HU beside the gland, with contrast agent
TUMOR_CHANCES = (0.7, 0.15, 0.15)
HEALTHY_CHANCE = 0.1
FAINT = 1e-4  # a share below it changes no voxel by a tenth of a HU


@dataclass(frozen=True, eq=False)
class Abdomen:
    """A drawn study: CT in HU and labels (0, 1, 2), both [z, y, x] on ``grid``; ``tumor_mm`` is its radius or 0."""

    image: Floats
    labels: npt.NDArray[np.uint8]
    grid: Grid
    phase: str
    tumor_mm: float


def draw_abdomen(seed: int, kind: str = "") -> Abdomen:
    """Draw a study from a seed; the same seed and kind give the same voxels.

    Args:
        seed: any integer >= 0.
        kind: a phase ("native", "arterial", "portal"), or "" for one by chance: portal twice as often as arterial.
    """
    generator = np.random.default_rng((seed, 7))
    grid = make_grid(EXTENT_XYZ_MM, (SPACING_MM,) * 3)
    places = bent(places_of(grid), generator, 2.5, 24.0 / SPACING_MM)
    places = [place - float(generator.uniform(-10.0, 10.0)) for place in places]
    phase = kind or ("portal" if generator.random() < 0.67 else "arterial")
    number = PHASES.index(phase)
    body = _Body(places, generator, number)
    body.torso()
    knots, radii = _pancreas_plan(generator)
    body.neighbors(knots)
    gland = _lumpy(places, knots, radii, generator)
    lesion, radius_mm, contrast = _plan_lesion(places, knots, radii, generator, phase)
    organ = soft_below(gland, 0.0, 0.6)
    whole = np.maximum(organ, lesion)
    body.paint(organ, "pancreas", texture=9.0)
    body.image += lesion * (body.level("pancreas") + contrast - body.image)
    labels = np.where(whole > 0.5, ORGAN, 0).astype(np.uint8)
    labels[(lesion > 0.5) & (whole > 0.5)] = TUMOR
    image = _scan(body.image, generator)
    return Abdomen(image, labels, grid, phase, radius_mm)


class _Body:
    """A body that is painted organ by organ, later ones over earlier ones, with soft edges."""

    def __init__(self, places: list[Floats], generator: np.random.Generator, phase: int) -> None:
        self.places, self.phase = places, phase
        self._generator = generator
        self._levels = {
            name: levels[phase] * float(generator.uniform(0.93, 1.07)) + float(generator.normal(0.0, 4.0))
            for name, levels in DENSITY.items()
        }
        self.image: Floats = np.full(places[0].shape, -1000.0, dtype=np.float32)

    def level(self, name: str) -> float:
        return self._levels[name]

    def paint(self, share: Floats, name: str, texture: float = 4.0) -> None:
        """Lay a tissue over what is there; its texture is drawn only where the tissue is, which takes most time."""
        boxes = ndimage.find_objects((share > FAINT).astype(np.uint8))
        if not boxes:
            return
        box = boxes[0]
        here, part = self.image[box], share[box]
        value = self._levels[name] + texture * random_field(
            self._generator, (part.shape[0], part.shape[1], part.shape[2]), 2.0
        )
        here += part * (value - here)

    def ellipsoid(self, center: Point, radii: Point, name: str) -> Floats:
        """Paint an organ near a place, a little larger or smaller and off its place; give its distance in mm."""
        moved = [value + float(self._generator.normal(0.0, 4.0)) for value in center]
        scaled = [value * float(self._generator.uniform(0.85, 1.15)) for value in radii]
        distance = ellipsoid(self.places, (moved[0], moved[1], moved[2]), (scaled[0], scaled[1], scaled[2]))
        self.paint(soft_below(distance, 0.0, 0.8), name)
        return distance

    def torso(self) -> None:
        """Paint skin, fat, muscle, spine, and the organs away from the pancreas."""
        width, depth = float(self._generator.uniform(145, 162)), float(self._generator.uniform(98, 120))
        left, back, up = self.places
        outline = (np.sqrt((left / width) ** 2 + (back / depth) ** 2) - 1.0) * depth
        fat = float(self._generator.uniform(12.0, 30.0))
        self.paint(soft_below(outline.astype(np.float32), 0.0, 1.0), "fat")
        wall = soft_below(np.abs(outline + fat + 6.0).astype(np.float32), 6.0, 0.8)
        self.paint(wall, "muscle")
        for side in (-1.0, 1.0):
            psoas = chain(self.places, ((side * 28.0, 52.0, 60.0), (side * 42.0, 48.0, -110.0)), (9.0, 19.0))
            self.paint(soft_below(psoas, 0.0, 0.8), "muscle")
            back_muscle = chain(self.places, ((side * 30.0, 86.0, 110.0), (side * 32.0, 84.0, -110.0)), (18.0, 18.0))
            self.paint(soft_below(back_muscle, 0.0, 0.8), "muscle")
        spine = chain(self.places, ((0.0, 58.0, 120.0), (0.0, 54.0, -120.0)), (19.0, 21.0))
        discs = 1.0 - 0.8 * soft_below(np.abs(np.mod(up + 400.0, 34.0) - 17.0).astype(np.float32), 4.0, 0.8)
        self.paint(soft_below(spine, 0.0, 0.8) * discs, "bone", texture=25.0)
        self.ellipsoid((-72.0, -8.0, 48.0), (72.0, 74.0, 66.0), "liver")
        self.ellipsoid((-26.0, -52.0, 52.0), (52.0, 30.0, 36.0), "liver")
        self.ellipsoid((98.0, 34.0, 52.0), (26.0, 36.0, 44.0), "spleen")
        self.ellipsoid((-54.0, -46.0, 4.0), (13.0, 15.0, 24.0), "gallbladder")
        for side, height in ((-1.0, -22.0), (1.0, -8.0)):
            self.ellipsoid((side * 58.0, 46.0, height), (25.0, 24.0, 52.0), "kidney")
            self.ellipsoid((side * 46.0, 40.0, height), (10.0, 9.0, 18.0), "fat")

    def neighbors(self, knots: tuple[Point, ...]) -> None:
        """Paint what lies at the pancreas: stomach, duodenum, bowel, aorta, caval, portal and splenic vein."""
        stomach = self.ellipsoid((46.0, -46.0, 34.0), (44.0, 27.0, 36.0), "wall")
        self.paint(soft_below(stomach, -4.0, 0.8), "stomach", texture=7.0)
        gas = soft_below(stomach, -5.0, 0.8) * soft_below(self.places[1], -58.0, 1.0)
        self.image += gas * (-950.0 - self.image) * float(self._generator.random() < 0.6)
        head = knots[0]
        loop = chain(
            self.places,
            (
                (head[0] + 4.0, head[1] - 18.0, head[2] + 26.0),
                (head[0] - 24.0, head[1] - 2.0, head[2] + 12.0),
                (head[0] - 25.0, head[1] + 4.0, head[2] - 22.0),
                (head[0] + 14.0, head[1] + 8.0, head[2] - 34.0),
            ),
            (11.0, 11.5, 11.0, 10.0),
        )
        self._tube(loop)
        for _ in range(int(self._generator.integers(7, 12))):
            start = [float(self._generator.uniform(low, high)) for low, high in ((-85, 85), (-72, -5), (-100, -38))]
            step = self._generator.normal(0.0, 26.0, 3)
            self._tube(
                chain(
                    self.places,
                    (
                        (start[0], start[1], start[2]),
                        (start[0] + step[0], start[1] + 0.4 * step[1], start[2] + step[2]),
                    ),
                    (12.0, 12.0),
                )
            )
        self.paint(soft_below(chain(self.places, ((5.0, 27.0, 120.0), (3.0, 25.0, -120.0)), (11.0, 9.0)), 0.0, 0.7),
                   "aorta")  # fmt: skip
        self.paint(soft_below(chain(self.places, ((-22.0, 22.0, 120.0), (-20.0, 27.0, -120.0)), (12.0, 11.0)), 0, 0.7),
                   "vein")  # fmt: skip
        behind = [(x, y + 11.0, z + 3.0) for x, y, z in knots[2:]]
        self.paint(soft_below(chain(self.places, behind, (4.5,) * len(behind)), 0.0, 0.6), "vein")
        neck = knots[2]
        portal = chain(
            self.places,
            ((neck[0] + 2, neck[1] + 9, neck[2] - 75), (neck[0], neck[1] + 9.5, neck[2]),
             (neck[0] - 30, neck[1] + 4, neck[2] + 42)),
            (5.5, 6.5, 6.5),
        )  # fmt: skip
        self.paint(soft_below(portal, 0.0, 0.6), "vein")

    def _tube(self, distance: Floats) -> None:
        self.paint(soft_below(distance, 0.0, 0.8), "wall")
        self.paint(soft_below(distance, -3.5, 0.8), "bowel", texture=12.0)


def _pancreas_plan(generator: np.random.Generator) -> tuple[tuple[Point, ...], tuple[float, ...]]:
    """Give the way of the gland from head to tail, (left, back, up) in mm, and its radius at each knot."""
    rise, arch = float(generator.uniform(8.0, 40.0)), float(generator.uniform(4.0, 16.0))
    reach = float(generator.uniform(66.0, 88.0))
    middle = [float(value) for value in generator.normal(0.0, 5.0, 3)]
    raw = (
        (-32.0, 2.0, -20.0), (-26.0, -6.0, -4.0), (-8.0, -10.0 - 0.5 * arch, 2.0),
        (16.0, -8.0 - arch, 6.0 + 0.35 * rise), (44.0, 8.0, 8.0 + 0.7 * rise), (reach, 24.0, 8.0 + rise),
    )  # fmt: skip
    knots = tuple(
        (x + middle[0] + float(generator.normal(0, 2.5)), y + middle[1] + float(generator.normal(0, 2.5)),
         z + middle[2] + float(generator.normal(0, 2.5)))
        for x, y, z in raw
    )  # fmt: skip
    size = float(generator.uniform(0.82, 1.18))
    return knots, tuple(size * radius for radius in (11.0, 13.5, 9.0, 9.5, 10.0, 7.5))


def _lumpy(
    places: list[Floats], knots: tuple[Point, ...], radii: tuple[float, ...], generator: np.random.Generator
) -> Floats:
    shape = (places[0].shape[0], places[0].shape[1], places[0].shape[2])
    lobules = 1.3 * random_field(generator, shape, 6.0 / SPACING_MM)
    return (chain(places, knots, radii) + lobules).astype(np.float32)


def _plan_lesion(
    places: list[Floats],
    knots: tuple[Point, ...],
    radii: tuple[float, ...],
    generator: np.random.Generator,
    phase: str,
) -> tuple[Floats, float, float]:
    """Give the soft tumor, its radius in mm and its contrast in HU; nothing in a healthy gland."""
    if generator.random() < HEALTHY_CHANCE:
        return np.zeros_like(places[0]), 0.0, 0.0
    part = float(generator.uniform(0.0, len(knots) - 1.001))
    first, share = int(part), part - int(part)
    center = [a + share * (b - a) for a, b in zip(knots[first], knots[first + 1], strict=True)]
    radius = float(generator.uniform(8.0, 17.0))
    center = [value + float(generator.normal(0.0, 0.25 * radii[first])) for value in center]
    shape = (places[0].shape[0], places[0].shape[1], places[0].shape[2])
    stretch = [radius * float(generator.uniform(0.85, 1.2)) for _ in range(3)]
    distance = ellipsoid(places, (center[0], center[1], center[2]), (stretch[0], stretch[1], stretch[2]))
    distance = distance + 1.2 * random_field(generator, shape, 5.0 / SPACING_MM)
    kind = str(generator.choice(list(TUMOR_CONTRAST), p=TUMOR_CHANCES))
    contrast = TUMOR_CONTRAST[kind] * float(generator.uniform(0.8, 1.25))
    if phase == "native":
        contrast *= 0.25 if kind != "cyst" else 0.45
    return soft_below(distance.astype(np.float32), 0.0, 0.8), radius, contrast


def _scan(image: Floats, generator: np.random.Generator) -> Floats:
    """Add what the scanner adds: a table, smoothing, correlated noise; whole HU from -1024 on."""
    noise = generator.standard_normal(image.shape).astype(np.float32)
    noise = ndimage.gaussian_filter(noise, float(generator.uniform(0.5, 0.8)))
    noise *= float(generator.uniform(8.0, 20.0)) / float(noise.std())
    smooth = ndimage.gaussian_filter(image, float(generator.uniform(0.2, 0.55)))
    table = image.shape[1] - 3
    smooth[:, table : table + 1, 20:-20] = -200.0
    return np.clip(np.round(smooth + noise), -1024, 3071).astype(np.float32)
