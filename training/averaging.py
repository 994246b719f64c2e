"""The weights that ship: a running mean over all steps, or the arithmetic mean of members. Beside the library.

Source: running mean with a short start, as in TensorFlow's rule; members: design page "brats2020", section 5.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .checkpoint import State

FULL_WARMUP = 10.0  # the running mean starts short and grows to its decay


@torch.no_grad()
def move_average(state: State, decay: float) -> None:
    """Move the running mean by the weights after the step ``state.step`` (0-based)."""
    share = 1.0 - min(decay, (state.step + 1) / (state.step + FULL_WARMUP))
    for name, value in state.network.state_dict().items():
        if value.is_floating_point():
            state.average[name].lerp_(value.detach(), share)
        else:  # a batch norm's count of batches
            state.average[name].copy_(value)


@torch.no_grad()
def add_member(state: State) -> None:
    """Let the weights enter the arithmetic mean; the first member is the mean."""
    state.members += 1
    for name, value in state.network.state_dict().items():
        if value.is_floating_point() and state.members > 1:
            state.average[name].lerp_(value.detach(), 1.0 / state.members)
        else:
            state.average[name].copy_(value)


@torch.no_grad()
def copy_weights(state: State) -> None:
    """Let the weights themselves ship, until the first member."""
    for name, value in state.network.state_dict().items():
        state.average[name].copy_(value)


def copies_of(network: nn.Module) -> dict[str, Tensor]:
    """Give copies of all tensors of a network."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
