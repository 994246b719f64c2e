"""The benchmark runs, compares equal things, and counts what it says it counts."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from Testing.benchmarks.subject import QUICK, forward_flops, make_phantom
from Testing.benchmarks.tables import TITLES, report
from Testing.makers.source_facts import CHECKOUT


def test_quick_bench_compares_all_contenders_and_they_agree():
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "Testing" / "benchmarks" / "bench.py"), "--quick", "--rounds", "1"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("| ")}
    assert set(TITLES.values()) <= set(rows)
    torch_in = {name: rows[TITLES[name]].rstrip(" |").endswith("yes") for name in TITLES}
    assert torch_in == {"monai": True, "eager": True, "converted": False, "ours": False, "task": False}
    agreements = re.findall(r"probability ([\d.e+-]+), smallest label Dice ([\d.]+) \((\d+) voxels", done.stdout)
    assert len(agreements) == 2
    for difference, dice, voxels in agreements:
        assert float(difference) < 1e-4
        assert float(dice) >= 0.999
        assert int(voxels) > 0
    assert not (CHECKOUT / "docs" / "benchmarks.md").is_file() or "quick" not in (
        CHECKOUT / "docs" / "benchmarks.md"
    ).read_text(encoding="utf-8")


def test_flops_of_a_forward_are_those_of_the_page():
    """performance.md: 58.5 GF at width 8 on 128 cubed, 1995.5 at width 48, counted by another tool."""
    torch = pytest.importorskip("torch")
    from MedSegAILib.engine.trace import trace_graph
    from MedSegAILib.networks import build

    for width, wanted in ((8, 58.5), (48, 1995.5)):
        with torch.device("meta"):
            network = build("brats2020.EquiUnet", width=width).eval()
        weights = {name: np.empty(tuple(tensor.shape), np.uint8) for name, tensor in network.state_dict().items()}
        assert forward_flops(trace_graph(network), weights, (4, 128, 128, 128)) / 1e9 == pytest.approx(wanted, rel=0.01)


def test_phantom_has_the_brain_that_was_asked_for():
    case = make_phantom(QUICK)
    filled = np.argwhere(case.volumes["FLAIR"].array)
    lengths = filled.max(axis=0) - filled.min(axis=0) + 1
    assert np.abs(lengths - QUICK.brain_zyx).max() <= 1


def test_factors_of_a_ratio_multiply_to_it():
    entry = {"core_s": 2.0, "wall_s": 1.0, "peak_mb": 100.0, "torch_loaded": False, "transforms": 12}
    numbers = {name: dict(entry) for name in (*TITLES, "matmul")}
    numbers["monai"] |= {"core_s": 8.0, "transforms": 1}
    numbers["task"]["seconds"] = {"predict": 1.0}
    numbers["matmul"] |= {"gf_core_s": 50.0, "gf_wall_s": 100.0}
    cut = {"forwards": 8, "size": [8, 8, 8], "needed_mb": [2, 1], "core_s": 1.0, "mean_difference": 0.0, "dice": 1.0}
    facts = {"volume": [8, 8, 8], "box": [4, 8, 8, 8], "monai_voxels": 4 * 512, "flops": 1e9, "windows": cut}
    errors = {name: {"largest": 1e-5, "mean": 1e-6, "flips": 0} for name in ("eager", "converted", "ours")}
    facts |= {
        "accuracy": {"errors": errors, "voxels": 512},
        "agreement": {},
        "width": 4,
        "weights": "random weights",
        "threads": 1,
        "rounds": 1,
    }
    row = next(line for line in report(numbers, facts).splitlines() if line.startswith("| engine against MONAI"))
    total, voxels, transforms, engine = (float(cell) for cell in row.split("|")[2:6])
    assert total == 8.0 * 16 / 2.0
    assert (voxels, transforms) == (4.0, 1.33)
    assert voxels * 16 / 12 * engine == pytest.approx(total)
