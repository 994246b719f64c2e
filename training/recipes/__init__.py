"""Recipes by name: typed settings of one training, nothing else."""

from __future__ import annotations

from MedSegAILib.core.errors import UsageError

from .brain_tissue import BRAIN_TISSUE_SMALL
from .brain_tumor_folds import BRAIN_TUMOR_FOLDS
from .brain_tumor_members import (
    BRAIN_TUMOR_A0,
    BRAIN_TUMOR_A1,
    BRAIN_TUMOR_B0,
    BRAIN_TUMOR_B1,
    BRAIN_TUMOR_C0,
)
from .brain_tumor_small import BRAIN_TUMOR_SMALL
from .brats2020 import BRATS2020
from .hand_bones import HAND_BONES_SMALL
from .hippocampus import HIPPOCAMPUS
from .pancreas import PANCREAS_ORGAN_SMALL, PANCREAS_TUMOR_SMALL
from .papers import PAPERS
from .prostate import PROSTATE_SMALL
from .recipe import Recipe

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        BRAIN_TUMOR_SMALL,
        BRAIN_TUMOR_A0,
        BRAIN_TUMOR_A1,
        BRAIN_TUMOR_B0,
        BRAIN_TUMOR_B1,
        BRAIN_TUMOR_C0,
        HIPPOCAMPUS,
        BRAIN_TISSUE_SMALL,
        PANCREAS_ORGAN_SMALL,
        PANCREAS_TUMOR_SMALL,
        PROSTATE_SMALL,
        HAND_BONES_SMALL,
        *BRAIN_TUMOR_FOLDS,
        *PAPERS,
        *BRATS2020,
    )
}


def find_recipe(name: str) -> Recipe:
    """Give a recipe.

    Raises:
        UsageError: "training.recipe" for an unknown name.
    """
    if name not in RECIPES:
        raise UsageError("training.recipe", f"There is no recipe {name!r}.", f"Choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]
