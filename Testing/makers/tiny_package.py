"""A real package of a few kB: the brain tumor task with a network of width 2 and seeded random weights.

Everything but the worth of its result is real: traced graph, fp16 safetensors, manifest, checksums. The same code with
trained weights is what ``training`` exports.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

NETWORK = "brats2020.EquiUnet"
ARGUMENTS: dict[str, Any] = {"width": 2, "norm": "group1"}
SEED = 20201
_TISSUE = {"scheme": "SCT", "value": "49755003", "meaning": "Morphologically Altered Structure"}
_BRAIN = {"scheme": "SCT", "value": "12738006", "meaning": "Brain"}


def make_tiny_package(folder: Path, *, task: str = "brain-tumor", seed: int = SEED) -> Path:
    """Write the package into a new folder and give the folder.

    Args:
        folder: is made; its name is the package's name.
        task: name of the task.
        seed: of the weights.
    """
    folder.mkdir(parents=True)
    write_network(folder, seed)
    (folder / "card.md").write_text("# Test package\n\nRandom weights; worth nothing.\n", encoding="utf-8")
    seal(folder, manifest(task))
    return folder


def write_network(folder: Path, seed: int = SEED) -> None:
    """Write ``graph.json`` and ``a0.safetensors`` of a network with random weights."""
    import torch
    from safetensors.torch import save_file

    from MedSegAILib.engine.trace import trace_graph
    from MedSegAILib.networks import build

    state = torch.get_rng_state()
    torch.manual_seed(seed)
    network = build(NETWORK, **ARGUMENTS).eval()
    torch.set_rng_state(state)
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / "a0.safetensors")
    (folder / "graph.json").write_text(json.dumps(trace_graph(network)), encoding="utf-8")


def seal(folder: Path, content: dict[str, Any]) -> None:
    """Write the manifest with the checksum of every other file, and its own beside it."""
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("manifest"))
    content = {**content, "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}}
    encoded = json.dumps(content, indent=1).encode()
    (folder / "manifest.json").write_bytes(encoded)
    (folder / "manifest.sha256").write_text(f"{hashlib.sha256(encoded).hexdigest()}  manifest.json\n", encoding="utf-8")


def manifest(task: str = "brain-tumor") -> dict[str, Any]:
    """Give the manifest of the tiny package, without its checksums."""
    return {
        "format": 1,
        "task": task,
        "title": "Brain tumor (test package)",
        "version": "0.0.1",
        "license": "Apache-2.0",
        "intended_use": "Tests of this software.",
        "trained_on": "Nothing; random weights.",
        "not_for": "Anything else.",
        "inputs": [
            {"role": role, "title": title, "modality": "MR"}
            for role, title in (("T1", "T1"), ("T1ce", "T1 with contrast"), ("T2", "T2"), ("FLAIR", "FLAIR"))
        ],
        "subsets": [["T1", "T1ce", "T2", "FLAIR"], ["T1ce", "FLAIR"], ["FLAIR"]],
        "reference": ["T1ce", "FLAIR", "T1", "T2"],
        "labels": [
            _entry("NCR", "Necrotic and non-enhancing core", [0.9, 0.3, 0.3], "6574001", "Necrosis", value=1),
            _entry("ED", "Edema", [0.3, 0.8, 0.4], "79654002", "Edema", value=2),
            _entry("ET", "Enhancing tumor", [1.0, 0.85, 0.2], "108369006", "Neoplasm", value=4),
        ],
        "regions": [
            _entry("WT", "Whole tumor", [0.3, 0.8, 0.4], "108369006", "Neoplasm", labels=[1, 2, 4]),
            _entry("TC", "Tumor core", [0.9, 0.3, 0.3], "108369006", "Neoplasm", labels=[1, 4]),
            _entry("ET", "Enhancing tumor", [1.0, 0.85, 0.2], "108369006", "Neoplasm", labels=[4]),
        ],
        "stages": [
            {
                "name": "tumor",
                "ensembles": [
                    {
                        "name": "A",
                        "prepare": [
                            {"step": "orient", "axes": "LPS"},
                            {"step": "crop_nonzero"},
                            {"step": "scale_percentiles", "lower": 1, "upper": 99},
                            {"step": "resample", "spacing_mm": 2.0},
                            {"step": "pad", "multiple": 8},
                        ],
                        "network": {"name": NETWORK, "arguments": ARGUMENTS, "graph": "graph.json"},
                        "channels": ["ET", "TC", "WT"],
                        "members": ["a0.safetensors"],
                        "activation": "sigmoid",
                    }
                ],
                "decide": [
                    {"step": "threshold", "above": 0.5},
                    {"step": "paint", "order": [["WT", 2], ["TC", 1], ["ET", 4]]},
                ],
            }
        ],
        "presets": {"fast": {"views": "identity"}, "balanced": {"views": "flip_x"}, "best": {"views": "flips"}},
        "expected": {"data": "none"},
    }


def _entry(name: str, title: str, color: list[float], code: str, meaning: str, **more: Any) -> dict[str, Any]:
    kind = {"scheme": "SCT", "value": code, "meaning": meaning}
    terminology = {"category": _TISSUE, "type": kind, "region": _BRAIN}
    return {"name": name, "title": title, "color": color, "terminology": terminology, **more}
