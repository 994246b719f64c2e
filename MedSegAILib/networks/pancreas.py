"""The 3D networks of the pancreas cascade: U-Net (plain, with channel or spatial gates) and FPN.

Not here: the 2D U-Nets (``pancreas_2d``) and those on a classifier's encoder (``pancreas_encoders``). Ring 1 (verbs).

Source: Bespalov et al. 2019, design page "pancreas_cascade", 4.1 to 4.4; the U-Net follows Isensee et al.,
arXiv 1802.10508. Convolutions have no bias but where said; instance norm has neither scale nor shift.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .dimensions import LEAK, channel_dropout, conv, instance_norm, upsample_nearest
from .gates import make_gate

NETWORK_STRIDE = 16  # four halvings: every axis of the input must be a multiple of it
FPN_CHANNELS, FPN_HEAD_CHANNELS = 64, 32
FPN_DROPOUT = 0.2


def _conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    return conv(3, in_channels, out_channels, kernel, stride=stride, bias=False)


def _norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(instance_norm(3, channels, affine=False), nn.LeakyReLU(LEAK))


class _Residual(nn.Module):
    """Two convolutions, norm and activation before each, around a sum; the published code shares their weights."""

    def __init__(self, channels: int, dropout: float, *, shared: bool) -> None:
        super().__init__()
        self.before = _norm_relu(channels)
        self.first = _conv(channels, channels)
        self.dropout = channel_dropout(3, dropout)
        self.second = None if shared else _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        y = self.dropout(self.first(self.before(x)))
        second = self.first if self.second is None else self.second
        total: Tensor = second(self.before(y)) + x
        return total


class _FirstLevel(nn.Module):
    """Level 1: like a residual pair, but with activations alone; gives the skip and the way down."""

    def __init__(self, in_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.enter = _conv(in_channels, width)
        self.first = _conv(width, width)
        self.second = _conv(width, width)
        self.dropout = channel_dropout(3, dropout)
        self.relu = nn.LeakyReLU(LEAK)
        self.leave = _norm_relu(width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.enter(x)
        y = y + self.second(self.relu(self.dropout(self.first(self.relu(y)))))
        return self.relu(y), self.leave(y)


class Encoder3d(nn.Module):
    """Levels 1 to 5 of the 3D U-Net; the FPN has the same."""

    def __init__(self, in_channels: int, width: int, dropout: float, *, shared: bool) -> None:
        super().__init__()
        self.level1 = _FirstLevel(in_channels, width, dropout)
        self.level2, self.level3, self.level4, self.level5 = (
            nn.Sequential(
                _conv(channels // 2, channels, stride=2),
                _Residual(channels, dropout, shared=shared),
                _norm_relu(channels),
            )
            for channels in (2 * width, 4 * width, 8 * width, 16 * width)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Give the maps of the five levels, from ``[b, w, z, y, x]`` to ``[b, 16 w, z/16, y/16, x/16]``."""
        c1, y = self.level1(x)
        c2 = self.level2(y)
        c3 = self.level3(c2)
        c4 = self.level4(c3)
        return c1, c2, c3, c4, self.level5(c4)


