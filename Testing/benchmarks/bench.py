"""Our engine and task against MONAI's sliding windows, eager torch and a plain OpenVINO conversion. ``make bench``.

Same weights for all, each contender in its own process, rounds in turn with the order reversed, waiting threads put to
sleep so that core-seconds count work. Each ratio is split into its factors: voxels, transforms, engine.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from MedSegAILib.tasks.package import read_package  # noqa: E402 - the checkout comes first
from Testing.benchmarks.contenders import label_dice  # noqa: E402
from Testing.benchmarks.subject import FULL, QUICK, Size, forward_flops, make_subject  # noqa: E402
from Testing.benchmarks.tables import report  # noqa: E402

PAGE = CHECKOUT / "docs" / "benchmarks.md"
ROUND = ("monai", "eager", "converted", "ours", "task")
Numbers = dict[str, Any]


def run(name: str, folder: Path, threads: int) -> Numbers:
    """Run one contender in a fresh process."""
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": str(threads), "KMP_BLOCKTIME": "0"}
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            str(Path(__file__).with_name("contenders.py")),
            name,
            str(folder),
            str(threads),
        ],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(folder: Path, size: Size, threads: int, rounds: int) -> tuple[dict[str, Numbers], Numbers]:
    """Run all contenders in turn; give the median of each and the facts of the run."""
    facts: Numbers = {"window": size.window, "matmul_edge": 2048 if size == FULL else 256}
    facts |= {"volume": list(size.shape_zyx), "width": size.width, "threads": threads, "rounds": rounds}
    facts["weights"] = make_subject(folder, size)
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    run("convert", folder, threads)
    found: dict[str, list[Numbers]] = {name: [] for name in (*ROUND, "matmul")}
    for number in range(rounds):
        order = ("matmul", *ROUND)
        for name in order if number % 2 == 0 else reversed(order):
            print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
            found[name].append(run(name, folder, threads))
    facts["windows"] = run("windows", folder, threads)
    facts["accuracy"] = run("accuracy", folder, threads)
    package = read_package(folder / "package")
    ensemble = package.stages[0].ensembles[0]
    facts["box"] = list(np.load(folder / "box.npy", mmap_mode="r").shape)
    facts["flops"] = forward_flops(package.graph(ensemble), package.weights(ensemble.members[0]), facts["box"])
    facts["monai_voxels"] = monai_voxels(size)
    facts["agreement"] = agreement(folder)
    return {name: median(entries) for name, entries in found.items()}, facts


def monai_voxels(size: Size) -> int:
    """Count the voxels of all of MONAI's windows in one transform."""
    from monai.data.utils import dense_patch_slices

    window = (size.window,) * 3
    image = tuple(max(count, size.window) for count in size.shape_zyx)
    places = dense_patch_slices(
        image, window, tuple(edge // 2 if edge != length else edge for edge, length in zip(window, image, strict=True))
    )
    return len(places) * size.window**3


def agreement(folder: Path) -> Numbers:
    """Compare the mean probabilities and the labels of the contenders on the box with ours."""
    ours = np.load(folder / "ours.npy")
    told: Numbers = {}
    for name in ("eager", "converted"):
        theirs = np.load(folder / f"{name}.npy")
        told[name] = {
            "difference": float(np.abs(ours - theirs).max()),
            "dice": label_dice(ours > 0.5, theirs > 0.5),
            "voxels": int((ours > 0.5).sum()),
        }
    return told


def median(entries: list[Numbers]) -> Numbers:
    """Give the median of every number, the rest from the first entry; peaks as the largest."""
    first = dict(entries[0])
    for key, value in first.items():
        if isinstance(value, float):
            values = [entry[key] for entry in entries]
            first[key] = float(max(values) if key == "peak_mb" else np.median(values))
    return first


def machine() -> str:
    """Name the processor, its cores and the libraries."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "openvino", "monai", "numpy"))
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    import torch

    vectors = torch.backends.cpu.get_cpu_capability()
    return f"{cpu} ({vectors}), {os.cpu_count()} processors{load}; Python {platform.python_version()}, {libraries}"


def write_page(tables: str, where: str, command: str) -> None:
    """Write ``docs/benchmarks.md``."""
    today = datetime.date.today().isoformat()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    ).stdout.strip()
    PAGE.write_text(
        "# Benchmarks\n\n"
        "Corrections by clicks (Dice, clicks to 0.90, seconds) are on a page of their own: "
        "[corrections](benchmarks/interaction.md).\n\n"
        f"Written by `{command}` on {today}, commit {commit or 'unknown'}. {where}.\n\n"
        "Random noise of a shared machine is in the wall times; core-seconds repeat to a few percent. MONAI's windows\n"
        "see more voxels (overlap, air) and its list of transforms has repeats: the factors say what each saves.\n"
        "Ratios belong to their machine.\n"
        "On a GPU nothing is measured yet: `python Testing/benchmarks/gpu.py` is the command for it.\n\n"
        f"{tables}\n",
        encoding="utf-8",
    )


def main() -> None:
    """Read the arguments, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tiny volume and network, to see that it runs")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    where = machine()
    with tempfile.TemporaryDirectory(prefix="medsegai-bench-") as folder:
        numbers, facts = measure(Path(folder), size, options.threads, options.rounds)
    tables = report(numbers, facts)
    print(tables)
    if not options.quick:
        end = f", {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
        write_page(tables, where.replace(" at the start", f" at the start{end}"), "make bench")


if __name__ == "__main__":
    main()
