"""The pancreas networks on a classifier's encoder: U-Net with ResNet34, ResNet50 or DenseNet121, and PSPNet.

The encoders are MONAI's, loaded when a network is built. Ring 1 (verbs).

Source: Bespalov et al. 2019, design page "pancreas_cascade", 4.7 and 4.8. The paper names the 3D forms, ResNet50 and
DenseNet without details; they follow the rules of 4.8. Weights start at random: no ImageNet weights are shipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSegAILib.core.errors import UsageError

from .dimensions import batch_norm, conv, max_pool, upsample_linear

UNET_STRIDE, PSP_STRIDE = 64, 32
WIDTH = 64  # of the stem; channel numbers of decoders are for it
RESNET_LAYERS = {"resnet34": ("basic", (3, 4, 6, 3)), "resnet50": ("bottleneck", (3, 4, 6, 3))}
DENSENET_LAYERS = {"densenet121": (6, 12, 24, 16)}
ENCODERS = (*RESNET_LAYERS, *DENSENET_LAYERS)
POOLS = (1, 2, 3, 6)


class _ResNet(nn.Module):
    """Stem at a half, then four stages at 1/4 to 1/32; the pooling of the stem is one of 2."""

    def __init__(self, name: str, axes: int, in_channels: int, width: int) -> None:
        super().__init__()
        from monai.networks.nets.resnet import ResNet

        block, layers = RESNET_LAYERS[name]
        planes = [width * factor for factor in (1, 2, 4, 8)]
        whole = ResNet(
            block,
            list(layers),
            planes,
            spatial_dims=axes,
            n_input_channels=in_channels,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
        self.stem = nn.Sequential(whole.conv1, whole.bn1, nn.ReLU(), max_pool(axes))
        self.stages = nn.ModuleList((whole.layer1, whole.layer2, whole.layer3, whole.layer4))
        expansion = 4 if block == "bottleneck" else 1
        self.channels = [count * expansion for count in planes]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Give the maps of the four stages."""
        x = self.stem(x)
        maps: list[Tensor] = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class _DenseNet(nn.Module):
    """Stem and four dense blocks; the maps are those of the blocks, before the transitions."""

    def __init__(self, name: str, axes: int, in_channels: int, width: int) -> None:
        super().__init__()
        from monai.networks.nets.densenet import DenseNet

        growth, layers = width // 2, DENSENET_LAYERS[name]
        whole = DenseNet(axes, in_channels, 1, init_features=width, growth_rate=growth, block_config=layers).features
        self.stem = nn.Sequential(whole.conv0, whole.norm0, nn.ReLU(), max_pool(axes))
        self.stages = nn.ModuleList(
            (
                whole.denseblock1,
                nn.Sequential(whole.transition1, whole.denseblock2),
                nn.Sequential(whole.transition2, whole.denseblock3),
                nn.Sequential(whole.transition3, whole.denseblock4, whole.norm5, nn.ReLU()),
            )
        )
        self.channels, before = [], width
        for count in layers:
            self.channels.append(before + count * growth)
            before = self.channels[-1] // 2

    def forward(self, x: Tensor) -> list[Tensor]:
        """Give the maps of the four blocks."""
        x = self.stem(x)
        maps: list[Tensor] = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


def make_encoder(name: str, axes: int, in_channels: int, width: int) -> tuple[nn.Module, list[int]]:
    """Build an encoder that gives maps at 1/4, 1/8, 1/16 and 1/32, and say how many channels each has.

    Raises:
        UsageError: "network.encoder" for another name.
    """
    if name not in ENCODERS:
        raise UsageError("network.encoder", f"There is no encoder {name!r}.", f"Choose one of {', '.join(ENCODERS)}.")
    encoder = (_ResNet if name in RESNET_LAYERS else _DenseNet)(name, axes, in_channels, width)
    return encoder, encoder.channels


