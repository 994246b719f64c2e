"""Gates on the long skips of the pancreas networks: by channel (squeeze and excitation) or by place. Ring 1 (verbs).

Source: design page "pancreas_cascade", 4.2 and 4.3; Hu et al., arXiv 1709.01507; Oktay et al., arXiv 1804.03999.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from MedSegAILib.core.errors import UsageError

from .dimensions import LEAK, batch_norm, conv

REDUCTION = 8
GATES = ("none", "se", "se_published", "spatial", "spatial_published")


class SqueezeExcitation(nn.Module):
    """Give a weight in (0, 1) for each channel from the channels' means."""

    def __init__(self, axes: int, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // REDUCTION)
        self.axes = tuple(range(2, 2 + axes))
        # Convolutions of 1 on one voxel are the two linear layers; shapes then need no reading at run time.
        self.squeeze = conv(axes, channels, hidden, 1)
        self.excite = conv(axes, hidden, channels, 1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[b, c, (z,) y, x]`` to ``[b, c, (1,) 1, 1]``."""
        mean = x.mean(dim=self.axes, keepdim=True)
        return torch.sigmoid(self.excite(self.relu(self.squeeze(mean))))


class ChannelGate(nn.Module):
    """Weigh channels by the leaky ReLU of the sum of both maps' squeeze and excitation; one set of weights for both."""

    def __init__(self, axes: int, channels: int, *, published: bool) -> None:
        super().__init__()
        self.published = published
        self.excitation = SqueezeExcitation(axes, channels)
        self.relu = nn.LeakyReLU(LEAK)

    def forward(self, decoder: Tensor, skip: Tensor) -> Tensor:
        """Give what enters the concatenation in the place of the skip, same shape."""
        weights: Tensor = self.relu(self.excitation(skip) + self.excitation(decoder))
        return weights * (decoder if self.published else skip)


class SpatialGate(nn.Module):
    """Weigh voxels by what one projection makes of both maps."""

    def __init__(self, axes: int, channels: int, *, published: bool) -> None:
        super().__init__()
        self.published = published
        self.project = nn.Sequential(conv(axes, channels, channels, 1, bias=False), batch_norm(axes, channels))
        self.weigh = nn.Sequential(conv(axes, channels, 1, 1), batch_norm(axes, 1), nn.Sigmoid())
        self.relu = nn.LeakyReLU(LEAK)

    def forward(self, decoder: Tensor, skip: Tensor) -> Tensor:
        """Give what enters the concatenation in the place of the skip, same shape."""
        weights: Tensor = self.weigh(self.relu(self.project(skip) + self.project(decoder)))  # [b, 1, (z,) y, x]
        return weights * (decoder if self.published else skip)


class OpenGate(nn.Module):
    """Let the skip through."""

    def forward(self, decoder: Tensor, skip: Tensor) -> Tensor:
        """Give the skip."""
        return skip


def make_gate(kind: str, axes: int, channels: int) -> nn.Module:
    """Build the gate of one decoder level.

    Args:
        kind: "none", "se" or "spatial" gate the skip (the cited works); "se_published" and "spatial_published" put
            the gated decoder map in the place of the skip, as the published code does.
        axes: 2 or 3.
        channels: of the decoder map and of the skip.

    Raises:
        UsageError: "network.gate" for another name.
    """
    if kind not in GATES:
        raise UsageError("network.gate", f"There is no gate {kind!r}.", f"Choose one of {', '.join(GATES)}.")
    if kind == "none":
        return OpenGate()
    gate = ChannelGate if kind.startswith("se") else SpatialGate
    return gate(axes, channels, published=kind.endswith("_published"))
