"""Losses over regions, blind to what nobody drew. Logits in, one number out. Beside the library (training).

Source: Henry et al., arXiv 2011.01045; soft Dice of pipeline A as the published code computes it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SMOOTHING = 1.0  # in numerator and denominator, of the published code


def soft_dice_losses(logits: Tensor, target: Tensor, known: Tensor, squared: bool = True) -> Tensor:
    """Give one soft Dice loss for each region, over the whole batch at once.

    ``1 - (2 sum(s r) + 1) / (sum(s^2) + sum(r^2) + 1)`` with s the sigmoid of the logits and r the target; without
    the squares in pipeline B.

    Args:
        logits: [b, c, z, y, x].
        target: same shape, 0 or 1.
        known: [b, c] bool; an unknown region of a sample enters no sum.
        squared: pipeline A's form, else B's.

    Returns:
        [c], each in [0, 1]; 0 for a region that no sample of the batch knows.
    """
    weight = known.to(logits.dtype)[:, :, None, None, None]
    share = torch.sigmoid(logits) * weight
    truth = target * weight
    dims = (0, 2, 3, 4)
    overlap = (share * truth).sum(dims)
    size = share.square().sum(dims) + truth.square().sum(dims) if squared else share.sum(dims) + truth.sum(dims)
    return 1.0 - (2.0 * overlap + SMOOTHING) / (size + SMOOTHING)


def cross_entropy(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Give the mean binary cross-entropy over the voxels of known regions; 0 when none is known."""
    weight = known.to(logits.dtype)[:, :, None, None, None]
    voxels = functional.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    count = weight.sum() * logits[0, 0].numel()
    return voxels.sum() / count.clamp(min=1.0)


def region_loss(logits: Tensor, target: Tensor, known: Tensor, squared: bool = True) -> tuple[Tensor, Tensor]:
    """Give what a step minimizes, and the Dice losses by region for the log.

    The sum of cross-entropy and the mean soft Dice over the regions that at least one sample of the batch knows.
    """
    losses = soft_dice_losses(logits, target, known, squared)
    there = known.any(dim=0).to(losses.dtype)
    dice = (losses * there).sum() / there.sum().clamp(min=1.0)
    return dice + cross_entropy(logits, target, known), losses.detach()
