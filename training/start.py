"""Where a run begins when not from chance: the weights of an installed package's member. Beside the library."""

from __future__ import annotations

import torch
from torch import nn

from MedSegAILib.core.errors import InputError
from MedSegAILib.tasks.store import find_package

# A network with attention holds the plain one's layers under names of its own.
_WRAPPINGS = ((".UBlock.", "."), ("bottom_2.0.", "bottom_2."))


def load_start(network: nn.Module, start_from: str) -> None:
    """Fill a network with the weights of a member; what the member lacks (attention) keeps its chance.

    Args:
        network: of the same family and width as the member's.
        start_from: "task/member file", as "brain-tumor/a0.safetensors".

    Raises:
        InputError: "training.start" when a tensor of the member has no place of its shape in the network.
        MedSegAIError: as ``find_package``, when the task is not installed.
    """
    task, file = start_from.split("/")
    start = {name: torch.from_numpy(array) for name, array in find_package(task).weights(file).items()}
    own = network.state_dict()
    filled = {name: start[_plain(name)] for name in own if _plain(name) in start}
    misfits = [name for name, tensor in filled.items() if own[name].shape != tensor.shape]
    misfits += sorted(set(start) - {_plain(name) for name in filled})
    if misfits:
        raise InputError(
            "training.start",
            f"{start_from} does not fit the recipe's network: {', '.join(misfits[:3])}.",
            "Start from a network of the same family and width.",
        )
    network.load_state_dict({**own, **filled})


def _plain(name: str) -> str:
    for wrapped, plain in _WRAPPINGS:
        name = name.replace(wrapped, plain)
    return name
