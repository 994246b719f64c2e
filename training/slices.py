"""2D networks in the same loop: crops of one or several slices become images, the middle slice is what they predict.

Channels as in the manifest's windows of slices: slice s of input c is channel ``c * slices + s``. Beside the library.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 32  # sides of slices are brought to multiples of it, as the deepest of the networks wants them


def to_images(crops: Tensor, slices: int) -> Tensor:
    """Give ``[b, c * slices, y, x]`` of crops ``[b, c, slices, y, x]``."""
    if crops.shape[2] != slices:
        raise ValueError(f"crops of {crops.shape[2]} slices for a network of {slices}")
    return crops.flatten(1, 2)


def to_middle(targets: Tensor, slices: int) -> Tensor:
    """Give ``[b, k, y, x]``, the middle slice of ``[b, k, slices, y, x]``."""
    return targets[:, :, slices // 2]


def every_slice(network: nn.Module, study: Tensor, slices: int) -> Tensor:
    """Run a 2D network on each slice of ``[1, c, z, y, x]``; what lies at the edges is repeated beyond them.

    Returns:
        Logits ``[1, k, z, y, x]``.
    """
    half, (count, height, width) = slices // 2, study.shape[2:]
    beyond = (0, -width % SIDE, 0, -height % SIDE, half, half)
    padded = functional.pad(study, beyond, mode="replicate") if any(beyond) else study
    logits = [network(to_images(padded[:, :, z : z + slices], slices)) for z in range(count)]
    return torch.stack(logits, dim=2)[..., :height, :width]
