"""The published ensemble on a GPU: 10 + 5 members of width 48, 12 looks each, one study. Seconds and share of bf16.

    python Testing/benchmarks/gpu.py

Random weights: speed depends on shapes only. The sums stay on the device, as in a run. Without a GPU it says so.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from MedSegAILib.core.run import Cancel
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.device import Plan, find_gpus
from MedSegAILib.engine.predict import Job, predict
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.engine.views import VIEW_SETS
from MedSegAILib.networks import build
from Testing.benchmarks.subject import forward_flops

NETWORK = "brats2020.EquiUnet"
MEMBERS = 10 + 5
BOX = (4, 144, 176, 144)  # the brain box of subject.FULL, padded
PRODUCT_EDGE = 8192


def product_speed(device: str, dtype: torch.dtype) -> float:
    """Give the floating point operations a second of the device's matrix product."""
    left, right = (torch.randn(PRODUCT_EDGE, PRODUCT_EDGE, device=device).to(dtype) for _ in range(2))
    times = []
    for _ in range(8):
        torch.cuda.synchronize()
        start = time.perf_counter()
        left @ right
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 2.0 * PRODUCT_EDGE**3 / min(times)


def measure(plan: Plan, width: int) -> tuple[float, float]:
    """Run the ensemble; give its seconds, reading and moving of weights included, and its operations."""
    torch.manual_seed(0)
    arguments = {"width": width, "norm": "group"}
    module = build(NETWORK, **arguments)
    graph = trace_graph(module)
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    spec = NetworkSpec(NETWORK, arguments, graph)
    case = np.random.default_rng(0).standard_normal(BOX, dtype=np.float32)
    views = VIEW_SETS["brats2020"]

    def run(members: int) -> float:
        job = Job([lambda: weights] * members, spec, plan, views, vote_above=(0.5, 0.5, 0.5))
        start = time.perf_counter()
        found = predict(case, job, lambda done, total: None, Cancel())
        for sentence in found.fallbacks:
            print(sentence)
        return time.perf_counter() - start

    run(1)  # kernels are chosen in the first run
    return run(MEMBERS), forward_flops(graph, weights, BOX) * MEMBERS * len(views)


def main() -> None:
    """Measure, or say why not."""
    parser = argparse.ArgumentParser(description="10 + 5 members x 12 looks on a GPU")
    parser.add_argument("--width", type=int, default=48)
    width = parser.parse_args().width
    gpus, why_none = find_gpus()
    if not gpus:
        print(f"no GPU: {why_none}. Nothing was measured.")
        return
    gpu = gpus[0]
    precisions: dict[str, Any] = {"bf16": torch.bfloat16, "fp16": torch.float16}
    speed = product_speed(gpu.device.name, precisions[gpu.device.precision])
    seconds, operations = measure(Plan("torch", gpu.device.name, gpu.device.precision, 1), width)
    print(
        f"{gpu.title}: {MEMBERS} members x 12 looks, width {width}, {' x '.join(map(str, BOX[1:]))} voxels, "
        f"{gpu.device.precision}: {seconds:.2f} s, {operations / seconds / 1e12:.0f} TF/s, "
        f"{operations / seconds / speed:.0%} of the matrix product's {speed / 1e12:.0f} TF/s; "
        f"{math.ceil(torch.cuda.max_memory_allocated() / 2**20)} MB on the device"
    )


if __name__ == "__main__":
    main()
