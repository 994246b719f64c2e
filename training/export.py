"""From a checkpoint to a package folder: half-precision weights, graph, card, manifest, checksums.

The folder is made beside its goal and takes its place when it is whole and read back. Beside the library (training).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from MedSegAILib import networks
from MedSegAILib.core.errors import PackageError
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.tasks.package import FORMAT, MANIFEST, MANIFEST_CHECKSUM, Package, read_package, sha256

from .card import write_card
from .checkpoint import read_average
from .datasets import REGIONS
from .evaluate import SetScore
from .recipes.recipe import Recipe
from .tasks import BRAIN_TUMOR, Json

VERSION = "0.1.0"
MEMBER, GRAPH, CARD = "a0.safetensors", "graph.json", "card.md"
LARGEST_BYTES = 3 << 19  # 1.5 MiB: the small package travels inside the extension
DEEP_HEADS = ("deep_bottom.", "deep_bottom2.", "deep3.", "deep2.")


@dataclass(frozen=True)
class Training:
    """What a package tells of its training: steps done and hours on the clock."""

    steps: int
    hours: float


def export_run(recipe: Recipe, checkpoint: Path, folder: Path, scores: Sequence[SetScore] = ()) -> Package:
    """Make a package of the averaged weights of a run.

    Args:
        recipe: that of the run.
        checkpoint: its file.
        folder: of the package; one that is there is replaced.
        scores: results for card and manifest, from ``evaluate``.

    Raises:
        InputError: "checkpoint.missing".
        PackageError: "package.size" above 1.5 MiB.
    """
    average, steps, elapsed_s = read_average(checkpoint)
    return export_weights(recipe, average, folder, Training(steps, elapsed_s / 3600.0), scores)


def export_weights(
    recipe: Recipe, tensors: Mapping[str, Tensor], folder: Path, training: Training, scores: Sequence[SetScore] = ()
) -> Package:
    """Make a package of given weights; see :func:`export_run`."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    kept = {
        name: value.detach().to(torch.float16).contiguous()
        for name, value in tensors.items()
        if not name.startswith(DEEP_HEADS)
    }
    save_file(kept, part / MEMBER)
    (part / MEMBER).chmod(0o644)  # safetensors writes for the owner alone; an installed package is read by all
    graph = trace_graph(networks.build(recipe.network, **dict(recipe.arguments)).eval())
    _write(part / GRAPH, json.dumps(graph, separators=(",", ":")) + "\n")
    _write(part / CARD, write_card(recipe, training.steps, training.hours, scores))
    files = {name: sha256((part / name).read_bytes()) for name in (GRAPH, MEMBER, CARD)}
    content = json.dumps(manifest(recipe, training, scores, files), indent=1) + "\n"
    _write(part / MANIFEST, content)
    _write(part / MANIFEST_CHECKSUM, f"{sha256(content.encode())}  {MANIFEST}\n")
    _check_size(part)
    read_package(part)
    if folder.is_dir():
        shutil.rmtree(folder)
    part.replace(folder)
    return read_package(folder)


def manifest(recipe: Recipe, training: Training, scores: Sequence[SetScore], files: Mapping[str, str]) -> Json:
    """Give the manifest, format 1."""
    table = dict(BRAIN_TUMOR)
    decide = table.pop("decide")
    ensemble = {
        "name": "A",
        "prepare": [dict(step) for step in recipe.prepare],
        "network": {"name": recipe.network, "arguments": dict(recipe.arguments), "graph": GRAPH},
        "channels": list(REGIONS),
        "members": [MEMBER],
        "activation": "sigmoid",
    }
    head = {name: table.pop(name) for name in ("task", "title")}
    return {
        "format": FORMAT,
        **head,
        "version": VERSION,
        "trained_on": trained_on(recipe, training),
        **table,
        "stages": [{"name": "tumor", "ensembles": [ensemble], "decide": decide}],
        "expected": expected(scores),
        "files": dict(files),
    }


def trained_on(recipe: Recipe, training: Training) -> str:
    """Say in a sentence what the weights saw."""
    return (
        "8 glioma studies with four sequences, 22 with one or two (BraTS form, skull stripped), 66 heads with FLAIR "
        f"and mostly T1ce (whole tumor only), {recipe.phantoms.count} phantoms made by code; {training.steps} steps in "
        f"{training.hours:.1f} hours on two processor cores."
    )


def expected(scores: Sequence[SetScore]) -> Json:
    """Give the mean Dice by set and region, what it was measured on, and the commands that print it again."""
    return {
        "dice": {score.set_name: {name: round(value, 3) for name, value in score.means().items()} for score in scores},
        "data": "; ".join(f"{score.set_name}: {len(score.studies)} {score.part} studies" for score in scores)
        or "not measured",
        "command": "; ".join(score.command for score in scores),
    }


def _check_size(folder: Path) -> None:
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > LARGEST_BYTES:
        raise PackageError(
            "package.size",
            f"The package has {size} bytes; {LARGEST_BYTES} are allowed.",
            "Choose a narrower network.",
        )


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode())  # no change of line ends, or the checksum differs between systems
