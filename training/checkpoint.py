"""The state of a run on disk: written whole, read back to the bit, tensors and plain values only.

Beside the library (training).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from MedSegAILib.core.errors import InputError

CHECKPOINT = "checkpoint.pt"
UNKNOWN_MACHINE = "two processor cores"  # what older checkpoints, which do not tell, were made on


@dataclass
class Best:
    """The best look at the held-out studies so far, and how many looks were no better since."""

    score: float = -1.0
    step: int = 0
    looks_since: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class State:
    """What a run is.

    Args:
        network, optimizer: as they stand.
        average: weights that ship: a running mean, or the arithmetic mean of ``members`` weights.
        step, elapsed_s: how far the run came, all resumptions together.
        members: weights in the arithmetic mean.
        best: see there.
        precision: the scaler of half precision.
        machine: where it was trained, in words.
    """

    network: nn.Module
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    step: int = 0
    elapsed_s: float = 0.0
    members: int = 0
    best: Best = field(default_factory=Best)
    precision: dict[str, Any] = field(default_factory=dict)
    machine: str = ""


@dataclass(frozen=True, eq=False)
class Shipped:
    """What a checkpoint gives to a package."""

    weights: dict[str, Tensor]
    steps: int
    elapsed_s: float
    machine: str


def save(state: State, folder: Path, recipe_name: str, keep: str = "last") -> Path:
    """Write the state; a run killed while writing keeps the file from before.

    Args:
        state: of the run.
        folder: of the run.
        recipe_name: kept, so that no other recipe goes on with it.
        keep: "best" lets the weights of the best look ship, once there is one.
    """
    path = folder / CHECKPOINT
    part = path.with_suffix(".part")
    ships_best = keep == "best" and bool(state.best.weights)
    torch.save(
        {
            "recipe": recipe_name,
            "step": state.step,
            "elapsed_s": state.elapsed_s,
            "network": state.network.state_dict(),
            "average": state.best.weights if ships_best else state.average,
            "running": state.average if ships_best else None,
            "optimizer": state.optimizer.state_dict(),
            "members": state.members,
            "best": asdict(state.best),
            "precision": state.precision,
            "machine": state.machine,
        },
        part,
    )
    part.replace(path)
    return path


def restore(state: State, saved: dict[str, Any]) -> None:
    """Fill a fresh state from what :func:`read_checkpoint` gave; older files lack what came later."""
    state.network.load_state_dict(saved["network"])
    state.average = saved.get("running") or saved["average"]
    state.optimizer.load_state_dict(saved["optimizer"])
    state.step, state.elapsed_s = int(saved["step"]), float(saved["elapsed_s"])
    state.members = int(saved.get("members", 0))
    state.best = Best(**saved.get("best", {}))
    state.precision = saved.get("precision", {})
    state.machine = str(saved.get("machine", UNKNOWN_MACHINE))


def read_checkpoint(folder: Path, recipe_name: str) -> dict[str, Any] | None:
    """Read the checkpoint of a run folder; None when there is none yet.

    Raises:
        InputError: "checkpoint.recipe" when another recipe wrote it.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if saved["recipe"] != recipe_name:
        raise InputError(
            "checkpoint.recipe",
            f"The checkpoint in {folder.name} is of recipe {saved['recipe']!r}, not {recipe_name!r}.",
            "Choose another run folder.",
        )
    return saved


def read_shipped(path: Path) -> Shipped:
    """Read the averaged weights of a checkpoint, its steps, its training time, and the machine.

    Raises:
        InputError: "checkpoint.missing".
    """
    if not path.is_file():
        raise InputError("checkpoint.missing", f"There is no checkpoint {path.name}.", "Train first.")
    saved = torch.load(path, map_location="cpu", weights_only=True)
    machine = str(saved.get("machine") or UNKNOWN_MACHINE)
    return Shipped(dict(saved["average"]), int(saved["step"]), float(saved["elapsed_s"]), machine)
