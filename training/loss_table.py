"""The losses of the published systems by name, for overlapping regions (sigmoid) or for classes (softmax).

All take logits, target and what is known, and are blind to what nobody drew: that is why MONAI's, which know no such
mask, stand in the tests as a second computation only. Sums run over the whole batch. Beside the library (training).

Source: design pages "pancreas_cascade" section 5, "brain_tissue" section 5, "hand_and_brats2015" section 5;
generalized Dice: Sudre et al., arXiv 1707.03237; focal: Lin et al., arXiv 1708.02002; Tversky: Salehi et al.,
arXiv 1706.05721; focal Tversky: Abraham and Khan, arXiv 1810.07842.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .losses import region_loss

CLIP = 1e-8  # of probabilities in the Jaccard distance, as its code has it


@dataclass(frozen=True)
class LossSettings:
    """What a loss may be told; each loss reads what concerns it.

    Args:
        activation: "sigmoid" for overlapping regions, "softmax" for classes that exclude each other, background too.
        weights: of the regions in cross-entropies; None weighs all alike.
        gamma: of the focal loss.
        alpha: of false negatives in the Tversky index.
        beta: of false positives.
        tversky_gamma: the focal Tversky loss is the Tversky loss to the power 1 / this.
        smoothing: in numerator and denominator of Dice and Tversky.
        skip_absent: leave out regions that no sample of the batch shows (Jaccard distance).
    """

    activation: str = "sigmoid"
    weights: Sequence[float] | None = None
    gamma: float = 2.0
    alpha: float = 0.7
    beta: float = 0.3
    tversky_gamma: float = 4.0 / 3.0
    smoothing: float = 1e-5
    skip_absent: bool = False


@dataclass(frozen=True)
class _Sums:
    """Sums over batch and voxels of what is known, one a region: p the probabilities, t the target; [c] each."""

    both: Tensor  # p t
    shares: Tensor  # p
    truth: Tensor  # t
    share_squares: Tensor  # p^2; t^2 is t
    there: Tensor  # 1 where at least one sample knows the region

    def mean(self, values: Tensor) -> Tensor:
        """Average over the regions that are there; 0 when none is."""
        return (values * self.there).sum() / self.there.sum().clamp(min=1.0)


def _weight(known: Tensor, like: Tensor) -> Tensor:
    return known.to(like.dtype).reshape(*known.shape, *(1,) * (like.ndim - 2))


def _probabilities(logits: Tensor, settings: LossSettings) -> Tensor:
    return torch.sigmoid(logits) if settings.activation == "sigmoid" else torch.softmax(logits, dim=1)


def _sums(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> _Sums:
    weight = _weight(known, logits)
    shares = _probabilities(logits, settings) * weight
    truth = target * weight
    dims = (0, *range(2, logits.ndim))
    return _Sums(
        (shares * truth).sum(dims),
        shares.sum(dims),
        truth.sum(dims),
        shares.square().sum(dims),
        known.any(dim=0).to(logits.dtype),
    )


# --- by voxel ---------------------------------------------------------------------------------------------------


def cross_entropy(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> Tensor:
    """Give the mean cross-entropy over known voxels, each region times its weight.

    Sigmoid: binary, averaged over regions and voxels. Softmax: ``-sum_c w_c t_c ln p_c``, averaged over voxels (not
    over weights, as torch does).
    """
    return _focused(logits, target, known, settings, gamma=0.0)


def focal(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> Tensor:
    """Give the cross-entropy with each term times ``(1 - p_t)^gamma``, p_t the probability of what is true."""
    return _focused(logits, target, known, settings, gamma=settings.gamma)


def _focused(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings, gamma: float) -> Tensor:
    weight = _weight(known, logits)
    if settings.weights is not None:
        factors = torch.as_tensor(settings.weights, dtype=logits.dtype, device=logits.device)
        weight = weight * factors.reshape(1, -1, *(1,) * (logits.ndim - 2))
    voxels = logits[0, 0].numel()
    if settings.activation == "sigmoid":
        terms = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        count = known.sum() * voxels
    else:
        terms = -target * functional.log_softmax(logits, dim=1)
        count = known.any(dim=1).sum() * voxels
    if gamma:
        shares = _probabilities(logits, settings)
        of_the_true = target * shares + (1.0 - target) * (1.0 - shares) if settings.activation == "sigmoid" else shares
        terms = (1.0 - of_the_true).clamp(min=0.0).pow(gamma) * terms
    return (terms * weight).sum() / count.clamp(min=1)


# --- by region --------------------------------------------------------------------------------------------------


def dice(sums: _Sums, settings: LossSettings) -> Tensor:
    """Give ``1 - 2 sum(p t) / (sum(p) + sum(t))`` for each region."""
    top = 2.0 * sums.both + settings.smoothing
    return 1.0 - top / (sums.shares + sums.truth + settings.smoothing)


def dice_squared(sums: _Sums, settings: LossSettings) -> Tensor:
    """Give Dice with squares in the denominator for each region."""
    top = 2.0 * sums.both + settings.smoothing
    return 1.0 - top / (sums.share_squares + sums.truth + settings.smoothing)


def tversky(sums: _Sums, settings: LossSettings) -> Tensor:
    """Give ``1 - TP / (TP + alpha FN + beta FP)`` for each region, with soft counts."""
    missed, invented = sums.truth - sums.both, sums.shares - sums.both
    top = sums.both + settings.smoothing
    return 1.0 - top / (sums.both + settings.alpha * missed + settings.beta * invented + settings.smoothing)


def focal_tversky(sums: _Sums, settings: LossSettings) -> Tensor:
    """Give the Tversky loss to the power ``1 / tversky_gamma`` for each region."""
    # The slope of the root at 0 is infinite; a perfect region has nothing to learn.
    return tversky(sums, settings).clamp(min=1e-7).pow(1.0 / settings.tversky_gamma)


def jaccard(sums: _Sums) -> Tensor:
    """Give ``1 - sum(p t) / (sum(p^2) + sum(t^2) - sum(p t))`` for each region."""
    union = sums.share_squares + sums.truth - sums.both
    return 1.0 - sums.both / union.clamp(min=CLIP)


def generalized_dice(sums: _Sums, settings: LossSettings) -> Tensor:
    """Give one Dice over all regions, each weighed by one over its true size squared; absent ones weigh nothing."""
    is_there = (sums.truth > 0).to(sums.truth.dtype)
    weights = is_there / sums.truth.square().clamp(min=1.0)
    top = 2.0 * (weights * sums.both).sum() + settings.smoothing
    return 1.0 - top / ((weights * (sums.shares + sums.truth)).sum() + settings.smoothing)


# --- the table --------------------------------------------------------------------------------------------------

Loss = Callable[[Tensor, Tensor, Tensor, LossSettings], tuple[Tensor, Tensor]]


def _by_region(losses: Callable[[_Sums, LossSettings], Tensor]) -> Loss:
    def loss(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor]:
        sums = _sums(logits, target, known, settings)
        return sums.mean(losses(sums, settings)), dice(sums, settings).detach()

    return loss


def _by_voxel(voxel_loss: Callable[..., Tensor], *, with_dice: bool = False) -> Loss:
    def loss(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor]:
        sums = _sums(logits, target, known, settings)
        by_region = dice(sums, settings)
        total = voxel_loss(logits, target, known, settings)
        return total + sums.mean(by_region) if with_dice else total, by_region.detach()

    return loss


def _generalized(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor]:
    sums = _sums(logits, target, known, settings)
    return generalized_dice(sums, settings), dice(sums, settings).detach()


def _jaccard(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor]:
    """The sum over the regions, as the hand paper has it."""
    sums = _sums(logits, target, known, settings)
    counted = sums.there * (sums.truth > 0) if settings.skip_absent else sums.there
    return (jaccard(sums) * counted).sum(), dice(sums, settings).detach()


def _brats2020(logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings) -> tuple[Tensor, Tensor]:
    return region_loss(logits, target, known)


LOSSES: dict[str, Loss] = {
    "brats2020": _brats2020,
    "cross_entropy": _by_voxel(cross_entropy),  # weighted when the settings have weights
    "cross_entropy_dice": _by_voxel(cross_entropy, with_dice=True),  # with a sigmoid: BCE + Dice
    "focal": _by_voxel(focal),
    "dice": _by_region(dice),
    "dice_squared": _by_region(dice_squared),
    "generalized_dice": _generalized,
    "tversky": _by_region(tversky),
    "focal_tversky": _by_region(focal_tversky),
    "jaccard": _jaccard,
}


def loss_of(
    name: str, logits: Tensor, target: Tensor, known: Tensor, settings: LossSettings | None = None
) -> tuple[Tensor, Tensor]:
    """Give what a step minimizes, and the soft Dice losses by region for the log.

    Args:
        name: key of ``LOSSES``.
        logits: [b, c, (z,) y, x].
        target: same shape, 0 or 1; one-hot over the channels for a softmax.
        known: [b, c] bool; an unknown region of a sample enters no sum.
        settings: None for the defaults.
    """
    return LOSSES[name](logits, target, known, settings or LossSettings())
