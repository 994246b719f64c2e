"""Soft Dice and cross-entropy: the page's check numbers, a second computation by hand, and blindness to the unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from training.losses import cross_entropy, region_loss, soft_dice_losses


def by_hand(logits: np.ndarray, target: np.ndarray) -> list[float]:
    """The formula of pipeline A in float64, one region after the other."""
    losses = []
    for region in range(logits.shape[1]):
        share = 1.0 / (1.0 + np.exp(-logits[:, region].astype(np.float64)))
        truth = target[:, region].astype(np.float64)
        top = 2.0 * (share * truth).sum() + 1.0
        losses.append(1.0 - top / ((share**2).sum() + (truth**2).sum() + 1.0))
    return losses


def random_batch(seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2.0 * torch.randn((2, 3, 5, 6, 7), generator=generator)
    return logits, (torch.rand((2, 3, 5, 6, 7), generator=generator) > 0.7).float()


ALL = torch.ones((2, 3), dtype=torch.bool)


def test_soft_dice_equals_the_formula_computed_by_hand() -> None:
    logits, target = random_batch()
    assert soft_dice_losses(logits, target, ALL).tolist() == pytest.approx(
        by_hand(logits.numpy(), target.numpy()), abs=1e-6
    )


def test_cross_entropy_equals_the_mean_over_all_voxels_when_all_is_known() -> None:
    logits, target = random_batch()
    share = 1.0 / (1.0 + np.exp(-logits.numpy().astype(np.float64)))
    truth = target.numpy()
    wanted = -(truth * np.log(share) + (1 - truth) * np.log(1 - share)).mean()
    assert float(cross_entropy(logits, target, ALL)) == pytest.approx(wanted, abs=1e-6)


def test_what_is_unknown_changes_neither_loss_nor_gradient() -> None:
    logits, target = random_batch()
    known = torch.tensor([[True, True, True], [False, False, True]])
    results = []
    for content in (0.0, 1.0):
        changed = target.clone()
        changed[1, :2] = content  # what stands in the target of an unknown region
        leaf = logits.clone().requires_grad_()
        loss, _ = region_loss(leaf, changed, known)
        loss.backward()
        assert leaf.grad is not None
        assert float(leaf.grad[1, :2].abs().max()) == 0.0
        assert float(leaf.grad[1, 2].abs().max()) > 0.0
        results.append((float(loss.detach()), leaf.grad))
    assert results[0][0] == results[1][0]
    assert torch.equal(results[0][1], results[1][1])


def test_a_partly_known_batch_equals_the_known_samples_alone() -> None:
    logits, target = random_batch()
    known = torch.tensor([[True, True, True], [False, False, False]])
    loss, _ = region_loss(logits, target, known)
    alone, _ = region_loss(logits[:1], target[:1], ALL[:1])
    assert float(loss) == pytest.approx(float(alone), abs=1e-6)


def test_a_batch_without_any_known_region_gives_zero_and_no_gradient() -> None:
    logits, target = random_batch()
    leaf = logits.clone().requires_grad_()
    loss, _ = region_loss(leaf, target, torch.zeros((2, 3), dtype=torch.bool))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert leaf.grad is not None
    assert float(leaf.grad.abs().max()) == 0.0


@pytest.mark.shared
def test_check_numbers_of_the_published_loss(shared_dir: Path) -> None:
    # design/systems/brats2020.md, section 3: balls around (14, 17, 19); heads upsampled with aligned corners.
    z, y, x = np.meshgrid(*(np.arange(32),) * 3, indexing="ij")
    squared = (z - 14) ** 2 + (y - 17) ** 2 + (x - 19) ** 2
    target = torch.from_numpy(np.stack([squared <= limit for limit in (16, 49, 121)])[None].astype(np.float32))
    assert target.sum(dim=(0, 2, 3, 4)).tolist() == [257, 1419, 5575]
    known = torch.ones((1, 3), dtype=torch.bool)
    with np.load(shared_dir / "reference" / "brats2020_forward_width8.npz") as fixture:
        main = torch.from_numpy(fixture["equi_w8_group__main"])
        heads = [
            torch.from_numpy(fixture[f"equi_w8_group__deep_{name}_native"])
            for name in ("bottom", "bottom_2", "decoder3", "decoder2")
        ]
    losses = soft_dice_losses(main, target, known)
    assert losses.tolist() == pytest.approx([0.967635, 0.866153, 0.579255], abs=2e-6)
    assert float(losses.mean()) == pytest.approx(0.804348, abs=2e-6)
    deep = []
    for head in heads:
        whole = functional.interpolate(head, size=(32, 32, 32), mode="trilinear", align_corners=True)
        deep.append(float(soft_dice_losses(whole, target, known).mean()))
    assert deep == pytest.approx([0.808960, 0.806633, 0.803520, 0.807616], abs=2e-6)
