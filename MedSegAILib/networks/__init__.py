"""The networks by name; each family is one file, and torch is loaded when one is built.

Not here: weights (they are in packages), training and inference. Ring 1 (verbs).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from MedSegAILib.core.errors import SetupError, UsageError

if TYPE_CHECKING:
    from torch import nn

NETWORKS: dict[str, str] = {
    "brats2020.EquiUnet": "brats2020:EquiUnet",
    "brats2020.AttEquiUnet": "brats2020:AttEquiUnet",
    "brats2020.Unet": "brats2020:Unet",
    "pancreas.Unet2d": "pancreas_2d:Unet2d",
    "pancreas.PspNet": "pancreas_encoders:PspNet",
    "pancreas.EncoderUnet": "pancreas_encoders:EncoderUnet",
    "pancreas.Unet3d": "pancreas:Unet3d",
    "pancreas.Fpn3d": "pancreas:Fpn3d",
    "tissue.Unet": "tissue:Unet",
    "tissue.ResUnet": "tissue:ResUnet",
    "tissue.DenseUnet": "tissue:DenseUnet",
    "prostate.Unet3d": "prostate:Unet3d",
    "prostate.DeepLab": "deeplab:DeepLab",
    "prostate.Tiramisu": "prostate:Tiramisu",
    "multiscale.MultiScale": "multiscale:MultiScale",
}


def build(name: str, **arguments: Any) -> nn.Module:
    """Build a network with fresh weights.

    Args:
        name: a key of ``NETWORKS``.
        arguments: what its class takes (``width``, ``norm``, ``deep_heads``, ``in_channels``, ``out_channels``).

    Returns:
        The module, float32, on the CPU, in training mode.

    Raises:
        UsageError: "network.name" for an unknown network; "network.arguments" for arguments it does not take.
        SetupError: "setup.torch_missing" when torch is not installed or does not load.
    """
    if name not in NETWORKS:
        raise UsageError("network.name", f"There is no network {name!r}.", f"Choose one of {', '.join(NETWORKS)}.")
    module_name, _, class_name = NETWORKS[name].partition(":")
    try:
        module = importlib.import_module(f".{module_name}", __name__)
    except ImportError as error:
        raise SetupError(
            "setup.torch_missing",
            f"The network {name} needs torch, which does not load here ({error}).",
            "Install torch, or use the openvino backend.",
        ) from error
    try:
        network: nn.Module = getattr(module, class_name)(**arguments)
    except ImportError as error:
        raise SetupError(
            "setup.monai_missing",
            f"The network {name} has an encoder of MONAI, which does not load here ({error}).",
            "Install monai, or choose a network without such an encoder.",
        ) from error
    except TypeError as error:
        raise UsageError(
            "network.arguments",
            f"The network {name} cannot be built with {arguments} ({error}).",
            "Compare the arguments with those of its class.",
        ) from error
    return network
