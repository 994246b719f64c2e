"""What a step minimizes, and the masks that logits stand for: regions that overlap, or labels that exclude each other.

Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from .losses import SMOOTHING, region_loss
from .recipes.recipe import Recipe

Objective = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def exclusive_loss(logits: Tensor, target: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Give cross-entropy plus mean soft Dice of labels that exclude each other, and the Dice losses for the log.

    Args:
        logits: [b, k + 1, z, y, x], the background first.
        target: [b, k, z, y, x], 0 or 1, at most one of them 1 in a voxel.
        known: [b, k] bool; a sample of which any label is unknown is left out, since nobody knows its background.
    """
    whole = known.all(dim=1)
    labels = torch.cat([1.0 - target.sum(dim=1, keepdim=True), target], dim=1)
    weight = whole.to(logits.dtype)[:, None, None, None, None]
    log_shares = functional.log_softmax(logits, dim=1)
    voxels = (labels * log_shares * weight).sum()
    entropy = -voxels / (weight.sum() * logits[0, 0].numel()).clamp(min=1.0)
    share = log_shares[:, 1:].exp() * weight
    truth = target * weight
    dims = (0, 2, 3, 4)
    size = share.square().sum(dims) + truth.square().sum(dims)
    losses = 1.0 - (2.0 * (share * truth).sum(dims) + SMOOTHING) / (size + SMOOTHING)
    return entropy + losses.mean(), losses.detach()


def objective(recipe: Recipe) -> Objective:
    """Give the function of logits, target and what is known, that a recipe minimizes."""
    if recipe.loss == "dice_ce" and not recipe.squared_dice:
        return partial(region_loss, squared=False)
    return OBJECTIVES[recipe.loss]


def masks_of(logits: Tensor, activation: str) -> Tensor:
    """Give ``[b, k, z, y, x]`` bool: regions above one half, or the label with the largest share."""
    if activation == "sigmoid":
        return logits > 0
    winner = logits.argmax(dim=1, keepdim=True)
    numbers = torch.arange(1, logits.shape[1], device=logits.device).reshape(1, -1, 1, 1, 1)
    return winner == numbers


OBJECTIVES: dict[str, Objective] = {
    "dice_ce": region_loss,
    "exclusive_dice_ce": exclusive_loss,
}
