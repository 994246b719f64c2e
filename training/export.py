"""From checkpoints to a package folder: half-precision weights, graphs, card, manifest, checksums.

The folder is made beside its goal and takes its place when it is whole and read back. Which runs become which stage is
told by the task (``training.tasks``). Beside the library (training).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from MedSegAILib import networks
from MedSegAILib.core.errors import PackageError
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.tasks.eight_bit import narrowed
from MedSegAILib.tasks.package import FORMAT, MANIFEST, MANIFEST_CHECKSUM, Package, read_package, sha256

from .card import write_card
from .recipes import find_recipe
from .recipes.recipe import Recipe
from .run import Run, Weights, read_run
from .scores import SetScore
from .tasks.task import EnsemblePlan, Json, StagePlan, Task

VERSION = "0.1.0"
CARD = "card.md"
LARGEST_BYTES = 3 << 19  # 1.5 MiB: the small package travels inside the extension
DEEP_HEADS = ("deep_bottom.", "deep_bottom2.", "deep3.", "deep2.")


def export_task(task: Task, runs_folder: Path, folder: Path, scores: Sequence[SetScore] = ()) -> Package:
    """Make the package of a task from the run folders of its recipes; see :func:`export_runs`."""
    return export_runs(task, lambda name: read_run(find_recipe(name), runs_folder / name), folder, scores)


def export_runs(task: Task, run_of: Callable[[str], Run], folder: Path, scores: Sequence[SetScore] = ()) -> Package:
    """Make a package of averaged weights.

    Args:
        task: its stages name the recipes.
        run_of: gives the run of a recipe's name.
        folder: of the package; one that is there is replaced.
        scores: results for card and manifest, from ``evaluate``.

    Raises:
        InputError: "checkpoint.missing".
        PackageError: "package.size" above 1.5 MiB for a task that travels with the extension.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        _fill(part, task, run_of, scores)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if folder.is_dir():
        shutil.rmtree(folder)
    part.replace(folder)
    return read_package(folder)


def _fill(part: Path, task: Task, run_of: Callable[[str], Run], scores: Sequence[SetScore]) -> None:
    writer = _Writer(task, part, run_of)
    stages = [writer.stage(plan) for plan in task.stages]
    _write(part / CARD, write_card(task, writer.runs, scores))
    files = {path.name: sha256(path.read_bytes()) for path in sorted(part.iterdir())}
    content = json.dumps(manifest(task, stages, writer.runs, scores, files), indent=1) + "\n"
    _write(part / MANIFEST, content)
    _write(part / MANIFEST_CHECKSUM, f"{sha256(content.encode())}  {MANIFEST}\n")
    if task.travels:
        _check_size(part)
    read_package(part)


class _Writer:
    """Writes members and graphs of one package and tells what the manifest says of them."""

    def __init__(self, task: Task, folder: Path, run_of: Callable[[str], Run]) -> None:
        self._task, self._folder, self._run_of = task, folder, run_of
        self._graphs: dict[str, str] = {}  # file by the network's name and arguments
        self.runs: list[Run] = []

    def stage(self, plan: StagePlan) -> Json:
        prefix = f"{plan.name}-" if len(self._task.stages) > 1 else ""
        ensembles = [self._ensemble(one, prefix, plan.eight_bit) for one in plan.ensembles]
        box = self._run_of(plan.ensembles[0].recipes[0]).recipe.box
        placed = {"box": dict(box)} if box else {}
        return {"name": plan.name, **placed, "ensembles": ensembles, "decide": list(plan.decide), **plan.more}

    def _ensemble(self, plan: EnsemblePlan, prefix: str, eight_bit: bool) -> Json:
        runs = [self._run_of(name) for name in plan.recipes]
        self.runs.extend(runs)
        usual = runs[0].recipe
        usual_network = self._network(usual)
        members: list[str | Json] = []
        for number, run in enumerate(runs):
            file = f"{prefix}{plan.name.lower().replace(' ', '-')}{number}.safetensors"
            _save(run.weights, self._folder / file, eight_bit=eight_bit)
            network = self._network(run.recipe)
            members.append(file if network == usual_network else {"file": file, "network": network})
        window = {"window": dict(usual.window)} if usual.window else {}
        return {
            "name": plan.name,
            "prepare": [dict(step) for step in usual.prepare],
            "network": usual_network,
            "channels": ["background"] * (usual.activation == "softmax") + list(usual.channels),
            "members": members,
            "activation": usual.activation,
            **window,
        }

    def _network(self, recipe: Recipe) -> Json:
        arguments = dict(recipe.arguments)
        key = json.dumps([recipe.network, arguments], sort_keys=True)
        if key not in self._graphs:
            file = f"graph-{len(self._graphs)}.json" if self._graphs else "graph.json"
            graph = trace_graph(networks.build(recipe.network, **arguments).eval())
            _write(self._folder / file, json.dumps(graph, separators=(",", ":")) + "\n")
            self._graphs[key] = file
        return {"name": recipe.network, "arguments": arguments, "graph": self._graphs[key]}


def manifest(
    task: Task, stages: Sequence[Json], runs: Sequence[Run], scores: Sequence[SetScore], files: Mapping[str, str]
) -> Json:
    """Give the manifest."""
    table = dict(task.table)
    head = {name: table.pop(name) for name in ("task", "title")}
    if task.card.warning:
        table["notice"] = task.card.warning
    return {
        "format": FORMAT,
        **head,
        "version": VERSION,
        "trained_on": trained_on(task, runs),
        **table,
        "stages": list(stages),
        "expected": expected(scores),
        "files": dict(files),
    }


def trained_on(task: Task, runs: Sequence[Run]) -> str:
    """Say in a sentence what the weights saw."""
    saw = []
    for set_name in dict.fromkeys(name for run in runs for name in run.recipe.set_names):
        words = task.card.learned_on[set_name]
        count = max(run.recipe.phantoms.count for run in runs)
        saw.append(f"{count} {words}" if set_name == "phantom" else words)
    told = "; ".join(f"{run.recipe.name}: {run.steps} steps in {run.hours:.1f} hours on {run.machine}" for run in runs)
    return f"{', '.join(saw)}. {told}."


def expected(scores: Sequence[SetScore]) -> Json:
    """Give the mean Dice by set and region, what it was measured on, and the commands that print it again.

    Scores of studies that were shown only in part stand apart, by what was shown.
    """
    whole = [score for score in scores if not score.inputs]
    parts = {"+".join(score.inputs): _means(score) for score in scores if score.inputs}
    return {
        "dice": {score.set_name: _means(score) for score in whole},
        **({"dice_by_inputs": parts} if parts else {}),
        "data": "; ".join(f"{score.set_name}: {len(score.studies)} {score.part} studies" for score in whole)
        or "not measured",
        "command": "; ".join(score.command for score in scores),
    }


def _means(score: SetScore) -> dict[str, float]:
    return {name: round(value, 3) for name, value in score.means().items()}


def _save(weights: Weights, path: Path, *, eight_bit: bool) -> None:
    # safetensors writes numpy's memory as it lies: channels that came last in training must come first again.
    kept = {
        name: value.detach().float().contiguous().numpy()
        for name, value in weights.items()
        if not name.startswith(DEEP_HEADS) and value.is_floating_point()
    }
    save_file(narrowed(kept) if eight_bit else {name: value.astype(np.float16) for name, value in kept.items()}, path)
    path.chmod(0o644)  # safetensors writes for the owner alone; an installed package is read by all


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