class EncoderUnet(nn.Module):
    """U-Net on a classifier's encoder, with one more pooling at the bottom.

    Args:
        width: channels of the stem. The paper's is 64.
        in_channels: images, or neighboring slices.
        out_channels: regions.
        encoder: "resnet34", "resnet50" or "densenet121".
        axes: 2 or 3.

    Raises:
        UsageError: "network.encoder", "network.axes".
    """

    def __init__(
        self, width: int = WIDTH, in_channels: int = 1, out_channels: int = 1, encoder: str = "resnet34", axes: int = 2
    ) -> None:
        super().__init__()
        self.encoder, (c1, c2, c3, c4) = make_encoder(encoder, axes, in_channels, width)
        d16, d32, d64, d128, d256 = (max(1, count * width // WIDTH) for count in (16, 32, 64, 128, 256))
        self.downsample = max_pool(axes)
        self.center = _rise(axes, c4, d256, d128)
        self.decoder4 = _rise(axes, c4 + d128, d256, d128)
        self.decoder3 = _rise(axes, c3 + d128, d256, d128)
        self.decoder2 = _rise(axes, c2 + d128, d128, d32)
        self.decoder1 = _rise(axes, c1 + d32, d64, d64)
        self.decoder0 = _rise(axes, d64, d64, d16)
        self.out = nn.Sequential(conv(axes, d16, d16, 3, bias=False), nn.ReLU(), conv(axes, d16, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every region, ``[b, out, (z,) y, x]``; every axis of the input a multiple of 64."""
        s1, s2, s3, s4 = self.encoder(x)  # at 1/4, 1/8, 1/16, 1/32
        y = self.center(self.downsample(s4))  # [b, 128, y/32, x/32]
        y = self.decoder4(torch.cat([y, s4], dim=1))  # [b, 128, y/16, ...]
        y = self.decoder3(torch.cat([y, s3], dim=1))  # [b, 128, y/8, ...]
        y = self.decoder2(torch.cat([y, s2], dim=1))  # [b, 32, y/4, ...]
        y = self.decoder1(torch.cat([y, s1], dim=1))  # [b, 64, y/2, ...]
        y = self.decoder0(y)  # [b, 16, y, ...]
        logits: Tensor = self.out(y)
        return logits


def _rise(axes: int, in_channels: int, middle: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        upsample_linear(axes, align_corners=False),
        conv(axes, in_channels, middle, 3, bias=False),
        nn.ReLU(),
        conv(axes, middle, out_channels, 3, bias=False),
        nn.ReLU(),
    )


class PspNet(nn.Module):
    """PSPNet on ResNet34 in 2D: means over grids of 1, 2, 3 and 6, then five enlargements.

    Args:
        width: channels of the stem. The paper's is 64.
        in_channels: images, or neighboring slices.
        out_channels: regions.
        encoder: "resnet34" in the paper.

    Raises:
        UsageError: "network.encoder".
    """

    def __init__(
        self, width: int = WIDTH, in_channels: int = 1, out_channels: int = 1, encoder: str = "resnet34"
    ) -> None:
        super().__init__()
        self.encoder, (*_, channels) = make_encoder(encoder, 2, in_channels, width)
        self.pools = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(grid), conv(2, channels, channels, 1, bias=False)) for grid in POOLS
        )
        d32, d64, d256, d1024 = (max(1, count * width // WIDTH) for count in (32, 64, 256, 1024))
        fused = (1 + len(POOLS)) * channels
        self.fuse = nn.Sequential(conv(2, fused, d1024, 1), nn.ReLU(), nn.Dropout2d(0.3))
        steps = zip((d1024, d256, d64, d64, d32), (d256, d64, d64, d32, d32), strict=True)
        self.rises = nn.Sequential(*(_psp_rise(before, after) for before, after in steps))
        self.out = conv(2, d32, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Give logits of every region, ``[b, out, y, x]``; both axes multiples of 32."""
        y = self.encoder(x)[3]  # [b, 512, y/32, x/32]
        context = [_resize(pool(y), y.shape[2:]) for pool in self.pools]
        y = self.fuse(torch.cat([*context, y], dim=1))  # [b, 1024, y/32, x/32]
        logits: Tensor = self.out(self.rises(y))
        return logits


def _psp_rise(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        upsample_linear(2, align_corners=False),
        conv(2, in_channels, out_channels, 3),
        batch_norm(2, out_channels),
        nn.PReLU(),
        nn.Dropout2d(0.15),
    )


def _resize(x: Tensor, size: Sequence[int]) -> Tensor:
    return functional.interpolate(x, size=list(size), mode="bilinear", align_corners=False)
