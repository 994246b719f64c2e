"""The multi-scale 3D network of the hand bones and of BRATS 2015. Ring 1 (verbs).

Source: Kayalibay et al., arXiv 1701.03056, figure 17 and table 7; design page "hand_and_brats2015", section 4.
Convolutions have no bias; each is followed by a norm and a PReLU with one slope a channel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSegAILib.core.errors import UsageError

from .dimensions import conv, make_norm, upsample_linear, upsample_nearest

NETWORK_STRIDE = 8
SLOPE = 0.25  # start of the PReLU slopes
WEIGHT_DEVIATION = 0.01  # start of the convolutions, better than Xavier in the paper
MOMENTUM = 0.5  # of the published batch norm, for volumes one at a time
SKIPS = ("concat", "sum", "none")


def _conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    return conv(3, in_channels, out_channels, kernel, stride=stride, bias=False)


class MultiScale(nn.Module):
    """Small 3D U-Net that gives one output or the sum of outputs at three scales.

    Args:
        width: channels of the first level; the paper's is 8.
        in_channels: images; 1 for the hand, 4 for BRATS.
        out_channels: classes, background included.
        skips: how long skips enter: "concat", "sum" or "none".
        combined: add the enlarged maps of a half and a quarter of the size to the output.
        norm: "instance" (what the paper's batches of one do in training), "batch" or "none".

    Raises:
        UsageError: "network.skips" for another kind of skip; "network.norm".
    """

    def __init__(
        self,
        width: int = 8,
        in_channels: int = 1,
        out_channels: int = 5,
        skips: str = "concat",
        combined: bool = True,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        if skips not in SKIPS:
            raise UsageError("network.skips", f"There are no skips {skips!r}.", f"Choose one of {', '.join(SKIPS)}.")
        self.skips, self.combined, self.norm = skips, combined, norm
        f1, f2, f4, f8 = (width * factor for factor in (1, 2, 4, 8))
        twice = 2 if skips == "concat" else 1
        self.widened = f1  # channels of zeros that level 2's short sum lacks
        self.conv1, self.act1 = _conv(in_channels, f1), self._act(f1)
        self.conv2, self.act2 = _conv(f1, f1, stride=2), self._act(f1)
        self.conv3, self.act3 = _conv(f1, f2), self._act(f2)
        self.conv4, self.act4 = _conv(f2, f4, stride=2), self._act(f4)
        self.conv5, self.act5 = _conv(f4, f4), self._act(f4)
        self.conv6, self.act6 = _conv(f4, f8, stride=2), self._act(f8)
        self.conv7, self.act7 = _conv(f8, f8), self._act(f8)
        self.squeeze3, self.rise3 = self._squeeze(f8, f4), self._rise(f4, f4)
        self.merge3 = nn.Sequential(_conv(twice * f4, f8), self._act(f8))
        self.squeeze2, self.rise2 = self._squeeze(f8, f4), self._rise(f4, f2)
        self.merge2 = nn.Sequential(_conv(twice * f2, f4), self._act(f4))
        self.squeeze1, self.rise1 = self._squeeze(f4, f2), self._rise(f2, f1)
        self.merge1 = nn.Sequential(_conv(twice * f1, f2), self._act(f2))
        self.out1 = _conv(f2, out_channels, 1)
        if combined:
            self.out2, self.out4 = _conv(f4, out_channels, 1), _conv(f8, out_channels, 1)
            self.upsample = upsample_linear(3, align_corners=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv3d):
                nn.init.normal_(layer.weight, 0.0, WEIGHT_DEVIATION)

    def _act(self, channels: int) -> nn.Sequential:
        return nn.Sequential(make_norm(3, self.norm, channels, MOMENTUM), nn.PReLU(channels, SLOPE))

    def _squeeze(self, in_channels: int, out_channels: int) -> nn.Sequential:
        return nn.Sequential(_conv(in_channels, out_channels, 1), self._act(out_channels))

    def _rise(self, in_channels: int, out_channels: int) -> nn.Sequential:
        return nn.Sequential(upsample_nearest(), _conv(in_channels, out_channels), self._act(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every class, ``[b, out, z, y, x]``; every axis of the input a multiple of 8."""
        e1 = self.act1(self.conv1(x))  # [b, w, z, y, x]
        h1 = self.conv2(e1)  # [b, w, z/2, ...]
        h1_widened = functional.pad(h1, (0, 0, 0, 0, 0, 0, 0, self.widened))  # [b, 2w, z/2, ...]
        e2 = self.act3(self.conv3(self.act2(h1)) + h1_widened)
        h2 = self.conv4(e2)  # [b, 4w, z/4, ...]
        e3 = self.act5(self.conv5(self.act4(h2)) + h2)
        h3 = self.conv6(e3)  # [b, 8w, z/8, ...]
        y = self.act7(self.conv7(self.act6(h3)) + h3)
        d3 = self.merge3(self._join(self.rise3(self.squeeze3(y)), e3))  # [b, 8w, z/4, ...]
        d2 = self.merge2(self._join(self.rise2(self.squeeze2(d3)), e2))  # [b, 4w, z/2, ...]
        d1 = self.merge1(self._join(self.rise1(self.squeeze1(d2)), e1))  # [b, 2w, z, y, x]
        logits: Tensor = self.out1(d1)
        if self.combined:
            logits = logits + self.upsample(self.out2(d2) + self.upsample(self.out4(d3)))
        return logits

    def _join(self, decoder: Tensor, skip: Tensor) -> Tensor:
        if self.skips == "concat":
            return torch.cat([decoder, skip], dim=1)
        return decoder + skip if self.skips == "sum" else decoder
