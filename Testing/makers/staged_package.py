"""Packages whose networks are set by hand: one convolution that thresholds, shifts or averages.

Their answer is known for every voxel, so the stages, boxes, slices and steps of a manifest can be held to it. They have
a graph and weights only (no class in ``networks``), so they run on OpenVINO.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from Testing.makers.tiny_package import seal

SHARP = 400.0  # logits a unit of intensity: probabilities are 0 or 1 but for a hair around the threshold


def conv_graph(kernel_zyx: Sequence[int]) -> dict[str, Any]:
    """Give the graph of one convolution that keeps the size; two entries make it two-dimensional."""
    ones = [1] * len(kernel_zyx)
    node = {
        "name": "out",
        "op": "conv",
        "inputs": ["image"],
        "weight": "weight",
        "bias": "bias",
        "stride": ones,
        "padding": [size // 2 for size in kernel_zyx],
        "dilation": ones,
    }
    return {"format": 1, "input": "image", "output": "out", "nodes": [node]}


def above(thresholds: Sequence[float], axes: int = 3, inputs: int = 1) -> np.ndarray:
    """Give weights and biases ``[k, c, 1, ..., 2]`` of sigmoid channels that each ask: is the first input above?"""
    weight = np.zeros((len(thresholds), inputs, *[1] * axes), np.float32)
    weight[:, 0] = SHARP
    return weight, -SHARP * np.array(thresholds, np.float32)


def write_member(folder: Path, name: str, weight: np.ndarray, bias: np.ndarray) -> None:
    """Write the weights of a member, and its graph as ``<name>.json``."""
    save_file({"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)}, folder / f"{name}.safetensors")
    (folder / f"{name}.json").write_text(json.dumps(conv_graph(weight.shape[2:])), encoding="utf-8")


def ensemble(name: str, prepare: Sequence[Mapping[str, Any]], channels: Sequence[str], **more: Any) -> dict[str, Any]:
    """Give an ensemble of one member, ``<name>.safetensors``."""
    return {
        "name": name,
        "prepare": list(prepare),
        "network": {"name": f"test.{name}", "arguments": {"width": 1}, "graph": f"{name}.json"},
        "channels": list(channels),
        "members": [f"{name}.safetensors"],
        "activation": "sigmoid",
        **more,
    }


def manifest(stages: Sequence[Mapping[str, Any]], labels: Mapping[str, int], **more: Any) -> dict[str, Any]:
    """Give a manifest of one CT input with one region a label, and those of ``regions`` in ``more``."""
    regions = {name: [value] for name, value in labels.items()} | dict(more.pop("regions", {}))
    color = [1.0, 0.5, 0.0]
    return {
        "format": 1,
        "task": "staged",
        "title": "Staged test",
        "version": "0.0.1",
        "license": "Apache-2.0",
        "intended_use": "Tests of this software.",
        "trained_on": "Nothing; weights set by hand.",
        "not_for": "Anything else.",
        "inputs": [{"role": "CT", "title": "CT", "modality": "CT"}],
        "subsets": [["CT"]],
        "reference": ["CT"],
        "labels": [{"value": v, "name": n, "title": n.title(), "color": color} for n, v in labels.items()],
        "regions": [{"name": n, "title": n.title(), "labels": v, "color": color} for n, v in regions.items()],
        "presets": {name: {"views": "identity"} for name in ("fast", "balanced", "best")},
        "expected": {"data": "none"},
        "stages": list(stages),
        **more,
    }


def write_package(
    folder: Path, content: Mapping[str, Any], members: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> Path:
    """Write a package; ``members`` are weight and bias by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (weight, bias) in members.items():
        write_member(folder, name, weight, bias)
    (folder / "card.md").write_text("# Test package\n", encoding="utf-8")
    seal(folder, dict(content))
    return folder


WINDOW = {"step": "window_map", "low": -100, "high": 300}  # 0 HU is 0.25, 100 HU 0.5, 200 HU 0.75
PLAIN = ({"step": "orient", "axes": "LPS"}, WINDOW)


def cascade_manifest(**changes: Any) -> dict[str, Any]:
    """Give pancreas in miniature: an organ above 80 HU in a rough box, a tumor above 160 HU in the organ's box.

    Args:
        changes: fields of the two boxes: ``rough`` of the first, others of the second.
    """
    rough = changes.pop("rough", {"of": "body", "I_to_S": [0.05, 0.95]})
    first = {"rough": rough, **changes.pop("first", {})}
    second = {"from": "organ", "margin_mm": 6.0, **changes}
    return manifest(
        [
            {
                "name": "organ",
                "box": first,
                "ensembles": [ensemble("organ", PLAIN, ["organ"])],
                "decide": [
                    {"step": "threshold", "above": 0.5},
                    {"step": "largest_component", "regions": ["organ"]},
                    {"step": "paint", "order": [["organ", 1]]},
                ],
            },
            {
                "name": "tumor",
                "box": second,
                "ensembles": [ensemble("tumor", PLAIN, ["tumor"])],
                "decide": [{"step": "threshold", "above": 0.5}, {"step": "paint", "order": [["tumor", 2]]}],
            },
        ],
        {"pancreas": 1, "tumor": 2},
        regions={"organ": [1, 2]},
    )


CASCADE_MEMBERS = {"organ": above([0.45]), "tumor": above([0.65])}
