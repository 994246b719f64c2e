"""Weights of a narrow network for one that is a whole number of times as wide: the same function, with room to learn.

Every channel is copied, and what read it reads its copies in unequal shares that add up to what it read before; equal
shares would receive equal gradients and stay copies for good. Beside the library.

Source of the idea: Chen, Goodfellow, Shlens, Net2Net (arXiv 1511.05641), there with random channels and added noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

UNEVENNESS = 0.3  # of the shares, in standard deviations of the layer's weights


def wider_weights(narrow: Mapping[str, Tensor], wide: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the weights of a network in the shapes of a wider one of the same family.

    The copies of a channel stand side by side, so channels that are joined (skip connections) keep their order, as do
    the groups of a norm when their number stays or grows with the channels; otherwise the function is only a near one.
    Networks with attention are not meant: its gates mix all channels.

    Args:
        narrow: by name, in the order of the layers: weights ``[out, in, z, y, x]`` and vectors ``[out]``.
        wide: tensors of the shapes wanted.

    Returns:
        By name, what changes its shape; drawn from torch's generator. Empty where the first layer says that the other
        network is no whole number of times as wide, or sees other inputs.
    """
    first = next(iter(narrow))
    factor, rest = divmod(wide[first].shape[0], narrow[first].shape[0])
    if factor < 2 or rest or wide[first].shape[1:] != narrow[first].shape[1:]:
        return {}
    fit = {1, factor}
    return {
        name: _wider(tensor, wide[name].shape)
        for name, tensor in narrow.items()
        if tensor.shape != wide[name].shape and fit >= _factors(tensor.shape, wide[name].shape)
    }


def _factors(old: torch.Size, new: torch.Size) -> set[float]:
    """Give by how much each axis grew; NaN, which fits nothing, for another number of axes."""
    return {b / a for a, b in zip(old, new, strict=True)} if len(old) == len(new) else {math.nan}


def _wider(tensor: Tensor, shape: torch.Size) -> Tensor:
    copied = tensor.repeat_interleave(shape[0] // tensor.shape[0], dim=0)
    if copied.shape == shape:
        return copied
    copies = shape[1] // tensor.shape[1]
    shares = UNEVENNESS * tensor.std() * torch.randn(*copied.shape[:2], copies, *copied.shape[2:])
    shares += copied[:, :, None] / copies - shares.mean(dim=2, keepdim=True)  # [out, in, copies, z, y, x]
    return shares.flatten(1, 2)
