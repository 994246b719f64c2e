"""Run folders as the published BraTS 2020 code writes them: ``model_best.pth.tar`` and a yaml, in the authors' names.

Names and shapes are those of ``brats2020_checkpoint_tensors.json``; that ours are the same is held by
``test_tensor_names_shapes_and_order_are_those_of_a_checkpoint``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from MedSegAILib.networks import build

from .brats2020_fixture import CASES, fixture_weights, state_shapes

ARCHS = {"EquiUnet": "EquiUnet", "AttEquiUnet": "Att_EquiUnet", "Unet": "Unet"}
NORM_LAYERS = {"group": "group", "instance": "inorm", "none": "none", "group4": "group4"}


def fixture_tensors(tag: str, *, heads: bool = True) -> dict[str, np.ndarray]:
    """Weights of a case of the forward fixture; heads take part in the rule also when they are left out."""
    name, width, norm, _ = CASES[tag]
    with torch.device("meta"):
        shapes = state_shapes(build(f"brats2020.{name}", width=width, norm=norm, deep_heads=True))
    weights = fixture_weights(shapes)
    return {key: weights[key] for key in shapes if heads or not key.startswith("deep")}


def write_fixture_run(folder: Path, tag: str, *, heads: bool = True, prefix: str = "", **settings: Any) -> Path:
    """Write the run of a fixture case."""
    name, width, norm, _ = CASES[tag]
    fields = {"arch": ARCHS[name], "width": width, "norm_layer": NORM_LAYERS[norm], "deep_sup": heads, **settings}
    return write_run(folder, fixture_tensors(tag, heads=heads), fields, prefix=prefix)


def write_random_run(folder: Path, name: str, width: int, norm: str, seed: int, **settings: Any) -> Path:
    """Write the run of a network with seeded random weights, norms and biases included."""
    fields = {"arch": ARCHS[name], "width": width, "norm_layer": NORM_LAYERS[norm], "deep_sup": True, **settings}
    return write_run(folder, random_tensors(name, width, norm, seed), fields)


def random_tensors(name: str, width: int, norm: str, seed: int) -> dict[str, np.ndarray]:
    """Random weights of a network with heads, in the order of its state dict."""
    with torch.device("meta"):
        shapes = state_shapes(build(f"brats2020.{name}", width=width, norm=norm, deep_heads=True))
    rng = np.random.default_rng(seed)
    tensors = {}
    for key, shape in shapes.items():
        spread = 0.3 if len(shape) < 2 else (2.0 / max(1, int(np.prod(shape[1:])))) ** 0.5
        center = 1.0 if key.endswith("bn.weight") else 0.0
        tensors[key] = (center + spread * rng.standard_normal(shape)).astype(np.float32)
    return tensors


def write_run(
    folder: Path, tensors: Mapping[str, np.ndarray], settings: Mapping[str, Any] | None, *, prefix: str = ""
) -> Path:
    """Write a run folder.

    Args:
        folder: is made.
        tensors: of the state dict, in its order.
        settings: fields of the yaml beside the usual ones; None writes no yaml.
        prefix: before every tensor's name, "module." as several GPUs leave it.
    """
    folder.mkdir(parents=True)
    state = OrderedDict((prefix + name, torch.from_numpy(value)) for name, value in tensors.items())
    moments = {
        number: {"step": 12, "exp_avg": tensor * 0, "exp_avg_sq": tensor * 0, "slow_buffer": tensor.clone()}
        for number, tensor in enumerate(list(state.values())[:3])
    }
    group = {"lr": 1e-4, "alpha": 0.5, "k": 6, "betas": (0.95, 0.999), "params": [0, 1, 2]}
    content = {
        "epoch": 42,
        "arch": "Unet",  # what the published attention class calls itself too
        "state_dict": state,
        "optimizer": {"state": moments, "param_groups": [group]},
        "scheduler": {"T_max": 100, "eta_min": 0, "base_lrs": [1e-4], "last_epoch": 3, "_step_count": 4},
    }
    torch.save(content, folder / "model_best.pth.tar")
    if settings is not None:
        write_yaml(folder, settings)
    return folder


def write_yaml(folder: Path, settings: Mapping[str, Any]) -> Path:
    """Write the yaml of a run, keys sorted, as the published trainer does."""
    usual = {"batch_size": 1, "com": None, "devices": "0", "dropout": 0.0, "exp_name": folder.name, "lr": 0.0001}
    fields = {**usual, **settings}
    path = folder / f"{folder.name}.yaml"
    path.write_text("".join(f"{key}: {_yaml(fields[key])}\n" for key in sorted(fields)), encoding="utf-8")
    return path


def _yaml(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"'{value}'" if isinstance(value, str) and value.isdigit() else str(value)
