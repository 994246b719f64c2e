"""The optimizer of a phase. Beside the library (training)."""

from __future__ import annotations

import torch
from torch import nn

from .ranger import Ranger
from .recipes.phase import Phase
from .recipes.recipe import Recipe


def build_optimizer(recipe: Recipe, network: nn.Module, phase: Phase | None) -> torch.optim.Optimizer:
    """Give a new optimizer: that of the phase, or AdamW as the recipe has it."""
    weights = list(network.parameters())
    if phase is None:
        return torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    settings = {"lr": phase.learning_rate, "weight_decay": phase.weight_decay}
    if phase.optimizer == "ranger":
        return Ranger(weights, **settings)
    return (torch.optim.Adam if phase.optimizer == "adam" else torch.optim.AdamW)(weights, **settings)
