"""The networks of the published systems, by name: which class with which arguments, and the patch it was made for.

Counts are not here: ``measure`` computes them. Standard library only. Ring 1 (verbs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Which numbers a count holds; torch's parameters() never has running means and variances, Keras's total does.
RULES = {
    "trainable": "weights, biases, scales, shifts and slopes",
    "total": "the same and running means and variances (Keras total)",
}


@dataclass(frozen=True)
class Entry:
    """One network of a published system.

    Args:
        network: key of ``NETWORKS``.
        arguments: what its class takes.
        shape: of a patch in the paper, channels first: ``[c, (z,) y, x]``.
        rule: key of ``RULES``: how the paper, or the design page, counted.
        note: what is ours where the paper is silent, or what a printed count is off by.
    """

    network: str
    shape: tuple[int, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    rule: str = "trainable"
    note: str = ""


_FLAT, _SOLID = (1, 224, 224), (1, 64, 224, 224)
_ENCODER_FLAT, _ENCODER_SOLID = (1, 256, 256), (1, 64, 256, 256)
_HAND, _BRATS2015, _BRATS2020 = (1, 64, 120, 120), (4, 128, 144, 160), (4, 128, 128, 128)
_PUBLISHED = {"shared_residual": True, "dropout": 0.6}
_PAPER_SAYS_LITTLE = "the paper gives no details; rules of the 2D U-Net with ResNet34"

CATALOG: dict[str, Entry] = {
    "pancreas-2d-unet": Entry("pancreas.Unet2d", _FLAT),
    "pancreas-2d-unet-se": Entry("pancreas.Unet2d", _FLAT, {"gate": "se"}),
    "pancreas-2d-unet-deep": Entry("pancreas.Unet2d", _FLAT, {"deep_heads": True}, note="heads are ours"),
    "pancreas-2d-pspnet-resnet34": Entry("pancreas.PspNet", _FLAT),
    "pancreas-2d-unet-resnet34": Entry("pancreas.EncoderUnet", _ENCODER_FLAT),
    "pancreas-2d-unet-resnet50": Entry(
        "pancreas.EncoderUnet", _ENCODER_FLAT, {"encoder": "resnet50"}, note=_PAPER_SAYS_LITTLE
    ),
    "pancreas-2d-unet-densenet121": Entry(
        "pancreas.EncoderUnet", _ENCODER_FLAT, {"encoder": "densenet121"}, note=_PAPER_SAYS_LITTLE
    ),
    "pancreas-3d-unet-resnet34": Entry("pancreas.EncoderUnet", _ENCODER_SOLID, {"axes": 3}, note=_PAPER_SAYS_LITTLE),
    "pancreas-3d-unet-resnet50": Entry(
        "pancreas.EncoderUnet", _ENCODER_SOLID, {"axes": 3, "encoder": "resnet50"}, note=_PAPER_SAYS_LITTLE
    ),
    "pancreas-3d-unet-densenet121": Entry(
        "pancreas.EncoderUnet", _ENCODER_SOLID, {"axes": 3, "encoder": "densenet121"}, note=_PAPER_SAYS_LITTLE
    ),
    "pancreas-3d-unet": Entry("pancreas.Unet3d", _SOLID, _PUBLISHED, note="residual weights shared, as published"),
    "pancreas-3d-unet-unshared": Entry("pancreas.Unet3d", _SOLID, note="our default"),
    "pancreas-3d-unet-se": Entry("pancreas.Unet3d", _SOLID, {**_PUBLISHED, "gate": "se_published"}),
    "pancreas-3d-unet-spatial": Entry("pancreas.Unet3d", _SOLID, {**_PUBLISHED, "gate": "spatial_published"}),
    "pancreas-3d-fpn": Entry("pancreas.Fpn3d", _SOLID, _PUBLISHED, note="as described; the published class differs"),
    "tissue-2d-unet": Entry("tissue.Unet", (1, 32, 32), {"norm": "none"}),
    "tissue-2d-unet-norm": Entry("tissue.Unet", (1, 32, 32), note="our default: batch norm in the encoder"),
    "tissue-2d-resunet": Entry("tissue.ResUnet", (1, 32, 32), {"norm": "none"}),
    "tissue-2d-denseunet": Entry("tissue.DenseUnet", (1, 32, 32), {"norm": "none"}),
    "tissue-3d-unet": Entry(
        "tissue.Unet", (1, 32, 32, 32), {"axes": 3, "width": 16, "norm": "none"}, note="the paper gives no details"
    ),
    "prostate-3d-unet": Entry("prostate.Unet3d", (1, 16, 256, 256), rule="total"),
    "prostate-2d-deeplab": Entry(
        "prostate.DeepLab", (13, 256, 256), rule="total", note="printed 41,253,023, not reproduced: 2,930 fewer"
    ),
    "prostate-3d-tiramisu-p4a": Entry("prostate.Tiramisu", (1, 16, 64, 64), {"layers": "p4a"}),
    "prostate-3d-tiramisu-p3a": Entry(
        "prostate.Tiramisu", (1, 16, 64, 64), {"layers": "p3a"}, note="printed 22,692,289: two digits swapped"
    ),
    "prostate-3d-tiramisu-p3b": Entry("prostate.Tiramisu", (1, 16, 64, 64), {"layers": "p3b"}),
    **{
        f"{data}-multiscale-{skips.replace('none', 'no-skips')}{'' if combined else '-single'}": Entry(
            "multiscale.MultiScale", shape, {"in_channels": shape[0], "skips": skips, "combined": combined}
        )
        for data, shape in (("hand", _HAND), ("brats2015", _BRATS2015))
        for skips in ("concat", "sum", "none")
        for combined in (True, False)
    },
    "brats2020-equiunet": Entry("brats2020.EquiUnet", _BRATS2020),
    "brats2020-attequiunet": Entry("brats2020.AttEquiUnet", _BRATS2020),
    "brats2020-unet": Entry("brats2020.Unet", _BRATS2020, note="the code's default, not the paper's"),
}
