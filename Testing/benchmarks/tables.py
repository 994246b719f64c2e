"""The numbers of a benchmark as Markdown: contenders, ratios with their factors, agreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from Testing.benchmarks.subject import LISTED_TRANSFORMS

Numbers = dict[str, Any]

TITLES = {
    "monai": "MONAI SlidingWindowInferer, eager torch, whole volume",
    "eager": "eager torch, brain box",
    "converted": "plain OpenVINO conversion, brain box",
    "ours": "MedSegAI engine, brain box",
    "task": "MedSegAI whole task, volumes to labels",
}


def report(numbers: dict[str, Numbers], facts: Numbers) -> str:
    """Give all tables and sentences."""
    lines = [
        "| Contender | Transforms | core-s | wall s | peak MB | share of matrix product | torch in process |",
        "|---|---|---|---|---|---|---|",
        *[_contender(name, numbers, facts) for name in TITLES],
        "",
        "| Ratio of core-seconds | in all | voxels | transforms | engine |",
        "|---|---|---|---|---|",
        *_ratios(numbers, facts),
        "",
        *_agreement(numbers, facts),
        _accuracy(facts["accuracy"]),
        *_machine_share(numbers, facts),
        _windows(facts["windows"]),
        "",
        f"Volume {_size(facts['volume'])} at 1 mm (phantom of a stripped brain with a tumor), box "
        f"{_size(facts['box'][1:])}, BraTS 2020 U-Net (group norm) at width {facts['width']}, {facts['weights']}, "
        f"{facts['threads']} threads, median of {facts['rounds']} rounds.",
    ]
    return "\n".join(lines)


def full_core_s(name: str, numbers: dict[str, Numbers]) -> float:
    """Give the core-seconds of a contender's full job."""
    return float(numbers[name]["core_s"]) * _scale(name, numbers)


def _scale(name: str, numbers: dict[str, Numbers]) -> float:
    """MONAI's transforms are equal work: one is measured, sixteen are counted."""
    return LISTED_TRANSFORMS / numbers["monai"]["transforms"] if name == "monai" else 1.0


def _contender(name: str, numbers: dict[str, Numbers], facts: Numbers) -> str:
    entry, scale = numbers[name], _scale(name, numbers)
    voxels = _voxel_ratio(facts) if name == "monai" else 1.0
    passes = entry["transforms"] if "transforms" in entry else numbers["ours"]["transforms"]
    speed = facts["flops"] * voxels * passes / 1e9 / entry["core_s"]
    told = f"{passes * scale:.0f}" + (f" ({passes} measured)" if scale != 1.0 else "")
    return (
        f"| {TITLES[name]} | {told} | {entry['core_s'] * scale:.1f} | {entry['wall_s'] * scale:.1f} "
        f"| {entry['peak_mb']:.0f} | {speed / numbers['matmul']['gf_core_s']:.0%} "
        f"| {'yes' if entry['torch_loaded'] else 'no'} |"
    )


def _voxel_ratio(facts: Numbers) -> float:
    return float(facts["monai_voxels"]) / math.prod(facts["box"][1:])


def _ratios(numbers: dict[str, Numbers], facts: Numbers) -> list[str]:
    saved = (_voxel_ratio(facts), LISTED_TRANSFORMS / numbers["ours"]["transforms"])
    same = (1.0, 1.0)
    listed = (
        ("whole task against MONAI's default road", "monai", "task", saved),
        ("engine against MONAI's default road", "monai", "ours", saved),
        ("engine against eager torch, same box and transforms", "eager", "ours", same),
        ("engine against a plain OpenVINO conversion, same box and transforms", "converted", "ours", same),
    )
    rows = []
    for title, theirs, ours, (voxels, transforms) in listed:
        total = full_core_s(theirs, numbers) / full_core_s(ours, numbers)
        engine = total / voxels / transforms
        rows.append(f"| {title} | {total:.2f} | {voxels:.2f} | {transforms:.2f} | {engine:.2f} |")
    return rows


def _agreement(numbers: dict[str, Numbers], facts: Numbers) -> list[str]:
    ours = numbers["ours"]["peak_mb"]
    lines = [
        f"- Peak memory of the engine: {ours / numbers['eager']['peak_mb']:.2f} of eager torch, "
        f"{ours / numbers['monai']['peak_mb']:.2f} of MONAI, {ours / numbers['converted']['peak_mb']:.2f} of the plain "
        "conversion (whole processes, libraries included)."
    ]
    for name, said in facts["agreement"].items():
        lines.append(
            f"- Engine and {TITLES[name].split(',')[0]}: largest difference in probability {said['difference']:.1e}, "
            f"smallest label Dice {said['dice']:.5f} ({said['voxels']} voxels in regions)."
        )
    return lines


def _accuracy(found: Numbers) -> str:
    each = ", ".join(
        f"{TITLES[name].split(',')[0]} {error['largest']:.1e} (mean {error['mean']:.1e}, "
        f"{error['flips']} labels flipped)"
        for name, error in found["errors"].items()
    )
    return f"- Largest error of the probability against torch in float64, one look, {found['voxels']} voxels: {each}."


def _machine_share(numbers: dict[str, Numbers], facts: Numbers) -> list[str]:
    matmul = numbers["matmul"]
    steps = ", ".join(f"{step} {value:.2f}" for step, value in numbers["task"]["seconds"].items())
    return [
        f"- float32 matrix product: {matmul['gf_core_s']:.0f} GF a core-second, {matmul['gf_wall_s']:.0f} GF/s wall; "
        f"one forward on the box is {facts['flops'] / 1e9:.1f} GF (convolutions).",
        f"- Steps of the whole task, wall s: {steps}.",
    ]


def _windows(cut: Numbers) -> str:
    return (
        f"- Windows instead of the box, as the memory plan takes them (one transform): {cut['forwards']} windows of "
        f"{_size(cut['size'])}, planned {cut['needed_mb'][1]} MB instead of {cut['needed_mb'][0]} MB, "
        f"{cut['core_s']:.1f} core-s. Norms see a window only, so the answer differs: mean difference in probability "
        f"{cut['mean_difference']:.1e}, smallest label Dice {cut['dice']:.4f}."
    )


def _size(shape_zyx: Sequence[int]) -> str:
    return " x ".join(str(count) for count in reversed(shape_zyx))
