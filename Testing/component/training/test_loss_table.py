"""Each loss of the table against numpy in float64 and, where MONAI has the same, against MONAI."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from training.loss_table import LOSSES, LossSettings, loss_of

SHAPE = (2, 3, 5, 6, 7)
ALL = torch.ones(SHAPE[:2], dtype=torch.bool)
WEIGHTS = (1.0, 4.0, 0.5)


def batch(activation: str, shape: tuple[int, ...] = SHAPE) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    logits = 2.0 * torch.randn(shape, generator=generator)
    if activation == "sigmoid":
        return logits, (torch.rand(shape, generator=generator) > 0.7).float()
    chosen = torch.randint(0, shape[1], (shape[0], *shape[2:]), generator=generator)
    return logits, torch.nn.functional.one_hot(chosen, shape[1]).movedim(-1, 1).float()


def shares_of(logits: np.ndarray, activation: str) -> np.ndarray:
    wide = logits.astype(np.float64)
    if activation == "sigmoid":
        return 1.0 / (1.0 + np.exp(-wide))
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def by_numpy(name: str, logits: np.ndarray, target: np.ndarray, settings: LossSettings) -> float:
    """The formulas of the pages, one class after the other, in float64."""
    p, t = shares_of(logits, settings.activation), target.astype(np.float64)
    weights = settings.weights or (1.0,) * p.shape[1]
    found, entropies, focals, general_top, general_all = [], [], [], 0.0, 0.0
    for region, weight in enumerate(weights):
        q, r = p[:, region], t[:, region]
        tp, fn, fp = (q * r).sum(), ((1 - q) * r).sum(), (q * (1 - r)).sum()
        ti = tp / (tp + settings.alpha * fn + settings.beta * fp)
        found.append(
            {
                "dice": 1 - 2 * tp / (q.sum() + r.sum()),
                "dice_squared": 1 - 2 * tp / ((q**2).sum() + (r**2).sum()),
                "tversky": 1 - ti,
                "focal_tversky": (1 - ti) ** (1 / settings.tversky_gamma),
                "jaccard": 1 - tp / ((q**2).sum() + (r**2).sum() - tp),
            }
        )
        general_top += 2 * tp / r.sum() ** 2
        general_all += (q.sum() + r.sum()) / r.sum() ** 2
        of_true = np.where(r == 1, q, 1 - q)
        drawn = np.ones_like(r) if settings.activation == "sigmoid" else r
        entropies.append(weight * (-np.log(of_true) * drawn))
        focals.append(weight * (-((1 - of_true) ** settings.gamma) * np.log(of_true) * drawn))
    join = np.mean if settings.activation == "sigmoid" else lambda maps: np.mean(np.sum(maps, axis=0))
    means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    return float(
        {
            **means,
            "jaccard": sum(one["jaccard"] for one in found),
            "generalized_dice": 1 - general_top / general_all,
            "cross_entropy": join(entropies),
            "cross_entropy_dice": join(entropies) + means["dice"],
            "focal": join(focals),
        }[name]
    )


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("name", [name for name in LOSSES if name != "brats2020"])
def test_loss_is_the_formula_of_the_page(name: str, activation: str) -> None:
    for weights in (None, WEIGHTS):
        settings = LossSettings(activation=activation, weights=weights, smoothing=1e-12)
        logits, target = batch(activation)
        loss, dice_losses = loss_of(name, logits, target, ALL, settings)
        assert float(loss) == pytest.approx(by_numpy(name, logits.numpy(), target.numpy(), settings), rel=2e-5)
        plain = by_numpy("dice", logits.numpy(), target.numpy(), settings)
        assert float(dice_losses.mean()) == pytest.approx(plain, rel=2e-5)


def monais(name: str) -> Any:
    from monai.losses import DiceLoss, FocalLoss, GeneralizedDiceLoss, TverskyLoss

    smooth = {"smooth_nr": 1e-5, "smooth_dr": 1e-5, "softmax": True, "batch": True}
    return {
        "dice": DiceLoss(**smooth),
        "dice_squared": DiceLoss(squared_pred=True, **smooth),
        "generalized_dice": GeneralizedDiceLoss(**smooth),
        # MONAI's alpha is of false positives, its beta of false negatives.
        "tversky": TverskyLoss(alpha=0.3, beta=0.7, **smooth),
        "focal": FocalLoss(use_softmax=True, gamma=2.0),
    }[name]


@pytest.mark.parametrize("name", ["dice", "dice_squared", "generalized_dice", "tversky", "focal"])
def test_loss_is_monais_where_both_exist(name: str) -> None:
    logits, target = batch("softmax")
    loss, _ = loss_of(name, logits, target, ALL, LossSettings(activation="softmax"))
    theirs = float(monais(name)(logits, target))
    # MONAI averages the focal terms over classes and voxels, the page over voxels.
    assert float(loss) == pytest.approx(theirs * (SHAPE[1] if name == "focal" else 1), rel=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("name", LOSSES)
def test_what_is_unknown_changes_neither_loss_nor_own_gradient(name: str, activation: str) -> None:
    logits, target = batch(activation)
    known = torch.tensor([[True, True, True], [False, False, False]])
    results = []
    for content in (0.0, 1.0):
        changed = target.clone()
        changed[1] = content  # what stands in the target of an unknown sample
        leaf = logits.clone().requires_grad_()
        loss, _ = loss_of(name, leaf, changed, known, LossSettings(activation=activation))
        loss.backward()
        assert leaf.grad is not None
        assert float(leaf.grad[1].abs().max()) == 0.0
        assert float(leaf.grad[0].abs().max()) > 0.0
        results.append(float(loss.detach()))
    assert results[0] == results[1]
    alone, _ = loss_of(name, logits[:1], target[:1], ALL[:1], LossSettings(activation=activation))
    assert results[0] == pytest.approx(float(alone), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_nothing_known_gives_a_finite_loss_without_gradient(name: str) -> None:
    logits, target = batch("sigmoid")
    leaf = logits.clone().requires_grad_()
    loss, _ = loss_of(name, leaf, target, torch.zeros_like(ALL))
    loss.backward()
    assert leaf.grad is not None
    assert bool(torch.isfinite(loss))
    assert float(leaf.grad.abs().max()) == 0.0


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "brats2020"])
def test_planes_are_taken_like_volumes(name: str) -> None:
    logits, target = batch("softmax", (2, 3, 8, 9))
    settings = LossSettings(activation="softmax", smoothing=1e-12)
    loss, _ = loss_of(name, logits, target, ALL, settings)
    assert float(loss) == pytest.approx(by_numpy(name, logits.numpy(), target.numpy(), settings), rel=2e-5)


def test_absent_class_costs_about_one_in_the_jaccard_distance_unless_skipped() -> None:
    logits = torch.full((1, 2, 4, 4, 4), -9.0)
    logits[:, 0] = 9.0
    target = torch.zeros_like(logits)
    target[:, 0] = 1.0
    known = torch.ones((1, 2), dtype=torch.bool)
    paid, _ = loss_of("jaccard", logits, target, known, LossSettings(activation="softmax"))
    spared, _ = loss_of("jaccard", logits, target, known, LossSettings(activation="softmax", skip_absent=True))
    assert float(paid) == pytest.approx(1.0, abs=1e-3)
    assert float(spared) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_falls_when_followed(name: str) -> None:
    activation = "softmax" if name == "jaccard" else "sigmoid"
    logits, target = batch(activation)
    leaf = (0.1 * logits).requires_grad_()
    optimizer = torch.optim.Adam([leaf], lr=0.2)
    values = []
    for _ in range(30):
        loss, _ = loss_of(name, leaf, target, ALL, LossSettings(activation=activation))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.5 * values[0]
