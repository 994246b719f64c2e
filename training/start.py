"""Where a run begins: the weights of an installed package's member, or the output of chance. Beside the library."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from MedSegAILib.core.errors import InputError
from MedSegAILib.tasks.package import MANIFEST, Package, read_package
from MedSegAILib.tasks.store import find_package

from .widen import wider_weights

# A network with attention holds the plain one's layers under names of its own.
LAST = "outconv"
ATTENTION = "CBAM"
_WRAPPINGS = ((".UBlock.", "."), ("bottom_2.0.", "bottom_2."))


def load_start(network: nn.Module, start_from: str) -> None:
    """Fill a network with the weights of a member; what the member lacks (attention) keeps its chance.

    Args:
        network: of the same family and width as the member's; without attention, also two or more times as wide.
        start_from: "task/member file", as "brain-tumor/a0.safetensors"; or a task, or the folder of a package, whose
            first member is meant.

    Raises:
        InputError: "training.start" when a tensor of the member has no place of its shape in the network.
        MedSegAIError: as ``find_package``, when the task is not installed.
    """
    package, file = _member(start_from)
    start = {name: torch.from_numpy(array) for name, array in package.weights(file).items()}
    own = network.state_dict()
    source = {name: name if name in start else _plain(name) for name in own}
    filled = {name: start[source[name]] for name in own if source[name] in start}
    # Another task has other regions: its last layer is new.
    new = [name for name in filled if _plain(name).startswith(LAST) and own[name].shape[0] != filled[name].shape[0]]
    for name in new:
        del filled[name]
    if filled and not any(ATTENTION in name for name in own):
        filled |= wider_weights(filled, own)
    misfits = [name for name, tensor in filled.items() if own[name].shape != tensor.shape]
    misfits += sorted(set(start) - {source[name] for name in (*filled, *new)})
    if misfits:
        raise InputError(
            "training.start",
            f"{start_from} does not fit the recipe's network: {', '.join(misfits[:3])}.",
            "Start from a network of the same family and width, or half as wide.",
        )
    network.load_state_dict({**own, **filled})


def start_output(network: nn.Module, logit: float, *, has_background: bool = False) -> None:
    """Let the output begin at one logit everywhere, as rare as the regions are.

    A bias moves by a learning rate a step: from 0, where every voxel is half a tumor, hundreds of steps go by until a
    small region is seen at all.

    Args:
        network: of the BraTS 2020 family.
        logit: of every region in front of the sigmoid, -4 for 2 %.
        has_background: the first output is the background of a softmax and stays at 0.
    """
    bias = network.get_parameter(f"{LAST}.bias")
    nn.init.constant_(bias, logit)
    if has_background:
        nn.init.zeros_(bias[:1])


def _member(start_from: str) -> tuple[Package, str]:
    """Give the package and the file of the member."""
    if (Path(start_from) / MANIFEST).is_file():
        package = read_package(Path(start_from))
    elif start_from.endswith(".safetensors"):
        task, file = start_from.rsplit("/", 1)
        return find_package(task), file
    else:
        package = find_package(start_from)
    return package, package.stages[-1].ensembles[0].members[0]


def _plain(name: str) -> str:
    for wrapped, plain in _WRAPPINGS:
        name = name.replace(wrapped, plain)
    return name
