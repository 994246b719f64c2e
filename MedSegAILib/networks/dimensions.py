"""Torch's layers by the number of spatial axes, for families that exist in 2D and in 3D.

Not here: blocks (each family keeps its own) and gates (``gates``). Ring 1 (verbs).
"""

from __future__ import annotations

from torch import nn

from MedSegAILib.core.errors import UsageError

LEAK = 0.01  # slope of leaky ReLU for negative values


def conv(
    axes: int, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1, bias: bool = True
) -> nn.Module:
    """Build a convolution of an odd kernel, zero-padded so that stride 1 keeps the size."""
    kind = _of(axes, nn.Conv2d, nn.Conv3d)
    made: nn.Module = kind(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=bias)
    return made


def transposed_conv(axes: int, in_channels: int, out_channels: int, kernel: int, *, bias: bool) -> nn.Module:
    """Build a transposed convolution of stride 2 and kernel 2 or 3 that doubles the size."""
    kind = _of(axes, nn.ConvTranspose2d, nn.ConvTranspose3d)
    padding = kernel // 2 if kernel % 2 else 0
    made: nn.Module = kind(
        in_channels, out_channels, kernel, stride=2, padding=padding, output_padding=kernel % 2, bias=bias
    )
    return made


def max_pool(axes: int) -> nn.Module:
    """Build a pooling that halves the size."""
    made: nn.Module = _of(axes, nn.MaxPool2d, nn.MaxPool3d)(2)
    return made


def batch_norm(axes: int, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> nn.Module:
    """Build a batch norm with scale and shift."""
    made: nn.Module = _of(axes, nn.BatchNorm2d, nn.BatchNorm3d)(channels, eps=eps, momentum=momentum)
    return made


def instance_norm(axes: int, channels: int, *, affine: bool) -> nn.Module:
    """Build an instance norm; it keeps no running statistics."""
    made: nn.Module = _of(axes, nn.InstanceNorm2d, nn.InstanceNorm3d)(channels, affine=affine)
    return made


def make_norm(axes: int, kind: str, channels: int, momentum: float = 0.1) -> nn.Module:
    """Build the norm of that name: "batch", "instance" (both with scale and shift) or "none".

    Raises:
        UsageError: "network.norm" for another name.
    """
    if kind == "none":
        return nn.Identity()
    if kind == "batch":
        return batch_norm(axes, channels, momentum=momentum)
    if kind == "instance":
        return instance_norm(axes, channels, affine=True)
    raise UsageError("network.norm", f"There is no norm {kind!r}.", 'Choose "batch", "instance" or "none".')


def channel_dropout(axes: int, share: float) -> nn.Module:
    """Build a dropout of whole channels."""
    made: nn.Module = _of(axes, nn.Dropout2d, nn.Dropout3d)(share)
    return made


def upsample_nearest(factor: int = 2) -> nn.Module:
    """Build a repetition of voxels, any number of axes."""
    return nn.Upsample(scale_factor=factor, mode="nearest")


def upsample_linear(axes: int, factor: int = 2, *, align_corners: bool) -> nn.Module:
    """Build a linear interpolation along every axis."""
    mode = "bilinear" if axes == 2 else "trilinear"
    return nn.Upsample(scale_factor=factor, mode=mode, align_corners=align_corners)


def _of(axes: int, flat: type[nn.Module], solid: type[nn.Module]) -> type[nn.Module]:
    if axes not in (2, 3):
        raise UsageError("network.axes", f"A network cannot have {axes} spatial axes.", "Choose 2 or 3.")
    return flat if axes == 2 else solid
