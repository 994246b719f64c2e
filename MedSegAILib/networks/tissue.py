"""The brain tissue networks: U-Net (2D and 3D), ResUNet and DenseUNet. Ring 1 (verbs).

Source: Archit and Adilina 2021/22, design page "brain_tissue", section 4. Convolutions of 3 with bias and ReLU; the
norm after each encoder convolution is the report's text, its notebooks have none ("none").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from MedSegAILib.core.errors import UsageError

from .dimensions import conv, make_norm, max_pool, transposed_conv, upsample_nearest

LEVELS = 5
NETWORK_STRIDE = 16
DROPOUT = 0.4  # the report's choice among 0.25, 0.3, 0.4, 0.5


def _conv_relu(axes: int, in_channels: int, out_channels: int, kind: str = "none") -> nn.Sequential:
    return nn.Sequential(conv(axes, in_channels, out_channels, 3), make_norm(axes, kind, out_channels), nn.ReLU())


class Unet(nn.Module):
    """U-Net of one convolution a level; skips are taken before the dropout.

    Args:
        width: channels of the first level; each level has twice as many. 32 in 2D; our 3D form has 16.
        in_channels: images.
        out_channels: classes, background included.
        axes: 2 or 3.
        norm: "batch", "instance" or "none", after each encoder convolution.
        dropout: share of values, in training.

    Raises:
        UsageError: "network.norm", "network.axes".
    """

    def __init__(
        self,
        width: int = 32,
        in_channels: int = 1,
        out_channels: int = 4,
        axes: int = 2,
        norm: str = "batch",
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        channels = [width * 2**level for level in range(LEVELS)]
        before = [in_channels, *channels]
        self.encoders = nn.ModuleList(_conv_relu(axes, before[level], channels[level], norm) for level in range(LEVELS))
        self.decoders = nn.ModuleList(
            _conv_relu(axes, 3 * channels[level], channels[level]) for level in range(LEVELS - 1)
        )
        self.downsample, self.upsample = max_pool(axes), upsample_nearest()
        self.dropout = nn.Dropout(dropout)
        self.out = conv(axes, width, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every class, ``[b, out, (z,) y, x]``; every axis of the input a multiple of 16."""
        skips: list[Tensor] = []
        for level in range(LEVELS - 1):
            skips.append(self.encoders[level](x))  # [b, w 2^level, y / 2^level, ...]
            x = self.downsample(self.dropout(skips[level]))
        x = self.dropout(self.encoders[LEVELS - 1](x))  # [b, 16 w, y / 16, ...]
        for level in reversed(range(LEVELS - 1)):
            x = self.dropout(self.decoders[level](torch.cat([self.upsample(x), skips[level]], dim=1)))
        logits: Tensor = self.out(x)  # from [b, w, y, x]
        return logits


class _Block(nn.Module):
    """What a level does: gives its output and its newest maps, which are the skip."""

    out_channels: int
    skip_channels: int

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


class _ResidualBlock(_Block):
    """Two convolutions; the paper's "residual" is a concatenation of input and result, the true one a sum."""

    def __init__(self, axes: int, in_channels: int, channels: int, kind: str, *, is_sum: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _conv_relu(axes, in_channels, channels, kind), _conv_relu(axes, channels, channels, kind)
        )
        self.project = conv(axes, in_channels, channels, 1) if is_sum else None
        self.out_channels = channels if is_sum else in_channels + channels
        self.skip_channels = channels

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.layers(x)
        if self.project is None:
            return torch.cat([x, y], dim=1), y
        total = y + self.project(x)
        return total, total


class _DenseBlock(_Block):
    """Two convolutions, the second of which sees the block's input too; gives [x, b] and b."""

    def __init__(self, axes: int, in_channels: int, channels: int, kind: str) -> None:
        super().__init__()
        self.first = _conv_relu(axes, in_channels, channels, kind)
        self.second = _conv_relu(axes, in_channels + channels, channels, kind)
        self.out_channels = in_channels + channels
        self.skip_channels = channels

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        b = self.second(torch.cat([x, self.first(x)], dim=1))
        return torch.cat([x, b], dim=1), b


