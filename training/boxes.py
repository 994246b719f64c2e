"""Where the network of a stage looks in training: the manifest's box, shifted a little when a region gives it.

In use the box of a later stage comes from what an earlier one found, which is never quite right; the shift stands for
that. Beside the library (training).

Source: the random shift of the box is the crop augmentation of the pancreas cascade (``docs/systems/pancreas.md``).
"""

from __future__ import annotations

import zlib

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.geometry import Box
from MedSegAILib.tasks.boxes import region_box, rough_box

from .recipes.recipe import Recipe
from .tasks import find_task


def stage_box(case: Case, labels: Volume, recipe: Recipe, copy: int = 0) -> Box | None:
    """Give the voxels of a case that the recipe's network sees; None for all of them.

    Args:
        case: the reference's grid is that of ``labels``.
        labels: its regions give the box of a later stage.
        recipe: tells the box and how far it may lie off.
        copy: number of the shift; the same number and case give the same one.
    """
    if not recipe.box:
        return None
    grid = case.reference_grid()
    if "rough" in recipe.box:
        return rough_box([volume.array for volume in case.volumes.values()], grid, recipe.box["rough"])
    mask = np.isin(labels.array, find_task(recipe.task).regions[recipe.box["from"]])
    box = region_box(mask, grid, recipe.box.get("margin_mm", 0.0), recipe.box.get("at_least_mm", 0.0))
    if box is None or not recipe.box_shift_mm:
        return box
    generator = np.random.default_rng((recipe.seed, copy, zlib.crc32(case.name.encode())))
    sides = []
    for side, count, spacing_mm in zip(box, grid.shape_zyx, grid.spacing_zyx_mm, strict=True):
        away = round(float(generator.uniform(-recipe.box_shift_mm, recipe.box_shift_mm)) / spacing_mm)
        start = min(max(side.start + away, 0), count - (side.stop - side.start))
        sides.append(slice(start, start + side.stop - side.start))
    return sides[0], sides[1], sides[2]