def _rise(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(upsample_nearest(), _conv(in_channels, out_channels), *_norm_relu(out_channels))


def _squeeze(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(_conv(in_channels, out_channels, 1), *_norm_relu(out_channels))


def _merge(channels: int) -> nn.Sequential:
    return nn.Sequential(_conv(2 * channels, 2 * channels), *_norm_relu(2 * channels))


class Unet3d(nn.Module):
    """3D U-Net of the cascade; the paper's best with ``width`` 8 and no gate.

    Args:
        width: channels of level 1; each level has twice as many.
        in_channels: images; one CT.
        out_channels: regions.
        gate: one of ``gates.GATES``.
        shared_residual: one convolution for both halves of a residual pair, as in the published code.
        dropout: share of channels; the published 0.6 is much for 8 channels.

    Raises:
        UsageError: "network.gate".
    """

    def __init__(
        self,
        width: int = 8,
        in_channels: int = 1,
        out_channels: int = 1,
        gate: str = "none",
        shared_residual: bool = False,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        f1, f2, f3, f4 = (width * factor for factor in (1, 2, 4, 8))
        self.encoder = Encoder3d(in_channels, width, dropout, shared=shared_residual)
        self.rise5, self.squeeze5 = _rise(2 * f4, f4), _squeeze(f4, f4)
        self.gate4, self.merge4, self.squeeze4, self.rise4 = make_gate(gate, 3, f4), *_level(f4)
        self.gate3, self.merge3, self.squeeze3, self.rise3 = make_gate(gate, 3, f3), *_level(f3)
        self.gate2, self.merge2, self.squeeze2, self.rise2 = make_gate(gate, 3, f2), *_level(f2)
        self.gate1, self.merge1 = make_gate(gate, 3, f1), _merge(f1)
        self.out3, self.out2, self.out1 = (_conv(2 * channels, out_channels, 1) for channels in (f3, f2, f1))
        self.upsample = upsample_nearest()

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every region, ``[b, out, z, y, x]``; every axis of the input a multiple of 16."""
        c1, c2, c3, c4, c5 = self.encoder(x)
        y = self.squeeze5(self.rise5(c5))  # [b, 8w, z/8, ...]
        y = self.merge4(_cat(y, self.gate4(y, c4)))  # [b, 16w, z/8, ...]
        y = self.rise4(self.squeeze4(y))  # [b, 4w, z/4, ...]
        s3 = self.merge3(_cat(y, self.gate3(y, c3)))  # [b, 8w, z/4, ...]
        y = self.rise3(self.squeeze3(s3))  # [b, 2w, z/2, ...]
        s2 = self.merge2(_cat(y, self.gate2(y, c2)))  # [b, 4w, z/2, ...]
        y = self.rise2(self.squeeze2(s2))  # [b, w, z, y, x]
        y = self.out1(self.merge1(_cat(y, self.gate1(y, c1))))
        logits: Tensor = y + self.upsample(self.out2(s2) + self.upsample(self.out3(s3)))
        return logits


def _level(channels: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    return _merge(channels), _squeeze(2 * channels, channels), _rise(channels, channels // 2)


def _cat(decoder: Tensor, skip: Tensor) -> Tensor:
    return torch.cat([decoder, skip], dim=1)


class Fpn3d(nn.Module):
    """Feature pyramid on the encoder of the 3D U-Net, as described: levels 1 to 5, a head of its own for each.

    Args:
        width: channels of level 1.
        in_channels: images.
        out_channels: regions.
        shared_residual: see ``Unet3d``.
        dropout: of the encoder.
        pyramid: channels of the pyramid; heads have half. None: eight times the width (64 in the paper).
    """

    def __init__(
        self,
        width: int = 8,
        in_channels: int = 1,
        out_channels: int = 1,
        shared_residual: bool = False,
        dropout: float = 0.3,
        pyramid: int | None = None,
    ) -> None:
        super().__init__()
        channels = pyramid or FPN_CHANNELS * width // 8
        self.encoder = Encoder3d(in_channels, width, dropout, shared=shared_residual)
        self.lateral = nn.ModuleList(conv(3, width * factor, channels, 1) for factor in (1, 2, 4, 8, 16))
        self.heads = nn.ModuleList(_pyramid_head(channels, level) for level in range(5))
        self.upsample = upsample_nearest()
        self.dropout = channel_dropout(3, FPN_DROPOUT)
        self.out = conv(3, channels // 2, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every region, ``[b, out, z, y, x]``; every axis of the input a multiple of 16."""
        maps = self.encoder(x)
        p5 = self.lateral[4](maps[4])  # [b, 64, z/16, ...]
        p4 = self.lateral[3](maps[3]) + self.upsample(p5)
        p3 = self.lateral[2](maps[2]) + self.upsample(p4)
        p2 = self.lateral[1](maps[1]) + self.upsample(p3)
        p1 = self.lateral[0](maps[0]) + self.upsample(p2)  # [b, 64, z, y, x]
        total = self.heads[0](p1) + self.heads[1](p2) + self.heads[2](p3) + self.heads[3](p4) + self.heads[4](p5)
        logits: Tensor = self.out(self.dropout(total))
        return logits


def _pyramid_head(channels: int, doublings: int) -> nn.Sequential:
    half = channels // 2
    layers: list[nn.Module] = [_conv(channels, half), *_norm_relu(half)]
    for step in range(doublings):
        if step:
            layers += [_conv(half, half), *_norm_relu(half)]
        layers.append(upsample_nearest())
    return nn.Sequential(*layers)
