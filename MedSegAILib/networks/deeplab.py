"""DeepLabv3+ with the modified Xception-65 backbone, on neighboring slices as channels (prostate). Ring 1 (verbs).

Source: Chen et al., arXiv 1802.02611; design page "prostate", 4.3, which follows the Keras port that the paper names.
No bias but in the last convolution; batch norm with the port's constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSegAILib.core.errors import UsageError

EPS, CONTEXT_EPS, MOMENTUM = 1e-3, 1e-5, 0.01
DROPOUT = 0.1
MIDDLE_BLOCKS = 16
WIDTH = 32  # of the stem; the channel numbers below are for it


@dataclass(frozen=True)
class _Rates:
    """Stride of entry 3 and rates of dilation for one output stride."""

    entry3_stride: int
    middle: int
    exit2: int
    context: tuple[int, int, int]


RATES = {8: _Rates(1, 2, 4, (12, 24, 36)), 16: _Rates(2, 1, 2, (6, 12, 18))}


def _conv_norm(in_channels: int, out_channels: int, kernel: int = 1, *, stride: int = 1, eps: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels, eps=eps, momentum=MOMENTUM),
    )


def _conv_norm_relu(in_channels: int, out_channels: int, kernel: int = 1, *, eps: float) -> nn.Sequential:
    return nn.Sequential(*_conv_norm(in_channels, out_channels, kernel, eps=eps), nn.ReLU())


def _depthwise(channels: int, stride: int, rate: int, eps: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, stride, rate, rate, groups=channels, bias=False),
        nn.BatchNorm2d(channels, eps=eps, momentum=MOMENTUM),
    )


def _separable(in_channels: int, out_channels: int, *, stride: int = 1, rate: int = 1) -> nn.Sequential:
    """Build a separable convolution of the backbone: ReLU first."""
    return nn.Sequential(
        nn.ReLU(), _depthwise(in_channels, stride, rate, EPS), _conv_norm(in_channels, out_channels, eps=EPS)
    )


def _separable_after(in_channels: int, out_channels: int, *, rate: int = 1, eps: float = CONTEXT_EPS) -> nn.Sequential:
    """Build a separable convolution with a ReLU after each norm (marked * on the page)."""
    return nn.Sequential(
        _depthwise(in_channels, 1, rate, eps), nn.ReLU(), _conv_norm(in_channels, out_channels, eps=eps), nn.ReLU()
    )


class _Block(nn.Module):
    """Three separable convolutions around a sum with the input, projected where channels or stride change."""

    def __init__(self, channels: Sequence[int], *, stride: int = 1, rate: int = 1) -> None:
        super().__init__()
        first, second, third, fourth = channels
        self.conv1 = _separable(first, second, rate=rate)
        self.conv2 = _separable(second, third, rate=rate)
        self.conv3 = _separable(third, fourth, stride=stride, rate=rate)
        is_plain = first == fourth and stride == 1
        self.shortcut = nn.Identity() if is_plain else _conv_norm(first, fourth, stride=stride, eps=EPS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the sum, and the map after the second convolution (the low-level skip of entry 2)."""
        middle = self.conv2(self.conv1(x))
        return self.conv3(middle) + self.shortcut(x), middle


class DeepLab(nn.Module):
    """DeepLabv3+ in 2D; of 13 slices it predicts the middle one.

    Args:
        width: channels of the stem; all others keep their proportion to it. The paper's is 32.
        in_channels: neighboring slices.
        out_channels: regions.
        output_stride: 8 as in the paper, or 16, which needs less memory.
        middle_blocks: of the backbone; 16 in Xception-65.
        dropout: after fusing.

    Raises:
        UsageError: "network.stride" for another output stride.
    """

    def __init__(
        self,
        width: int = WIDTH,
        in_channels: int = 13,
        out_channels: int = 1,
        output_stride: int = 8,
        middle_blocks: int = MIDDLE_BLOCKS,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        if output_stride not in RATES:
            raise UsageError("network.stride", f"DeepLab has no output stride {output_stride}.", "Choose 8 or 16.")
        rates = RATES[output_stride]
        exit1_rate = rates.middle

        def scaled(*channels: int) -> list[int]:
            return [max(1, count * width // WIDTH) for count in channels]

        c32, c48, c64, c128, c256, c728, c1024, c1536, c2048 = scaled(32, 48, 64, 128, 256, 728, 1024, 1536, 2048)
        self.stem = nn.Sequential(
            *_conv_norm(in_channels, c32, 3, stride=2, eps=EPS), nn.ReLU(), *_conv_norm_relu(c32, c64, 3, eps=EPS)
        )
        self.entry1 = _Block((c64, c128, c128, c128), stride=2)
        self.entry2 = _Block((c128, c256, c256, c256), stride=2)
        self.entry3 = _Block((c256, c728, c728, c728), stride=rates.entry3_stride)
        self.middle = nn.ModuleList(_Block((c728,) * 4, rate=rates.middle) for _ in range(middle_blocks))
        self.exit1 = _Block((c728, c728, c1024, c1024), rate=exit1_rate)
        self.exit2 = nn.Sequential(
            *(
                _separable_after(before, after, rate=rates.exit2, eps=EPS)
                for before, after in ((c1024, c1536), (c1536, c1536), (c1536, c2048))
            )
        )
        self.whole = _conv_norm_relu(c2048, c256, eps=CONTEXT_EPS)
        self.context = nn.ModuleList(
            [_conv_norm_relu(c2048, c256, eps=CONTEXT_EPS)]
            + [_separable_after(c2048, c256, rate=rate) for rate in rates.context]
        )
        self.fuse = nn.Sequential(_conv_norm_relu(5 * c256, c256, eps=CONTEXT_EPS), nn.Dropout(dropout))
        self.skip = _conv_norm_relu(c256, c48, eps=CONTEXT_EPS)
        self.decoder = nn.Sequential(_separable_after(c256 + c48, c256), _separable_after(c256, c256))
        self.out = nn.Conv2d(c256, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every region, ``[b, out, y, x]``; both axes multiples of 4 (of 8 for whole strides)."""
        size = x.shape[2:]
        y, _ = self.entry1(self.stem(x))  # [b, 128, y/4, x/4]
        y, low = self.entry2(y)  # [b, 256, y/8, x/8], and [b, 256, y/4, x/4]
        y, _ = self.entry3(y)  # [b, 728, y/8, x/8]
        for block in self.middle:
            y, _ = block(y)
        y, _ = self.exit1(y)
        y = self.exit2(y)  # [b, 2048, y/8, x/8]
        mean = self.whole(y.mean(dim=(2, 3), keepdim=True)).expand(-1, -1, *y.shape[2:])
        y = self.fuse(torch.cat([mean, *(branch(y) for branch in self.context)], dim=1))  # [b, 256, y/8, x/8]
        y = _resize(y, low.shape[2:])
        y = self.decoder(torch.cat([y, self.skip(low)], dim=1))  # [b, 256, y/4, x/4]
        return _resize(self.out(y), size)


def _resize(x: Tensor, size: Sequence[int]) -> Tensor:
    return functional.interpolate(x, size=list(size), mode="bilinear", align_corners=True)
