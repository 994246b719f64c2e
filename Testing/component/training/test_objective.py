"""Labels that exclude each other get their background; masks and losses agree about what a voxel is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from training.objective import masks_of, objective
from training.recipes import BRAIN_TUMOR_SMALL

CLASSES = replace(BRAIN_TUMOR_SMALL, channels=("a", "b"), activation="softmax", loss="cross_entropy")


def drawn() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    labels = torch.randint(0, 3, (2, 4, 5, 6), generator=generator)
    logits = torch.randn((2, 3, 4, 5, 6), generator=generator)
    target = torch.stack([labels == 1, labels == 2], dim=1).float()
    return logits, target


def test_cross_entropy_of_classes_is_torchs_with_the_background_as_class_0() -> None:
    logits, target = drawn()
    loss, by_channel = objective(CLASSES)(logits, target, torch.ones((2, 2), dtype=torch.bool))
    labels = (target * torch.tensor([1, 2]).reshape(1, 2, 1, 1, 1)).sum(dim=1).long()
    assert float(loss) == pytest.approx(float(functional.cross_entropy(logits, labels)), rel=1e-5)
    assert by_channel.shape == (2,)


def test_a_sample_with_an_unknown_label_enters_no_sum() -> None:
    logits, target = drawn()
    known = torch.tensor([[True, True], [True, False]])
    both, _ = objective(CLASSES)(logits, target, known)
    alone, _ = objective(CLASSES)(logits[:1], target[:1], known[:1])
    assert float(both) == pytest.approx(float(alone), rel=1e-5)


def test_masks_are_regions_above_one_half_or_the_largest_class() -> None:
    logits, target = drawn()
    sure = torch.cat([1.0 - target.sum(dim=1, keepdim=True), target], dim=1) * 9.0
    assert torch.equal(masks_of(sure, "softmax"), target.bool())
    assert torch.equal(masks_of(logits, "sigmoid"), torch.sigmoid(logits) > 0.5)


def test_settings_of_a_loss_come_from_the_recipe() -> None:
    logits, target = drawn()
    known = torch.ones((2, 2), dtype=torch.bool)
    plain, _ = objective(CLASSES)(logits, target, known)
    heavy, _ = objective(replace(CLASSES, loss_settings={"weights": (1.0, 3.0, 1.0)}))(logits, target, known)
    assert float(heavy) > 1.2 * float(plain)
