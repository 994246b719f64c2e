"""A four-sequence head with a tumor, made from a seed: the sample study, and a share of the training.

Contrast, bias field, noise and thick slices are added here; shapes come from ``anatomy`` and ``tumor``. No file
is written here (``phantoms/sample.py``). Beside the library (training).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Grid

from .anatomy import Tissues, draw_tissues
from .fields import Floats, random_field
from .tumor import Tumor, TumorPlan, displace, draw_tumor, plan_tumor

SEQUENCES = ("T1", "T1ce", "T2", "FLAIR")
# Relative brightness by sequence, in the order T1, T1ce, T2, FLAIR; drawn after textbooks of MR contrast, white
# matter of T1 about 0.8. What enhances takes up contrast agent: dull on T1, bright on T1ce.
BRIGHTNESS: dict[str, tuple[float, float, float, float]] = {
    "csf": (0.22, 0.24, 1.00, 0.12),
    "gray": (0.58, 0.60, 0.52, 0.58),
    "white": (0.80, 0.78, 0.38, 0.46),
    "necrosis": (0.34, 0.36, 0.86, 0.45),
    "solid": (0.46, 0.48, 0.80, 0.88),
    "enhancing": (0.56, 1.15, 0.60, 0.78),
    "edema": (0.54, 0.54, 0.78, 0.92),
    "fluid": (0.20, 0.24, 0.95, 0.12),
    "bone": (0.08, 0.08, 0.06, 0.06),
    "marrow": (0.55, 0.60, 0.35, 0.35),
    "fat": (1.00, 1.05, 0.80, 0.75),
    "muscle": (0.45, 0.55, 0.25, 0.35),
    "eye": (0.20, 0.22, 1.05, 0.12),
}
LESION_PARTS = ("necrosis", "solid", "enhancing", "edema")
FULL_SCALE = 800.0  # stored brightness of 1.0; scanners write some hundreds


@dataclass(frozen=True)
class HeadOptions:
    """What kind of head to draw.

    Args:
        spacing_mm: edge of the cubic voxels.
        with_skull: False gives zeros outside the brain, as skull stripping does.
        tumor: a plan; None draws one from the seed.
        noise: standard deviation of the noise, as a share of white matter.
        vary: how far contrast may leave the table, as a share (0.1: about ten percent).
    """

    spacing_mm: float = 2.0
    with_skull: bool = False
    tumor: TumorPlan | None = None
    noise: float = 0.025
    vary: float = 0.1


@dataclass(frozen=True, eq=False)
class Phantom:
    """One drawn study: ``volumes`` by role and ``labels`` (0, 1, 2, 4), all [z, y, x] on ``grid``."""

    volumes: dict[str, Floats]
    labels: npt.NDArray[np.uint8]
    grid: Grid
    plan: TumorPlan


def head_grid(options: HeadOptions) -> Grid:
    """Give the grid of a head: axes to the left, back and up, as BraTS has them; the middle is the world's origin."""
    extent_mm = (200.0, 224.0, 200.0) if options.with_skull else (148.0, 180.0, 146.0)  # x, y, z
    shape_xyz = [round(length / options.spacing_mm) for length in extent_mm]
    matrix = np.diag([-options.spacing_mm, -options.spacing_mm, options.spacing_mm, 1.0])
    middle_mm = (0.0, 0.0, -8.0)  # the drawing reaches farther down than up
    for axis, (count, sign) in enumerate(zip(shape_xyz, (-1.0, -1.0, 1.0), strict=True)):
        matrix[axis, 3] = middle_mm[axis] - sign * options.spacing_mm * (count - 1) / 2.0
    return Grid((shape_xyz[2], shape_xyz[1], shape_xyz[0]), matrix)


def voxel_places(grid: Grid) -> list[Floats]:
    """Give for every voxel its place to the left, back and up in mm, [z, y, x] each."""
    z, y, x = np.meshgrid(*(np.arange(count) for count in grid.shape_zyx), indexing="ij")
    matrix = grid.ijk_to_ras
    right = matrix[0, 0] * x + matrix[0, 3]
    front = matrix[1, 1] * y + matrix[1, 3]
    up = matrix[2, 2] * z + matrix[2, 3]
    return [(-right).astype(np.float32), (-front).astype(np.float32), up.astype(np.float32)]


