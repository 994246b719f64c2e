"""2D networks in the same loop: crops of one or several slices become images, the middle slice is what they predict.

Channels as in the manifest's windows of slices: slice s of input c is channel ``c * slices + s``. Beside the library.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def to_images(crops: Tensor, slices: int) -> Tensor:
    """Give ``[b, c * slices, y, x]`` of crops ``[b, c, slices, y, x]``."""
    if crops.shape[2] != slices:
        raise ValueError(f"crops of {crops.shape[2]} slices for a network of {slices}")
    return crops.flatten(1, 2)


def to_middle(targets: Tensor, slices: int) -> Tensor:
    """Give ``[b, k, y, x]``, the middle slice of ``[b, k, slices, y, x]``."""
    return targets[:, :, slices // 2]


def every_slice(network: nn.Module, study: Tensor, slices: int) -> Tensor:
    """Run a 2D network on each slice of ``[1, c, z, y, x]``; end slices are repeated beyond the ends.

    Returns:
        Logits ``[1, k, z, y, x]``.
    """
    half = slices // 2
    padded = functional.pad(study, (0, 0, 0, 0, half, half), mode="replicate") if half else study
    logits = [network(to_images(padded[:, :, z : z + slices], slices)) for z in range(study.shape[2])]
    return torch.stack(logits, dim=2)
