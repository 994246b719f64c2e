"""Runs of the published BraTS 2020 code become one package: pipelines A and B, merged by Table 1 when both are there.

Each run is one member. Not here: reading a run (``brats2020_checkpoint``). Ring 3.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from MedSegAILib import networks
from MedSegAILib.core.errors import PackageError, UsageError
from MedSegAILib.core.result import Notice
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.tasks.package import FORMAT
from MedSegAILib.tasks.sealing import package_draft, seal

from . import Imported, Precision
from .brats2020_checkpoint import PUBLISHED_NAMES, Run, read_run
from .brats2020_task import (
    CHANNELS,
    DECIDE,
    INPUTS,
    LABELS,
    PIPELINES,
    PRESETS,
    REFERENCE,
    REGIONS,
    TABLE_1,
    prepare_steps,
)

VERSION = "1.0.0"
CARD = "card.md"
TASK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NUMPY_TYPES: dict[Precision, type[np.floating[Any]]] = {"fp32": np.float32, "fp16": np.float16}
TEXTS = {
    "title": "Brain tumor (glioma, before surgery), networks of the published BraTS 2020 code",
    "version": VERSION,
    "license": "Not stated; whoever trained the networks decides.",
    "intended_use": "Research. Outlines whole tumor, tumor core and enhancing tumor of a glioma in brain MR.",
    "trained_on": "Told by whoever trained the networks; the card names the runs.",
    "not_for": "Clinical decisions; metastases, meningioma, children, scans after surgery; studies that are not "
    "registered, skull stripped and sampled at 1 mm, as those of the challenge are.",
}


def import_runs(sources: Sequence[Path], output: Path, precision: Precision = "fp32") -> Imported:
    """Make a package of run folders; see ``Importer``.

    Args:
        sources: run folders of the published code, each with ``model_best.pth.tar`` and its yaml.
        output: folder of the package, new or empty; its name becomes the name of the task.
        precision: of the written weights; "fp16" halves the files.

    Returns:
        The package as read back, its members, and what was assumed.

    Raises:
        UsageError: "import.sources" (none, or one twice), "import.name", "output.exists", "output.not_a_folder".
        PackageError: a run does not fit, see ``read_run``; "import.overflow" when fp16 cannot hold a weight.
        ResourceError: "output.not_writable".
    """
    _check_call(sources, output)
    with package_draft(output) as draft:
        members: list[dict[str, Any]] = []
        notices: list[Notice] = []
        for source in sources:
            run = read_run(source)
            members.append(_write_member(draft, run, members, precision))
            notices.extend(run.notices)
        _check_different(members)
        (draft / CARD).write_bytes(_card(members, precision, notices).encode())
        package = seal(draft, _manifest(output.name, members), output)
    return Imported(package, tuple(members), tuple(notices))


def _check_call(sources: Sequence[Path], output: Path) -> None:
    places = [source.resolve() for source in sources]
    if not places:
        raise UsageError("import.sources", "No run folder is given.", "Give at least one.")
    if len(set(places)) != len(places):
        raise UsageError("import.sources", "A run folder is given twice.", "Give each run folder once.")
    if not TASK_NAME.fullmatch(output.name):
        raise UsageError(
            "import.name",
            f"{output.name!r} cannot be the name of a task.",
            "Name the output folder with letters, digits, dots, dashes and underscores.",
        )


def _write_member(draft: Path, run: Run, before: Sequence[Mapping[str, Any]], precision: Precision) -> dict[str, Any]:
    """Write weights and, when it is the first of its kind, topology; give the facts of the member."""
    pipeline = PIPELINES[run.normalization]
    number = sum(member["ensemble"] == pipeline for member in before)
    file = f"{pipeline.lower()}{number}.safetensors"
    kind = PUBLISHED_NAMES[run.network].replace("_", "").lower()
    graph = f"graph-{kind}-{run.arguments['width']}-{run.arguments['norm']}.json"
    if not (draft / graph).exists():
        traced = trace_graph(networks.build(run.network, **run.arguments).eval())
        (draft / graph).write_bytes((json.dumps(traced, separators=(",", ":")) + "\n").encode())
    with np.errstate(over="ignore"):  # told below, with the name of the tensor
        tensors = {name: tensor.astype(NUMPY_TYPES[precision]) for name, tensor in run.tensors.items()}
    if lost := [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]:
        raise PackageError(
            "import.overflow", f"{lost[0]} of {run.name} has values too large for fp16.", "Import it as fp32."
        )
    (draft / file).write_bytes(save(tensors))
    return {
        "file": file,
        "source": run.name,
        "ensemble": pipeline,
        "network": {"name": run.network, "arguments": dict(run.arguments), "graph": graph},
        "parameters": run.parameter_count,
        "epoch": run.epoch,
        "heads_left_out": run.has_heads,
        "checkpoint_sha256": run.checkpoint_sha256,
    }


def _check_different(members: Sequence[Mapping[str, Any]]) -> None:
    """Refuse one checkpoint under two names: it would count twice and look like agreement."""
    seen: dict[str, Mapping[str, Any]] = {}
    for member in members:
        other = seen.setdefault(member["checkpoint_sha256"], member)
        if other is not member:
            raise UsageError(
                "import.sources",
                f"The checkpoints of {other['source']} and {member['source']} are the same file.",
                "Give each run once.",
            )


def _manifest(task: str, members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = sorted({member["ensemble"] for member in members})
    stage: dict[str, Any] = {
        "name": "tumor",
        "ensembles": [_ensemble(name, [m for m in members if m["ensemble"] == name]) for name in names],
        "decide": DECIDE,
    }
    if len(names) > 1:
        stage["merge"] = TABLE_1
    return {
        "format": FORMAT,
        "task": task,
        **TEXTS,
        "inputs": INPUTS,
        # The challenge always gave four, and pipeline B never trained with fewer.
        "subsets": [[entry["role"] for entry in INPUTS]],
        "reference": REFERENCE,
        "labels": LABELS,
        "regions": REGIONS,
        "stages": [stage],
        "presets": PRESETS,
        "expected": {"data": "not measured here"},
    }


def _ensemble(name: str, members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    usual = members[0]["network"]
    return {
        "name": name,
        "prepare": prepare_steps(name),
        "network": usual,
        "channels": CHANNELS,
        "members": [
            m["file"] if m["network"] == usual else {"file": m["file"], "network": m["network"]} for m in members
        ],
        "activation": "sigmoid",
    }


def _card(members: Sequence[Mapping[str, Any]], precision: Precision, notices: Sequence[Notice]) -> str:
    rows = [
        f"| `{m['file']}` | {m['ensemble']} | {PUBLISHED_NAMES[m['network']['name']]} | "
        f"{m['network']['arguments']['width']} | {m['network']['arguments']['norm']} | {m['parameters']} | "
        f"{'not told' if m['epoch'] is None else m['epoch']} | {_cell(m['source'])} | `{m['checkpoint_sha256']}` |"
        for m in members
    ]
    assumed = [f"- {_cell(notice.message)}" for notice in notices] or ["- nothing"]
    merging = "merged by Table 1" if len({m["ensemble"] for m in members}) > 1 else "one pipeline, no merging"
    return "\n".join(
        [
            "# Networks of the published BraTS 2020 code, imported",
            "",
            "Research use only; not for clinical decisions. Method: Henry et al., arXiv 2011.01045. The weights come "
            "from whoever trained them; license, training data and worth are theirs to tell. Nothing was measured.",
            "",
            "**What it takes.** T1, T1ce, T2, FLAIR, all four, as the challenge gives them: registered, skull "
            "stripped, 1 mm. Nothing is resampled.",
            f"**What it does.** Averages the members of each pipeline (A: min-max, B: z-score); {merging}. "
            f"Weights in {precision}; heads of deep supervision are left out.",
            "",
            "| File | Pipeline | Class | Width | Norm | Parameters | Epoch | Run | SHA-256 of the checkpoint |",
            "|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Assumed at the import:",
            *assumed,
            "",
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")
