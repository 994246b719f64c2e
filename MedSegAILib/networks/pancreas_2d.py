"""The 2D U-Net of the pancreas cascade: plain, with channel gates, with deep supervision. Ring 1 (verbs).

Source: Bespalov et al. 2019, design page "pancreas_cascade", 4.5 and 4.6. The page names no heads for deep
supervision; ours are one convolution of 1 on each decoder level below full size, enlarged to it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .dimensions import batch_norm, conv, max_pool, upsample_linear
from .gates import make_gate

NETWORK_STRIDE = 16


def _double_conv(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        *(
            layer
            for first in (in_channels, out_channels)
            for layer in (conv(2, first, out_channels, 3), batch_norm(2, out_channels), nn.ReLU())
        )
    )


class Unet2d(nn.Module):
    """2D U-Net with batch norm and aligned bilinear enlargement.

    Args:
        width: channels of the first level; then 2, 4, 8 and 8 times as many. The paper's is 64.
        in_channels: images, or neighboring slices.
        out_channels: regions.
        gate: one of ``gates.GATES``; the paper tried channel gates.
        deep_heads: add the heads of deep supervision; ``forward`` then gives them too.

    Raises:
        UsageError: "network.gate".
    """

    def __init__(
        self,
        width: int = 64,
        in_channels: int = 1,
        out_channels: int = 1,
        gate: str = "none",
        deep_heads: bool = False,
    ) -> None:
        super().__init__()
        f1, f2, f3, f4 = (width * factor for factor in (1, 2, 4, 8))
        self.deep_heads = deep_heads
        self.encoder1 = _double_conv(in_channels, f1)
        self.encoder2 = _double_conv(f1, f2)
        self.encoder3 = _double_conv(f2, f3)
        self.encoder4 = _double_conv(f3, f4)
        self.bottom = _double_conv(f4, f4)
        self.gate4, self.decoder4 = make_gate(gate, 2, f4), _double_conv(2 * f4, f3)
        self.gate3, self.decoder3 = make_gate(gate, 2, f3), _double_conv(2 * f3, f2)
        self.gate2, self.decoder2 = make_gate(gate, 2, f2), _double_conv(2 * f2, f1)
        self.gate1, self.decoder1 = make_gate(gate, 2, f1), _double_conv(2 * f1, f1)
        self.downsample = max_pool(2)
        self.upsample = upsample_linear(2, align_corners=True)
        self.out = conv(2, f1, out_channels, 1)
        if deep_heads:
            self.deep4, self.deep3, self.deep2 = (
                nn.Sequential(conv(2, channels, out_channels, 1), upsample_linear(2, factor, align_corners=True))
                for channels, factor in ((f3, 8), (f2, 4), (f1, 2))
            )

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Give logits of every region.

        Args:
            x: ``[b, in, y, x]``; both axes multiples of 16.

        Returns:
            ``[b, out, y, x]``; with deep heads also three more of that shape, from the deepest to the shallowest.
        """
        c1 = self.encoder1(x)  # [b, w, y, x]
        c2 = self.encoder2(self.downsample(c1))  # [b, 2w, y/2, x/2]
        c3 = self.encoder3(self.downsample(c2))  # [b, 4w, y/4, x/4]
        c4 = self.encoder4(self.downsample(c3))  # [b, 8w, y/8, x/8]
        bottom = self.bottom(self.downsample(c4))  # [b, 8w, y/16, x/16]
        y4 = self._rise(bottom, c4, self.gate4, self.decoder4)  # [b, 4w, y/8, x/8]
        y3 = self._rise(y4, c3, self.gate3, self.decoder3)  # [b, 2w, y/4, x/4]
        y2 = self._rise(y3, c2, self.gate2, self.decoder2)  # [b, w, y/2, x/2]
        y1 = self._rise(y2, c1, self.gate1, self.decoder1)  # [b, w, y, x]
        main: Tensor = self.out(y1)
        if not self.deep_heads:
            return main
        return main, [self.deep4(y4), self.deep3(y3), self.deep2(y2)]

    def _rise(self, below: Tensor, skip: Tensor, gate: nn.Module, decoder: nn.Module) -> Tensor:
        y = self.upsample(below)
        merged: Tensor = decoder(torch.cat([y, gate(y, skip)], dim=1))
        return merged
