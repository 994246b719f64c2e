"""The printed results of the four papers as recipes: siblings differ by what the paper varied, and by nothing else.

Each stands here in a reduced form that two cores can start: narrow networks, small crops, few steps, phantoms or the
studies at hand. ``--full`` gives width, patch, batch, rate and dropout of the source, for machines and studies that
allow it. Names are those of ``MedSegAILib.networks.catalog``. Beside the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from MedSegAILib.networks.catalog import CATALOG

from .brain_tissue import BRAIN_TISSUE_SMALL
from .hand_bones import HAND_BONES_SMALL
from .pancreas import PANCREAS_ORGAN_SMALL, PANCREAS_TUMOR_SMALL
from .prostate import PROSTATE_SMALL
from .recipe import CropKind, Recipe

NARROW_STEPS = 300
# Widths of the reduced forms by class; the others have none to change (a pretrained encoder's shape).
NARROW: Mapping[str, Mapping[str, Any]] = {
    "pancreas.Unet2d": {"width": 8},
    "pancreas.Unet3d": {"width": 4},
    "pancreas.Fpn3d": {"width": 4},
    "pancreas.PspNet": {"width": 8},
    "pancreas.EncoderUnet": {"width": 8},
    "tissue.Unet": {"width": 8},
    "tissue.ResUnet": {"width": 8},
    "tissue.DenseUnet": {"width": 8},
    "prostate.Unet3d": {"width": 8},
    "prostate.DeepLab": {"width": 8, "middle_blocks": 2},
    "prostate.Tiramisu": {"growth": 4},
    "multiscale.MultiScale": {},
}
# Networks whose poolings halve a side more often than those of the base recipes; 2D ones get their sides in windows.
SIDES: Mapping[str, int] = {"pancreas.Unet3d": 16, "pancreas.Fpn3d": 16, "tissue.Unet": 16, "prostate.Tiramisu": 16}


@dataclass(frozen=True)
class _Source:
    """What all recipes of one table of a paper share.

    Args:
        base: recipe whose task, channels, studies and preparation they take.
        crop: of the reduced form, (z, y, x); z is 1 or the slices of a 2D network.
        crop_full, batch_full: of the source.
        full: further fields of the source.
        changes: fields that all of them change against the base.
    """

    base: Recipe
    crop: tuple[int, int, int]
    crop_full: tuple[int, int, int]
    batch_full: int
    full: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


def _recipe(name: str, network: str, source: _Source, **varied: Any) -> Recipe:
    """Give one recipe; ``network`` is a key of the catalog, ``varied`` what the paper varied besides."""
    entry = CATALOG[network]
    slices = entry.shape[0] if len(entry.shape) == 3 else 0
    base = replace(source.base, **{"history": "", **source.changes, **varied})
    outputs = len(base.channels) + (base.activation == "softmax")
    arguments = {**entry.arguments, "out_channels": outputs}
    mix = base.crops[0].mix
    crop, crop_full = ((slices or size[0], *size[1:]) for size in (source.crop, source.crop_full))
    return replace(
        base,
        name=name,
        network=entry.network,
        arguments={**arguments, **NARROW[entry.network]},
        slices=slices,
        prepare=base.prepare if slices else tuple(_fitting(step, entry.network) for step in base.prepare),
        crops=(CropKind(2, crop, mix),),
        box_copies=1,
        steps=NARROW_STEPS,
        full={
            "arguments": arguments,
            "crops": (CropKind(source.batch_full, crop_full, mix),),
            **source.full,
        },
    )


def _fitting(step: Mapping[str, Any], network: str) -> Mapping[str, Any]:
    """Give a step of the preparation so that the working grid's sides suit the network."""
    return {**step, "multiple": SIDES[network]} if step["step"] == "resample" and network in SIDES else step