class _BlockUnet(nn.Module):
    """U-Net of blocks that give their output and a skip; transposed convolutions on the way up."""

    def __init__(self, axes: int, width: int, channels: tuple[int, int], norm: str, dropout: float) -> None:
        super().__init__()
        in_channels, out_channels = channels
        widths = [width * 2**level for level in range(LEVELS)]
        self.encoders, self.ups, self.decoders = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before, skips = in_channels, []
        for level in range(LEVELS):
            block = self._block(axes, before, widths[level], norm)
            self.encoders.append(block)
            before = block.out_channels
            skips.append(block.out_channels if self._is_whole(level) else block.skip_channels)
        for level in reversed(range(LEVELS - 1)):
            self.ups.append(transposed_conv(axes, before, widths[level], 2, bias=True))
            block = self._block(axes, widths[level] + skips[level], widths[level], "none")
            self.decoders.append(block)
            before = block.out_channels
        self.downsample, self.dropout = max_pool(axes), nn.Dropout(dropout)
        self.out = conv(axes, before, out_channels, 1)

    def _block(self, axes: int, in_channels: int, channels: int, kind: str) -> _Block:
        raise NotImplementedError

    def _is_whole(self, level: int) -> bool:
        """Tell whether the whole output of a level is its skip, not the newest maps alone."""
        return False

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every class, ``[b, out, (z,) y, x]``; every axis of the input a multiple of 16."""
        skips: list[Tensor] = []
        for level in range(LEVELS - 1):
            whole, newest = self.encoders[level](x)
            skips.append(whole if self._is_whole(level) else newest)
            x = self.downsample(self.dropout(whole))
        x = self.dropout(self.encoders[LEVELS - 1](x)[0])
        for place, (up, decoder) in enumerate(zip(self.ups, self.decoders, strict=True)):
            x = self.dropout(decoder(torch.cat([up(x), skips[LEVELS - 2 - place]], dim=1))[0])
        logits: Tensor = self.out(x)
        return logits


class ResUnet(_BlockUnet):
    """U-Net of "residual" blocks.

    Args:
        width: channels of the first level's convolutions.
        in_channels: images.
        out_channels: classes, background included.
        residual: "concat" as in the report's code, or "sum" with a projection of 1.
        norm: see ``Unet``.
        dropout: see ``Unet``.

    Raises:
        UsageError: "network.residual" for another residual; "network.norm".
    """

    def __init__(
        self,
        width: int = 32,
        in_channels: int = 1,
        out_channels: int = 4,
        residual: str = "concat",
        norm: str = "batch",
        dropout: float = DROPOUT,
    ) -> None:
        if residual not in ("concat", "sum"):
            raise UsageError("network.residual", f"There is no residual {residual!r}.", 'Choose "concat" or "sum".')
        self.is_sum = residual == "sum"
        super().__init__(2, width, (in_channels, out_channels), norm, dropout)

    def _block(self, axes: int, in_channels: int, channels: int, kind: str) -> _Block:
        return _ResidualBlock(axes, in_channels, channels, kind, is_sum=self.is_sum)


class DenseUnet(_BlockUnet):
    """U-Net of dense blocks; the skip of level 4 is the whole concatenation, as in the report's code.

    Args:
        width: channels of the first level's convolutions.
        in_channels: images.
        out_channels: classes, background included.
        norm: see ``Unet``.
        dropout: see ``Unet``.

    Raises:
        UsageError: "network.norm".
    """

    def __init__(
        self,
        width: int = 32,
        in_channels: int = 1,
        out_channels: int = 4,
        norm: str = "batch",
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__(2, width, (in_channels, out_channels), norm, dropout)

    def _block(self, axes: int, in_channels: int, channels: int, kind: str) -> _Block:
        return _DenseBlock(axes, in_channels, channels, kind)

    def _is_whole(self, level: int) -> bool:
        return level == LEVELS - 2
