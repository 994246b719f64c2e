"""torch against OpenVINO on the shipped network: time, core-seconds, peak memory, agreement. ``make bench``.

Each engine runs in its own process, so that peak memory is its own and OpenVINO is measured without torch. Same array,
same weights, same number of threads; ratios come from one run of this file on one machine, other load included.
Not here: MONAI's sliding window and nnU-Net (they differ in voxels and views, so they are another comparison).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))
ENGINES = ("torch", "openvino")
RUNS = 5


def box_of(task: str) -> tuple[object, np.ndarray]:
    """The package and the array that its network sees for the sample study."""
    from MedSegAILib.io import read_study
    from MedSegAILib.tasks.prepare import prepare
    from MedSegAILib.tasks.store import find_package

    package = find_package(task)
    case = read_study(CHECKOUT / "Resources" / "SampleData" / task, package.roles)
    return package, prepare(case, package.roles, package.stages[0].ensembles[0].prepare).array


def measure(engine: str, task: str, threads: int, array_file: Path, logits_file: Path) -> None:
    """Run one engine in this process and print its numbers as JSON."""
    import resource

    from MedSegAILib.engine.backend import Device, NetworkSpec, load_backend
    from MedSegAILib.tasks.store import find_package

    ensemble = (package := find_package(task)).stages[0].ensembles[0]
    array = np.load(array_file)
    start_s = time.perf_counter()
    spec = NetworkSpec(ensemble.network, ensemble.arguments, package.graph(ensemble))
    weights = package.weights(ensemble.members[0])
    network = load_backend(engine).load(spec, weights, array.shape, Device(), threads)
    load_s = time.perf_counter() - start_s
    network.run(array)  # the first pass sets up buffers
    walls, cores = [], []
    for _ in range(RUNS):
        wall_s, core_s = time.perf_counter(), time.process_time()
        logits = network.run(array)
        walls.append(time.perf_counter() - wall_s)
        cores.append(time.process_time() - core_s)
    np.save(logits_file, logits)
    numbers = {
        "load_s": load_s,
        "wall_s": float(np.median(walls)),
        "core_s": float(np.median(cores)),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "torch_loaded": "torch" in sys.modules,
    }
    print(json.dumps(numbers))


def run_engine(engine: str, task: str, threads: int, array_file: Path, logits_file: Path) -> dict[str, float]:
    """Measure one engine in a fresh process."""
    arguments = ["--one", engine, "--task", task, "--threads", str(threads), str(array_file), str(logits_file)]
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(task: str, threads: int) -> None:
    """Measure both engines, one after the other, and print the table."""
    from MedSegAILib.engine.activation import ACTIVATIONS

    package, array = box_of(task)
    ensemble = package.stages[0].ensembles[0]
    with tempfile.TemporaryDirectory() as folder:
        array_file = Path(folder) / "array.npy"
        np.save(array_file, array)
        numbers, probabilities = {}, {}
        for engine in ENGINES:
            logits_file = Path(folder) / f"{engine}.npy"
            numbers[engine] = run_engine(engine, task, threads, array_file, logits_file)
            probabilities[engine] = ACTIVATIONS[ensemble.activation](np.load(logits_file))
    shape = " x ".join(map(str, array.shape))
    print(f"{package.title} {package.version}: {ensemble.network} {dict(ensemble.arguments)}, box {shape}")
    print(f"{threads} threads, median of {RUNS} passes, each engine in its own process")
    print(f"{'':12}{'load s':>9}{'wall s':>9}{'core-s':>9}{'peak MB':>9}   torch in process")
    for engine in ENGINES:
        row = numbers[engine]
        print(
            f"{engine:12}{row['load_s']:9.2f}{row['wall_s']:9.3f}{row['core_s']:9.3f}{row['peak_mb']:9.0f}"
            f"   {'yes' if row['torch_loaded'] else 'no'}"
        )
    ours, theirs = numbers["openvino"], numbers["torch"]
    ratios = [
        f"{name[:-2] if name.endswith('_s') else 'memory'} {theirs[name] / ours[name]:.2f}x"
        for name in ("wall_s", "core_s", "peak_mb")
    ]
    print(f"openvino against torch: {', '.join(ratios)}")
    difference = float(np.abs(probabilities["torch"] - probabilities["openvino"]).max())
    print(f"largest difference in probability: {difference:.2e}")


def main() -> None:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="brain-tumor")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--one", choices=ENGINES, help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.one, options.task, options.threads, *options.files)
    else:
        compare(options.task, options.threads)


if __name__ == "__main__":
    main()