def bend(places_mm: list[Floats], generator: np.random.Generator, spacing_mm: float) -> list[Floats]:
    """Give individual heads: another size along each axis and a smooth asymmetry of a few mm."""
    size = (places_mm[0].shape[0], places_mm[0].shape[1], places_mm[0].shape[2])
    bent = []
    for place in places_mm:
        stretch = float(generator.uniform(0.94, 1.05))
        wave = 2.2 * random_field(generator, size, 22.0 / spacing_mm)
        bent.append((place / stretch + wave).astype(np.float32))
    return bent


def render(
    tissues: Tissues, tumor: Tumor, sequence: int, generator: np.random.Generator, options: HeadOptions
) -> Floats:
    """Mix the parts of a head to one sequence, [z, y, x], before scaling; ``sequence`` counts in ``SEQUENCES``."""

    def brightness(part: str) -> float:
        return BRIGHTNESS[part][sequence] * float(1.0 + options.vary * generator.standard_normal())

    parts: dict[str, Floats] = {"csf": tissues.csf, "gray": tissues.gray, "white": tissues.white}
    brain = np.zeros_like(tissues.csf)
    for name, share in parts.items():
        brain += brightness(name) * share
    lesion = {name: getattr(tumor, name) for name in LESION_PARTS}
    healthy = np.clip(1.0 - sum(lesion.values()), 0.0, 1.0)
    image = brain * healthy
    size = (brain.shape[0], brain.shape[1], brain.shape[2])
    texture = 1.0 + 0.07 * random_field(generator, size, 3.0 / options.spacing_mm)
    for name, share in lesion.items():
        # The swollen tissue keeps some of what it was: edema is not flat.
        base = brightness(name) * texture
        image += share * (0.78 * base + 0.22 * (brain + base) / 2.0 if name == "edema" else base)
    image *= tissues.brain
    for name, share in tissues.around.items():
        image += brightness(name) * share * (1.0 - tissues.brain)
    return image.astype(np.float32)


def degrade(image: Floats, generator: np.random.Generator, options: HeadOptions) -> Floats:
    """Add what a scanner adds: an uneven coil, a thick-slice blur now and then, and noise (Rician)."""
    size = (image.shape[0], image.shape[1], image.shape[2])
    coil = np.exp(0.09 * random_field(generator, size, 40.0 / options.spacing_mm))
    blur_mm = [0.5, 0.5, 0.5]
    if options.vary > 0.05 and generator.random() < 0.35:
        blur_mm[int(generator.integers(3))] = float(generator.uniform(1.2, 2.8))
    image = ndimage.gaussian_filter(image * coil, [width / options.spacing_mm for width in blur_mm])
    real, imaginary = options.noise * generator.standard_normal((2, *size)).astype(np.float32)
    return np.sqrt((image + real) ** 2 + imaginary**2).astype(np.float32)


def draw_head(seed: int, options: HeadOptions | None = None) -> Phantom:
    """Draw a study from a seed; the same seed and options give the same voxels.

    Args:
        seed: any integer >= 0.
        options: kind of head; defaults as in :class:`HeadOptions`.

    Returns:
        Four sequences and labels on one grid. Skull-stripped images are exactly 0 outside the brain.
    """
    options = options or HeadOptions()
    generator = np.random.default_rng(seed)
    grid = head_grid(options)
    places = voxel_places(grid)
    plan = options.tumor or plan_tumor(generator)
    bent = bend(displace(places, plan), generator, options.spacing_mm)
    tissues = draw_tissues(bent, options.spacing_mm, generator, with_skull=options.with_skull)
    tumor = draw_tumor(places, tissues.white, tissues.depth_mm, plan, generator, options.spacing_mm)
    volumes = {}
    for number, name in enumerate(SEQUENCES):
        image = degrade(render(tissues, tumor, number, generator, options), generator, options) * FULL_SCALE
        volumes[name] = image if options.with_skull else np.where(tissues.brain > 0.5, image, 0.0).astype(np.float32)
    labels = np.where(tissues.brain > 0.5, tumor.labels, 0).astype(np.uint8)
    return Phantom(volumes, labels, grid, plan)
