"""A hundred phantom studies, three of them corrupt, killed at three random seconds: prints the facts, draws the memory.

    python Testing/benchmarks/batch_hundred.py --plot docs/benchmarks/batch_memory.svg

The network is the tiny one of the tests (width 2, random weights): every other part is what runs on real studies. With
``--threshold`` a threshold stands in its place (and no pictures are drawn), which tells about the ledger in minutes.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from Testing.makers.shell import environment  # noqa: E402 - after the path is set
from Testing.makers.study_roots import count_of, entries, make_root, table  # noqa: E402
from Testing.makers.tiny_package import make_tiny_package  # noqa: E402

CORRUPT = (17, 42, 88)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--between-s", type=float, nargs=2, default=(20.0, 60.0), help="kill so long after a start")
    parser.add_argument("--size", type=int, default=32, help="voxels along each axis")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threshold", action="store_true", help="a threshold instead of the network")
    parser.add_argument("--plot", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="medsegai-hundred-") as name:
        folder = Path(name)
        make_tiny_package(folder / "packages" / "brain-tumor")
        corrupt = tuple(number for number in CORRUPT if number < given.studies)
        root = make_root(folder / "studies", given.studies, corrupt, given.size)
        run(folder, root, given)
        tell(folder / "out", given.studies)
        if given.plot:
            draw(folder / "out", given.plot)


def run(folder: Path, root: Path, given: argparse.Namespace) -> None:
    """Start the batch, kill it so many times, let it end."""
    chance = random.Random(given.seed)
    command = [sys.executable, "-m", "MedSegAILib.cli", "batch", root, "--task", "brain-tumor", "--output"]
    command = [*map(str, command), str(folder / "out")]
    if given.threshold:
        places = (root, folder / "out", folder / "packages")
        command = [sys.executable, "-m", "Testing.batch_driver", *map(str, places)]
    start_s = time.monotonic()
    for kill in range(given.kills + 1):
        process = subprocess.Popen(
            command,
            env=environment(folder / "packages"),
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if kill < given.kills:
            wait_s = chance.uniform(*given.between_s)
            try:
                process.wait(wait_s)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.wait()
            done = sum(count_of(folder / "out", "done").values()) if (folder / "out" / ".batch").is_dir() else 0
            print(f"kill -9 number {kill + 1} after {wait_s:.1f} s, {done} studies done")
        else:
            print(f"last run ended with exit code {process.wait()}")
    print(f"{time.monotonic() - start_s:.0f} s in all on {os.cpu_count()} cores")


def tell(output: Path, studies: int) -> None:
    """Print what became of the studies and whether anything was computed twice."""
    results, failed = table(output / "results.csv"), table(output / "failed.csv")
    print(f"{len(results)} results of {studies}")
    for line in failed:
        print(f"failed: {line['study']} {line['code']}: {line['message']}")
    done, begun = count_of(output, "done"), count_of(output, "begun")
    print(f"studies finished more than once: {sum(count > 1 for count in done.values())}")
    print(f"studies begun more than once (under way when the batch was killed): {sum(c > 1 for c in begun.values())}")
    again = [study for study, count in begun.items() if count > 1 and done_before_last_begin(output, study)]
    print(f"studies computed again after they were done: {len(again)}")
    for what, values in memory(output).items():
        early, late = np.median(values[:10]), np.median(values[-10:])
        print(f"memory of the {what}, MB: first ten {early:.0f}, last ten {late:.0f}, largest {max(values):.0f}")


def done_before_last_begin(output: Path, study: str) -> bool:
    events = [entry.event for entry in entries(output) if entry.study == study]
    return "done" in events[: len(events) - 1 - events[::-1].index("begun")]


def memory(output: Path) -> dict[str, list[float]]:
    """Give the MB after each study, of the computing process and of the batch itself."""
    told = [entry.facts for entry in entries(output) if entry.event == "done" and "memory_mb" in entry.facts]
    return {
        "computing process": [float(facts["memory_mb"]) for facts in told],
        "batch": [float(facts["batch_memory_mb"]) for facts in told],
    }


def draw(output: Path, path: Path) -> None:
    """Draw the memory after each study."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2))
    axes = figure.add_subplot()
    for what, values in memory(output).items():
        axes.plot(range(1, len(values) + 1), values, label=what)
    axes.set(xlabel="studies done", ylabel="MB resident", ylim=(0, None), title="Memory of a batch with three kill -9")
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasSVG(figure).print_svg(str(path), metadata={"Date": None})


if __name__ == "__main__":
    main()
