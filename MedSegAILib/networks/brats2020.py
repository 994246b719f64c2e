"""The three 3D U-nets of Henry et al., BraTS 2020: EquiUnet (the paper's), AttEquiUnet (with CBAM), Unet.

Tensor names are those of the published code, so that its checkpoints load. Not here: loss, sigmoid, weights.
Ring 1 (verbs).

Source: Henry et al., arXiv 2011.01045; class facts from github.com/lescientifik/open_brats2020, e5f98961.
CBAM: Woo et al., arXiv 1807.06521, with the deviations of that code (see ``SpatialGate``).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import ClassVar

import torch
from torch import Tensor, nn

from MedSegAILib.core.errors import UsageError

GROUPS = 16  # of "group" norm, in the published code
HALVING_DIVISORS = (16, 8, 4, 2, 1)
CHANNEL_GATE_REDUCTION = 16
NETWORK_STRIDE = 8  # three poolings: every axis of the input must be a multiple of it


def group_count(channels: int, wanted: int = GROUPS) -> int:
    """Give the number of norm groups for a channel count.

    When ``wanted`` does not divide the channels, the largest divisor d of 16, 8, 4, 2, 1 becomes the SIZE of a
    group, not the number of groups: 24 channels give 3 groups of 8.
    """
    groups = min(wanted, channels)
    if channels % groups == 0:
        return groups
    return channels // next(size for size in HALVING_DIVISORS if channels % size == 0)


def make_norm(norm: str, channels: int) -> nn.Module:
    """Build the norm layer of that name: "group", "group<n>", "instance" or "none".

    Raises:
        UsageError: "network.norm" for another name.
    """
    if norm == "none":
        return nn.Identity()
    if norm == "instance":
        return nn.InstanceNorm3d(channels, affine=True)
    count = norm.removeprefix("group")
    if norm.startswith("group") and (not count or (count.isdigit() and int(count) > 0)):
        return nn.GroupNorm(group_count(channels, int(count or GROUPS)), channels)
    raise UsageError("network.norm", f"There is no norm {norm!r}.", 'Choose "group", "group<n>", "instance" or "none".')


class ConvNormRelu(nn.Module):
    """Convolution that keeps the size, norm, ReLU; the convolution has a bias only without a norm."""

    def __init__(self, in_channels: int, out_channels: int, norm: str, *, dilation: int = 1, kernel: int = 3) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv3d(
            in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=norm == "none"
        )
        self.bn = make_norm(norm, out_channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[b, in, z, y, x]`` to ``[b, out, z, y, x]``, all values >= 0."""
        y: Tensor = self.relu(self.bn(self.conv(x)))
        return y


def double_conv(channels: tuple[int, int, int], norm: str, dilation: int = 1) -> nn.Sequential:
    """Build the two convolutions of a stage; ``channels`` are those before, between and after."""
    first, middle, last = channels
    return nn.Sequential(
        OrderedDict(
            ConvBnRelu1=ConvNormRelu(first, middle, norm, dilation=dilation),
            ConvBnRelu2=ConvNormRelu(middle, last, norm, dilation=dilation),
        )
    )


class ChannelGate(nn.Module):
    """Weigh channels by what one small perceptron makes of their global mean and of their global maximum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // CHANNEL_GATE_REDUCTION
        self.channels = channels
        self.mlp = nn.Sequential(nn.Flatten(), *_perceptron(channels, hidden))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[b, c, z, y, x]`` to the same shape."""
        mean = x.mean(dim=(2, 3, 4), keepdim=True)  # [b, c, 1, 1, 1]
        peak = x.amax(dim=(2, 3, 4), keepdim=True)
        gate = torch.sigmoid(self.mlp(mean) + self.mlp(peak))  # [b, c]
        return x * gate.reshape(-1, self.channels, 1, 1, 1)


class EmptyLinear(nn.Linear):
    """Linear layer without inputs or without outputs, as the published files have it below 16 channels.

    Torch's own initialization warns about empty tensors; this one sets the bias to zero, as torch does then.
    """

    def reset_parameters(self) -> None:
        """Set the bias to zero; the weight has no element."""
        nn.init.zeros_(self.bias)


