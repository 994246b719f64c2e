"""What a step of a recipe minimizes, and the masks that its logits stand for. Beside the library (training).

Losses themselves stand in ``loss_table``; here labels that exclude each other get their background.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from .loss_table import LossSettings, loss_of
from .losses import region_loss
from .recipes.recipe import Recipe

Objective = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def objective(recipe: Recipe) -> Objective:
    """Give the function of logits, target and what is known that a recipe minimizes.

    It returns the loss, and the soft Dice losses of the recipe's channels for the log.
    """
    if recipe.loss == "brats2020" and not recipe.squared_dice:
        return partial(region_loss, squared=False)
    settings = LossSettings(**{"activation": recipe.activation, **recipe.loss_settings})
    if recipe.activation == "sigmoid":
        return partial(loss_of, recipe.loss, settings=settings)

    def of_classes(logits: Tensor, target: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        # Where any label is unknown nobody knows the background either: such a sample enters no sum.
        whole = known.all(dim=1, keepdim=True)
        classes = torch.cat([1.0 - target.sum(dim=1, keepdim=True), target], dim=1)
        loss, by_class = loss_of(recipe.loss, logits, classes, whole.expand(-1, logits.shape[1]), settings)
        return loss, by_class[1:]

    return of_classes


def masks_of(logits: Tensor, activation: str) -> Tensor:
    """Give ``[b, k, z, y, x]`` bool: regions above one half, or the label with the largest share.

    Args:
        logits: ``[b, k, ...]`` for a sigmoid; ``[b, k + 1, ...]`` with the background first for a softmax.
        activation: "sigmoid" or "softmax".
    """
    if activation == "sigmoid":
        return logits > 0
    winner = logits.argmax(dim=1, keepdim=True)
    return winner == torch.arange(1, logits.shape[1], device=logits.device).reshape(1, -1, 1, 1, 1)
