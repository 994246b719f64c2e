"""The state of a run on disk: written whole, read back to the bit, tensors and plain values only.

Beside the library (training).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from MedSegAILib.core.errors import InputError

CHECKPOINT = "checkpoint.pt"


@dataclass
class State:
    """What a run is: network, running mean of its weights, optimizer, and how far it came."""

    network: nn.Module
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0
    elapsed_s: float = 0.0


def save(state: State, folder: Path, recipe_name: str) -> Path:
    """Write the state; a run killed while writing keeps the file from before."""
    path = folder / CHECKPOINT
    part = path.with_suffix(".part")
    torch.save(
        {
            "recipe": recipe_name,
            "step": state.step,
            "elapsed_s": state.elapsed_s,
            "network": state.network.state_dict(),
            "average": state.average,
            "optimizer": state.optimizer.state_dict(),
        },
        part,
    )
    part.replace(path)
    return path


def restore(state: State, folder: Path, recipe_name: str) -> bool:
    """Fill a fresh state from the run folder; False when there is no checkpoint yet.

    Raises:
        InputError: "checkpoint.recipe" when another recipe wrote it.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return False
    saved = torch.load(path, map_location="cpu", weights_only=True)
    if saved["recipe"] != recipe_name:
        raise InputError(
            "checkpoint.recipe",
            f"The checkpoint in {folder.name} is of recipe {saved['recipe']!r}, not {recipe_name!r}.",
            "Choose another run folder.",
        )
    state.network.load_state_dict(saved["network"])
    state.average = saved["average"]
    state.optimizer.load_state_dict(saved["optimizer"])
    state.step, state.elapsed_s = int(saved["step"]), float(saved["elapsed_s"])
    return True


def read_average(path: Path) -> tuple[dict[str, Tensor], int, float]:
    """Read the averaged weights of a checkpoint, its step and its training time in seconds.

    Raises:
        InputError: "checkpoint.missing".
    """
    if not path.is_file():
        raise InputError("checkpoint.missing", f"There is no checkpoint {path.name}.", "Train first.")
    saved = torch.load(path, map_location="cpu", weights_only=True)
    return dict(saved["average"]), int(saved["step"]), float(saved["elapsed_s"])