# Adam at 3e-4, batch 4, 64 x 224 x 224 (section 6 of the page); epochs are not told.
_ORGAN, _TUMOR = (
    _Source(
        base,
        (32, 64, 64),
        (64, 224, 224),
        4,
        {"learning_rate": 3e-4, "weight_decay": 0.0, "steps": 100_000},
        {"channels": (region,)},
    )
    for base, region in ((PANCREAS_ORGAN_SMALL, "organ"), (PANCREAS_TUMOR_SMALL, "tumor"))
)
# Adam at 1e-4, batch 32, up to 200 epochs of 11,546 patches.
_TISSUE = _Source(
    BRAIN_TISSUE_SMALL,
    (32, 32, 32),
    (32, 32, 32),
    32,
    {"learning_rate": 1e-4, "weight_decay": 0.0, "steps": 72_000},
    {"loss": "cross_entropy", "tumor_chance": 1.0},
)
# Binary cross-entropy, windows half from the prostate; epochs are not told, 1000 at most.
_PROSTATE = _Source(
    PROSTATE_SMALL,
    (16, 64, 64),
    (16, 64, 64),
    8,
    {"learning_rate": 1e-4, "weight_decay": 1e-4, "steps": 50_000},
    {"channels": ("prostate",), "loss": "cross_entropy", "tumor_chance": 0.5},
)
# Whole volumes one at a time, Adam at 5e-5, 600 epochs of 20 volumes.
_HAND = _Source(
    HAND_BONES_SMALL,
    (64, 40, 64),
    (64, 120, 120),
    1,
    {"learning_rate": 5e-5, "weight_decay": 0.0, "steps": 12_000},
)

PAPERS: tuple[Recipe, ...] = (
    _recipe("pancreas-organ-2d-unet", "pancreas-2d-unet", _ORGAN),
    _recipe("pancreas-organ-2d-unet-se", "pancreas-2d-unet-se", _ORGAN),
    _recipe("pancreas-organ-2d-pspnet", "pancreas-2d-pspnet-resnet34", _ORGAN),
    _recipe("pancreas-organ-3d-unet", "pancreas-3d-unet", _ORGAN),
    _recipe("pancreas-organ-3d-unet-se", "pancreas-3d-unet-se", _ORGAN),
    _recipe("pancreas-organ-3d-unet-spatial", "pancreas-3d-unet-spatial", _ORGAN),
    _recipe("pancreas-tumor-3d-unet", "pancreas-3d-unet", _TUMOR),
    _recipe("pancreas-tumor-3d-unet-se", "pancreas-3d-unet-se", _TUMOR),
    _recipe("pancreas-tumor-3d-fpn", "pancreas-3d-fpn", _TUMOR),
    _recipe("tissue-2d-unet", "tissue-2d-unet-norm", _TISSUE),
    _recipe("tissue-2d-resunet", "tissue-2d-resunet", _TISSUE),
    _recipe("tissue-2d-denseunet", "tissue-2d-denseunet", _TISSUE),
    _recipe("tissue-3d-unet", "tissue-3d-unet", _TISSUE),
    _recipe("tissue-2d-unet-focal", "tissue-2d-unet-norm", _TISSUE, loss="focal"),
    _recipe("tissue-2d-unet-tversky", "tissue-2d-unet-norm", _TISSUE, loss="tversky"),
    _recipe("tissue-2d-unet-focal-tversky", "tissue-2d-unet-norm", _TISSUE, loss="focal_tversky"),
    _recipe("prostate-3d-unet", "prostate-3d-unet", replace(_PROSTATE, crop_full=(16, 256, 256), batch_full=14)),
    _recipe("prostate-2d-deeplab", "prostate-2d-deeplab", replace(_PROSTATE, crop_full=(13, 256, 256), batch_full=6)),
    _recipe("prostate-3d-tiramisu-p4a", "prostate-3d-tiramisu-p4a", _PROSTATE),
    _recipe("prostate-3d-tiramisu-p3a", "prostate-3d-tiramisu-p3a", _PROSTATE),
    _recipe("prostate-3d-tiramisu-p3b", "prostate-3d-tiramisu-p3b", _PROSTATE),
    _recipe("hand-multiscale-concat", "hand-multiscale-concat", _HAND),
    _recipe("hand-multiscale-concat-single", "hand-multiscale-concat-single", _HAND),
    _recipe("hand-multiscale-sum", "hand-multiscale-sum", _HAND),
    _recipe("hand-multiscale-sum-single", "hand-multiscale-sum-single", _HAND),
    _recipe("hand-multiscale-no-skips", "hand-multiscale-no-skips", _HAND),
    _recipe("hand-multiscale-concat-ce", "hand-multiscale-concat", _HAND, loss="cross_entropy"),
)
