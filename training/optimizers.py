"""The optimizer of a phase. Beside the library (training)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from .ranger import Ranger
from .recipes.phase import Phase
from .recipes.recipe import Recipe

Kind = Callable[..., torch.optim.Optimizer]


def build_optimizer(recipe: Recipe, network: nn.Module, phase: Phase | None) -> torch.optim.Optimizer:
    """Give a new optimizer: that of the phase, or AdamW as the recipe has it."""
    weights = list(network.parameters())
    if phase is None:
        return torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    kinds: dict[str, Kind] = {"ranger": Ranger, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[phase.optimizer](weights, lr=phase.learning_rate, weight_decay=phase.weight_decay)