def _perceptron(channels: int, hidden: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    linear = nn.Linear if hidden else EmptyLinear  # without a hidden unit the gate is a learned constant
    return linear(channels, hidden), nn.ReLU(), linear(hidden, channels)


class SpatialGate(nn.Module):
    """Weigh voxels by a 7x7x7 convolution over the maximum and the mean of their channels.

    The ReLU before the sigmoid is the published code's, not the CBAM paper's: factors lie in [0.5, 1).
    """

    def __init__(self, norm: str) -> None:
        super().__init__()
        self.spatial = ConvNormRelu(2, 1, norm, kernel=7)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[b, c, z, y, x]`` to the same shape."""
        both = torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)], dim=1)  # [b, 2, z, y, x]
        return x * torch.sigmoid(self.spatial(both))


def attention(channels: int, norm: str) -> nn.Sequential:
    """Build a CBAM block: channel gate, then spatial gate.

    Raises:
        UsageError: "network.norm" with norm "none", for which the published code has no such block.
    """
    if norm == "none":
        raise UsageError(
            "network.norm", 'AttEquiUnet cannot be built with norm "none".', 'Choose "group" or "instance".'
        )
    return nn.Sequential(OrderedDict(ChannelGate=ChannelGate(channels), SpatialGate=SpatialGate(norm)))


class EquiUnet(nn.Module):
    """U-net whose stages go to their full width in the first convolution; the network of the paper.

    Args:
        width: channels of the first stage; the next have 2, 4 and 8 times as many. The paper's is 48.
        norm: "group" (16 groups), "group<n>", "instance" or "none".
        deep_heads: add the four heads of deep supervision; ``forward`` then gives them too.
        in_channels: input sequences; the published order is T1, T1ce, T2, FLAIR.
        out_channels: regions; the published order is ET, TC, WT.

    Raises:
        UsageError: "network.norm" for an unknown norm.
    """

    halves_first: ClassVar[bool] = False
    has_attention: ClassVar[bool] = False

    def __init__(
        self,
        width: int = 48,
        norm: str = "group",
        deep_heads: bool = False,
        in_channels: int = 4,
        out_channels: int = 3,
    ) -> None:
        super().__init__()
        f1, f2, f3, f4 = (width * factor for factor in (1, 2, 4, 8))
        last = width // 2 if self.halves_first else width
        self.deep_heads = deep_heads
        self.encoder1 = self._encoder(in_channels, f1, norm)
        self.encoder2 = self._encoder(f1, f2, norm)
        self.encoder3 = self._encoder(f2, f3, norm)
        self.encoder4 = self._encoder(f3, f4, norm)
        self.bottom = self._attended(double_conv((f4, f4, f4), norm, dilation=2), f4, norm)
        squeeze = ConvNormRelu(2 * f4, f3, norm)
        self.bottom_2 = nn.Sequential(squeeze, attention(f3, norm)) if self.has_attention else squeeze
        self.decoder3 = double_conv((2 * f3, f3, f2), norm)
        self.decoder2 = double_conv((2 * f2, f2, f1), norm)
        self.decoder1 = double_conv((2 * f1, f1, last), norm)
        self.downsample = nn.MaxPool3d(2, 2)
        self.upsample = _upsample(2)
        self.outconv = nn.Conv3d(last, out_channels, 1)
        if deep_heads:
            self.deep_bottom = nn.Sequential(nn.Conv3d(f4, out_channels, 1), _upsample(8))
            self.deep_bottom2 = nn.Sequential(nn.Conv3d(f3, out_channels, 1), _upsample(8))
            self.deep3 = nn.Sequential(nn.Conv3d(f2, out_channels, 1), _upsample(4))
            self.deep2 = nn.Sequential(nn.Conv3d(f1, out_channels, 1), _upsample(2))
        _initialize(self)

    def _encoder(self, before: int, after: int, norm: str) -> nn.Module:
        middle = after // 2 if self.halves_first else after
        return self._attended(double_conv((before, middle, after), norm), after, norm)

    def _attended(self, block: nn.Sequential, channels: int, norm: str) -> nn.Module:
        if not self.has_attention:
            return block
        return nn.Sequential(OrderedDict(UBlock=block, CBAM=attention(channels, norm)))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Give logits of every region; no sigmoid.

        Args:
            x: ``[b, in, z, y, x]``; every axis a multiple of 8 and at least 8.

        Returns:
            ``[b, out, z, y, x]``; with deep heads also four more of that shape, from the deepest to the shallowest.
        """
        down1 = self.encoder1(x)  # [b, w, z, y, x]
        down2 = self.encoder2(self.downsample(down1))  # [b, 2w, z/2, ...]
        down3 = self.encoder3(self.downsample(down2))  # [b, 4w, z/4, ...]
        down4 = self.encoder4(self.downsample(down3))  # [b, 8w, z/8, ...]
        bottom = self.bottom(down4)  # [b, 8w, z/8, ...], dilated twice
        bottom_2 = self.bottom_2(torch.cat([down4, bottom], dim=1))  # [b, 4w, z/8, ...]
        up3 = self.decoder3(torch.cat([down3, self.upsample(bottom_2)], dim=1))  # [b, 2w, z/4, ...]
        up2 = self.decoder2(torch.cat([down2, self.upsample(up3)], dim=1))  # [b, w, z/2, ...]
        up1 = self.decoder1(torch.cat([down1, self.upsample(up2)], dim=1))  # [b, w, z, y, x]; Unet: w/2
        main: Tensor = self.outconv(up1)
        if not self.deep_heads:
            return main
        return main, [self.deep_bottom(bottom), self.deep_bottom2(bottom_2), self.deep3(up3), self.deep2(up2)]


class AttEquiUnet(EquiUnet):
    """EquiUnet with a CBAM block after every encoder stage and both bottom stages (``Att_EquiUnet``)."""

    has_attention: ClassVar[bool] = True


class Unet(EquiUnet):
    """Variant whose stages reach their width in the second convolution only; the code's default, not the paper's."""

    halves_first: ClassVar[bool] = True


def _upsample(factor: int) -> nn.Upsample:
    return nn.Upsample(scale_factor=factor, mode="trilinear", align_corners=True)


def _initialize(network: nn.Module) -> None:
    """Draw convolution weights anew; norms (1 and 0), linear layers and biases keep torch's defaults."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
