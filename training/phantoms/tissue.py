"""A healthy brain in T1 with its tissues, and a crop around one hippocampus: samples for packages that people trained.

Neither trains anything; a package learned on patients must be able to read them. Labels of the brain: 1 fluid of the
ventricles, 2 gray, 3 white matter; of the crop: 1 anterior, 2 posterior hippocampus. Beside the library (training).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from MedSegAILib.core.volume import Grid

from .anatomy import draw_tissues, ventricle_distance
from .brain import HeadOptions, bend, head_grid, voxel_places
from .fields import Floats, chain, ellipsoid, random_field, soft_below
from .space import bent, make_grid, places_of

FULL_SCALE = 250.0
T1_BRIGHTNESS = {"csf": 0.20, "gray": 0.58, "white": 0.86}
BRAIN_SPACING_MM = 1.5
CROP_XYZ_MM = (36.0, 52.0, 36.0)
HEAD_SHARE = 0.42  # of the length of the hippocampus

Drawn = tuple[Floats, npt.NDArray[np.uint8], Grid]


def draw_brain(seed: int) -> Drawn:
    """Draw a skull-stripped T1 of a healthy brain; the same seed gives the same voxels."""
    generator = np.random.default_rng((seed, 17))
    options = HeadOptions(spacing_mm=BRAIN_SPACING_MM)
    grid = head_grid(options)
    places = bend(voxel_places(grid), generator, BRAIN_SPACING_MM)
    tissues = draw_tissues(places, BRAIN_SPACING_MM, generator, with_skull=False)
    image = sum(T1_BRIGHTNESS[name] * getattr(tissues, name) for name in T1_BRIGHTNESS)
    inside = tissues.brain > 0.5
    stored = np.where(inside, _scanned(np.asarray(image), generator, 0.02), 0.0)
    ventricles = ventricle_distance(np.abs(places[0]), places[1], places[2], 1.0) < 1.0
    fluid = (tissues.csf > 0.5) & ventricles
    labels = np.where(fluid, 1, np.where(tissues.white > 0.5, 3, 2))
    return stored.astype(np.float32), np.where(inside, labels, 0).astype(np.uint8), grid


def draw_hippocampus(seed: int) -> Drawn:
    """Draw a T1 crop around one hippocampus; the same seed gives the same voxels."""
    generator = np.random.default_rng((seed, 19))
    grid = make_grid(CROP_XYZ_MM, (1.0, 1.0, 1.0))
    # Places to the left, to the back and up; the head of the hippocampus lies in front, low and inside.
    x, y, z = places = bent(places_of(grid), generator, 0.5, 10.0)
    knots = ((-3.0, -18.0, -3.0), (-1.5, -12.0, -4.5), (1.0, -4.0, -2.0), (2.5, 6.0, 1.0), (0.0, 15.0, 5.0))
    size = float(generator.uniform(0.92, 1.08))
    body = chain(places, knots, tuple(size * radius for radius in (4.2, 6.4, 4.6, 3.8, 2.8)))
    shape = (body.shape[0], body.shape[1], body.shape[2])
    body = (body + 0.4 * random_field(generator, shape, 3.0)).astype(np.float32)
    image = np.full(shape, T1_BRIGHTNESS["white"], dtype=np.float32)
    cortex = soft_below(np.abs(z + 15.0 + 0.1 * y + 1.5 * np.sin(x / 4.0)).astype(np.float32), 2.2, 0.5)
    amygdala = soft_below(ellipsoid(places, (-3.0, -22.0, 5.0), (8.0, 7.0, 7.0)), 0.0, 0.6)
    inner = soft_below(chain(places, ((-9.0, -16.0, -8.0), (-8.0, 14.0, -2.0)), (3.4, 3.0)), 0.0, 0.6)
    for share in (cortex, amygdala, inner):
        image += share * (T1_BRIGHTNESS["gray"] - image)
    horn = chain(places, ((3.0, -17.0, 3.5), (6.5, -4.0, 3.0), (7.5, 8.0, 6.0), (6.0, 18.0, 9.0)), (1.5, 2.2, 2.0, 2.6))
    cistern = chain(places, ((-13.0, -14.0, 2.0), (-11.0, 16.0, 6.0)), (4.0, 4.0))
    for share in (soft_below(horn, 0.0, 0.5), soft_below(cistern, 0.0, 0.6)):
        image += share * (T1_BRIGHTNESS["csf"] - image)
    image += soft_below(body, 0.0, 0.5) * (T1_BRIGHTNESS["gray"] - image)
    border = knots[0][1] + HEAD_SHARE * (knots[-1][1] - knots[0][1])
    labels = np.where(body < 0, np.where(y < border, 1, 2), 0).astype(np.uint8)
    return _scanned(image, generator, 0.025), labels, grid


def _scanned(image: Floats, generator: np.random.Generator, noise: float) -> Floats:
    shape = (image.shape[0], image.shape[1], image.shape[2])
    smooth = ndimage.gaussian_filter(image, 0.45) * np.exp(0.05 * random_field(generator, shape, 20.0))
    parts = noise * generator.standard_normal((2, *shape)).astype(np.float32)
    return np.clip(np.round(np.hypot(smooth + parts[0], parts[1]) * FULL_SCALE), 1, 255).astype(np.float32)
