"""The 3D networks of the prostate paper: a small U-Net and the fully convolutional DenseNet ("Tiramisu").

Not here: DeepLabv3+ (``deeplab``). Ring 1 (verbs).

Source: Eschen 2018, design page "prostate", 4.1 and 4.2; Jegou et al., arXiv 1611.09326. Keras constants of batch norm.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from MedSegAILib.core.errors import UsageError

from .dimensions import conv, max_pool, transposed_conv

EPS, MOMENTUM = 1e-3, 0.01  # Keras's momentum of 0.99, counted the other way round by torch
DROPOUT = 0.2
UNET_STRIDE = 8
LAYERS = {
    "p4a": (9, 10, 12, 15, 17, 20, 17, 15, 12),
    "p3a": (7, 8, 9, 12, 15, 16, 17),
    "p3b": (12, 12, 12, 12, 12, 12, 12),
}


def _batch_norm(channels: int, *, affine: bool = True) -> nn.Module:
    return nn.BatchNorm3d(channels, eps=EPS, momentum=MOMENTUM, affine=affine)


def _block(in_channels: int, out_channels: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        _batch_norm(in_channels),
        conv(3, in_channels, out_channels, 3, bias=False),
        nn.ReLU(),
        nn.Dropout(dropout),
        conv(3, out_channels, out_channels, 3, bias=False),
        nn.ReLU(),
    )


class Unet3d(nn.Module):
    """3D U-Net of four levels with one batch norm at the head of each block.

    Args:
        width: channels of the first level; then 2, 4 and 8 times as many. The paper's is 16.
        in_channels: images.
        out_channels: regions.
        dropout: share of values inside the blocks.
    """

    def __init__(self, width: int = 16, in_channels: int = 1, out_channels: int = 1, dropout: float = DROPOUT) -> None:
        super().__init__()
        f1, f2, f3, f4 = (width * factor for factor in (1, 2, 4, 8))
        self.encoder1 = _block(in_channels, f1, dropout)
        self.encoder2 = _block(f1, f2, dropout)
        self.encoder3 = _block(f2, f3, dropout)
        self.bottom = _block(f3, f4, dropout)
        self.up3, self.decoder3 = transposed_conv(3, f4, f3, 3, bias=False), _block(2 * f3, f3, dropout)
        self.up2, self.decoder2 = transposed_conv(3, f3, f2, 3, bias=False), _block(2 * f2, f2, dropout)
        self.up1, self.decoder1 = transposed_conv(3, f2, f1, 3, bias=False), _block(2 * f1, f1, dropout)
        self.downsample = max_pool(3)
        self.out = conv(3, f1, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every region, ``[b, out, z, y, x]``; every axis of the input a multiple of 8."""
        s1 = self.encoder1(x)  # [b, w, z, y, x]
        s2 = self.encoder2(self.downsample(s1))  # [b, 2w, z/2, ...]
        s3 = self.encoder3(self.downsample(s2))  # [b, 4w, z/4, ...]
        y = self.bottom(self.downsample(s3))  # [b, 8w, z/8, ...]
        y = self.decoder3(torch.cat([self.up3(y), s3], dim=1))  # [b, 4w, z/4, ...]
        y = self.decoder2(torch.cat([self.up2(y), s2], dim=1))  # [b, 2w, z/2, ...]
        y = self.decoder1(torch.cat([self.up1(y), s1], dim=1))  # [b, w, z, y, x]
        logits: Tensor = self.out(y)
        return logits


class _DenseBlock(nn.Module):
    """Layers that each see the block's input and all earlier layers; gives the new maps alone."""

    def __init__(self, in_channels: int, layer_count: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                _batch_norm(in_channels + place * growth, affine=False),
                nn.ReLU(),
                conv(3, in_channels + place * growth, growth, 3, bias=False),
                nn.Dropout(dropout),
            )
            for place in range(layer_count)
        )

    def forward(self, x: Tensor) -> Tensor:
        new: list[Tensor] = []
        for layer in self.layers:
            new.append(layer(torch.cat([x, *new], dim=1)))
        return torch.cat(new, dim=1)


def _transition_down(channels: int) -> nn.Sequential:
    return nn.Sequential(
        _batch_norm(channels, affine=False), nn.ReLU(), conv(3, channels, channels, 1, bias=False), max_pool(3)
    )


class Tiramisu(nn.Module):
    """3D fully convolutional DenseNet; its batch norms have neither scale nor shift, as the printed counts want.

    Args:
        layers: "p4a", "p3a", "p3b", or the layers of each dense block from the first to the last (an odd number).
        growth: maps that a layer adds; the paper's is 16.
        width: maps of the first convolution. None: three times the growth (48).
        in_channels: images.
        out_channels: regions.
        dropout: share of values at the end of each layer; the paper names no share.

    Raises:
        UsageError: "network.layers" for another name or an even number of blocks.
    """

    def __init__(
        self,
        layers: str | Sequence[int] = "p3a",
        growth: int = 16,
        width: int | None = None,
        in_channels: int = 1,
        out_channels: int = 1,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        counts = _layer_counts(layers)
        self.pools = len(counts) // 2
        channels = width or 3 * growth
        self.first = conv(3, in_channels, channels, 3, bias=False)
        self.down_blocks, self.downs = nn.ModuleList(), nn.ModuleList()
        self.ups, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        skips = []
        for count in counts[: self.pools]:
            self.down_blocks.append(_DenseBlock(channels, count, growth, dropout))
            channels += count * growth
            skips.append(channels)
            self.downs.append(_transition_down(channels))
        self.bottom = _DenseBlock(channels, counts[self.pools], growth, dropout)
        new = counts[self.pools] * growth
        for count, skip in zip(counts[self.pools + 1 :], reversed(skips), strict=True):
            self.ups.append(transposed_conv(3, new, new, 3, bias=True))
            channels = new + skip
            self.up_blocks.append(_DenseBlock(channels, count, growth, dropout))
            new = count * growth
        self.out = conv(3, channels + new, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every region, ``[b, out, z, y, x]``; every axis a multiple of 2 to the number of pools."""
        x = self.first(x)  # [b, 48, z, y, x]
        skips: list[Tensor] = []
        for block, down in zip(self.down_blocks, self.downs, strict=True):
            skips.append(torch.cat([x, block(x)], dim=1))
            x = down(skips[-1])  # all channels, half the size
        new, whole = self.bottom(x), x
        for place, (up, block) in enumerate(zip(self.ups, self.up_blocks, strict=True)):
            whole = torch.cat([up(new), skips[self.pools - 1 - place]], dim=1)
            new = block(whole)
        logits: Tensor = self.out(torch.cat([whole, new], dim=1))
        return logits


def _layer_counts(layers: str | Sequence[int]) -> tuple[int, ...]:
    counts = LAYERS.get(layers, ()) if isinstance(layers, str) else tuple(layers)
    if len(counts) % 2 == 0 or len(counts) < 3:
        raise UsageError(
            "network.layers",
            f"A Tiramisu cannot have the layers {layers!r}.",
            f"Choose one of {', '.join(LAYERS)}, or an odd list of at least three numbers.",
        )
    return counts
