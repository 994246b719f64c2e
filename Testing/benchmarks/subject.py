"""What is measured: a brain-sized phantom, a package with one network of a given width, and their files.

Everything lies in one folder, so that each contender runs in a process of its own and reads what it needs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.volume import Grid, Volume
from Testing.makers.tiny_package import manifest, seal

ROLES = ("T1", "T1ce", "T2", "FLAIR")
NETWORK = "brats2020.EquiUnet"
VIEWS = "brats2020"
LISTED_TRANSFORMS = 16  # of the paper; 12 are distinct
# Mean intensity of brain, edema, core and rim by sequence; the order of brightness of real ones.
BRIGHTNESS = {
    "T1": (300, 240, 180, 260),
    "T1ce": (310, 250, 190, 520),
    "T2": (260, 420, 460, 340),
    "FLAIR": (240, 430, 300, 360),
}


@dataclass(frozen=True)
class Size:
    """How large everything is.

    Args:
        shape_zyx: of the volume, 1 mm voxels.
        brain_zyx: lengths of the brain, an ellipsoid in the middle.
        window: edge of MONAI's windows.
        width: of the network.
    """

    shape_zyx: tuple[int, int, int] = (155, 240, 240)
    brain_zyx: tuple[int, int, int] = (139, 173, 138)
    window: int = 128
    width: int = 8


FULL = Size()
QUICK = Size((40, 56, 56), (28, 42, 36), 32, 4)


def make_subject(folder: Path, size: Size) -> str:
    """Write package, case and the prepared box; give a sentence on the weights."""
    package_folder = folder / "package"
    package_folder.mkdir()
    source = _write_weights(package_folder, size.width)
    content: dict[str, Any] = manifest("bench")
    ensemble = content["stages"][0]["ensembles"][0]
    ensemble["prepare"] = [step for step in ensemble["prepare"] if step["step"] != "resample"]
    ensemble["network"]["arguments"] = _arguments(size.width)
    content["presets"]["best"]["views"] = VIEWS
    seal(package_folder, content)
    case = make_phantom(size)
    np.save(folder / "case.npy", np.stack([case.volumes[role].array for role in ROLES]))
    from MedSegAILib.tasks.package import read_package
    from MedSegAILib.tasks.prepare import prepare

    steps = read_package(package_folder).stages[0].ensembles[0].prepare
    np.save(folder / "box.npy", prepare(case, ROLES, steps).array)
    # MONAI's default road sees the whole volume, normalized alike.
    np.save(
        folder / "whole.npy",
        prepare(case, ROLES, [s for s in steps if s["step"] in ("orient", "scale_percentiles")]).array,
    )
    return source


def grid_of(size: Size) -> Grid:
    """Give the grid of the volume: 1 mm, axes to the left, posterior, superior, as BraTS files have them."""
    return Grid(size.shape_zyx, np.diag([-1.0, -1.0, 1.0, 1.0]))


def make_phantom(size: Size) -> Case:
    """Give the four sequences of a stripped brain with a tumor of three nested balls, 3 % noise."""
    axes = np.ogrid[tuple(slice(0, count) for count in size.shape_zyx)]
    middle = [(count - 1) / 2 for count in size.shape_zyx]
    brain = sum(
        ((axis - center) / (length / 2)) ** 2 for axis, center, length in zip(axes, middle, size.brain_zyx, strict=True)
    )
    distance = np.sqrt(
        sum(
            (axis - center - length / 8) ** 2 for axis, center, length in zip(axes, middle, size.brain_zyx, strict=True)
        )
    )
    radius = min(size.brain_zyx) / 5
    rng = np.random.default_rng(20)
    volumes = {}
    for role in ROLES:
        tissue, edema, core, rim = BRIGHTNESS[role]
        image = np.full(size.shape_zyx, tissue, np.float32)
        for part, value in ((1.0, edema), (0.6, rim), (0.35, core)):
            image[distance <= part * radius] = value
        image *= 1 + 0.03 * rng.standard_normal(size.shape_zyx, dtype=np.float32)
        volumes[role] = Volume(np.where(brain <= 1, image, np.float32(0)), grid_of(size), name=role)
    return Case(volumes, name="phantom")


def case_from(folder: Path) -> Case:
    """Read the case again."""
    arrays = np.load(folder / "case.npy")
    grid = Grid(arrays.shape[1:], np.diag([-1.0, -1.0, 1.0, 1.0]))
    return Case({role: Volume(array, grid, name=role) for role, array in zip(ROLES, arrays, strict=True)})


def forward_flops(graph: dict[str, Any], weights: dict[str, np.ndarray], shape_czyx: tuple[int, ...]) -> float:
    """Count the floating point operations of the convolutions of one forward: two a multiplication."""
    sizes = {graph["input"]: np.array(shape_czyx[1:], float)}
    total = 0.0
    for node in graph["nodes"]:
        before = sizes[node["inputs"][0]]
        after = before
        if node["op"] == "conv":
            after = before / np.array(node["stride"])
            total += 2.0 * weights[node["weight"]].size * float(np.prod(after))
        elif node["op"] == "max_pool":
            after = before / np.array(node["stride"])
        elif node["op"] == "upsample_linear":
            after = before * np.array(node["factor"])
        sizes[node["name"]] = after
    return total


def _arguments(width: int) -> dict[str, Any]:
    return {"width": width, "norm": "group"}


def _write_weights(folder: Path, width: int) -> str:
    """Write graph and weights: those of the shipped member that fits, else random ones."""
    import torch
    from safetensors.torch import save_file

    from MedSegAILib.engine.trace import trace_graph
    from MedSegAILib.networks import build

    torch.manual_seed(20)
    network = build(NETWORK, **_arguments(width)).eval()
    trained = _shipped_weights(width)
    if trained:
        own = {name: torch.from_numpy(trained[name]) for name in network.state_dict() if name in trained}
        network.load_state_dict(own)
    tensors = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / "a0.safetensors")
    (folder / "graph.json").write_text(json.dumps(trace_graph(network)), encoding="utf-8")
    return "weights of the shipped package" if trained else "random weights"


def _shipped_weights(width: int) -> dict[str, np.ndarray]:
    from MedSegAILib.tasks.store import find_package

    try:
        package = find_package("brain-tumor")
    except MedSegAIError:
        return {}
    for ensemble in package.stages[0].ensembles:
        for network, members in ensemble.by_network():
            if network.name == NETWORK and dict(network.arguments) == _arguments(width):
                return package.weights(members[0])
    return {}
