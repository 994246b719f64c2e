"""The contenders: each runs in a process of its own, does its job once, and prints its numbers as JSON.

``python contenders.py NAME FOLDER THREADS``; the folder is ``subject.make_subject``'s. Seconds are those of the whole
job after its libraries were imported: reading weights, making the network ready, all passes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

MONAI_TRANSFORMS = 1  # measured; the sixteen are equal work


def monai(folder: Path, threads: int) -> dict[str, Any]:
    """MONAI's default road: sliding windows over the whole volume, eager torch; one of the sixteen transforms."""
    import torch
    from monai.inferers import SlidingWindowInferer

    torch.set_num_threads(threads)
    facts = json.loads((folder / "facts.json").read_text())
    start = _clocks()
    module = _module(folder)
    inferer = SlidingWindowInferer(roi_size=(facts["window"],) * 3, sw_batch_size=1, overlap=0.5)
    volume = torch.from_numpy(np.load(folder / "whole.npy"))[None]
    with torch.inference_mode():
        probabilities = torch.sigmoid(inferer(volume, module))[0].numpy()
    np.save(folder / "monai.npy", probabilities > 0.5)
    return {**_since(start), "transforms": MONAI_TRANSFORMS}


def eager(folder: Path, threads: int) -> dict[str, Any]:
    """Eager torch on our box and our transforms."""
    import torch

    torch.set_num_threads(threads)
    start = _clocks()
    module = _module(folder)

    def run(array: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return torch.sigmoid(module(torch.from_numpy(array)[None]))[0].numpy()

    return _over_views(folder, "eager", lambda shape: run, start)


def converted(folder: Path, threads: int) -> dict[str, Any]:
    """A plain conversion by OpenVINO, made beforehand, on our box and our transforms; no torch in the process."""
    import openvino

    start = _clocks()
    core = openvino.Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
    }

    def load(shape: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
        model = core.read_model(folder / "converted.xml")
        model.reshape([1, *shape])
        request = core.compile_model(model, "CPU", settings).create_infer_request()

        def run(array: np.ndarray) -> np.ndarray:
            logits = request.infer({0: np.ascontiguousarray(array[None])}, share_inputs=True)[0][0]
            return 1 / (1 + np.exp(-logits))

        return run

    return _over_views(folder, "converted", load, start)


def ours(folder: Path, threads: int) -> dict[str, Any]:
    """Our engine on the same box and transforms."""
    from MedSegAILib.core.run import Cancel
    from MedSegAILib.engine.predict import predict

    start = _clocks()
    prediction = predict(np.load(folder / "box.npy"), _job(folder, threads), lambda done, total: None, Cancel())
    numbers = _since(start)
    np.save(folder / "ours.npy", prediction.probabilities)
    return {**numbers, "transforms": prediction.forward_count}


def task(folder: Path, threads: int) -> dict[str, Any]:
    """Our whole task, from four volumes to the label map with its doubt: check, prepare, predict, undo, decide."""
    from MedSegAILib.core.run import RunOptions
    from MedSegAILib.tasks.package import read_package
    from MedSegAILib.tasks.pipeline import segment
    from Testing.benchmarks.subject import case_from

    case = case_from(folder)
    start = _clocks()
    options = RunOptions(preset="best", device="cpu", backend="openvino", threads=threads)
    result = segment(case, read_package(folder / "package"), options)
    return {**_since(start), "seconds": dict(result.passport.seconds)}


def windows(folder: Path, threads: int) -> dict[str, Any]:
    """Our engine in windows, as the memory plan cuts them when little is free: what they cost and change."""
    from dataclasses import replace

    from MedSegAILib.core.run import Cancel
    from MedSegAILib.engine.memory import Work, estimate_bytes, steps_down
    from MedSegAILib.engine.predict import predict
    from MedSegAILib.engine.views import VIEW_SETS

    box = np.load(folder / "box.npy")
    job = replace(_job(folder, threads), views=VIEW_SETS["identity"])
    whole = predict(box, job, lambda done, total: None, Cancel())
    work = Work(job.network, "openvino", box.shape)
    sizes = list(steps_down(work))
    small = [size for size in sizes if estimate_bytes(work, size) <= 0.6 * estimate_bytes(work)]
    start = _clocks()
    cut = predict(box, replace(job, windows=(small or sizes[-1:])[0]), lambda done, total: None, Cancel())
    return {
        **_since(start),
        "size": list(cut.memory.windows.size_zyx),
        "forwards": cut.forward_count,
        "needed_mb": [whole.memory.needed_bytes >> 20, cut.memory.needed_bytes >> 20],
        "mean_difference": float(np.abs(cut.probabilities - whole.probabilities).mean()),
        "dice": label_dice(cut.probabilities > 0.5, whole.probabilities > 0.5),
    }


def accuracy(folder: Path, threads: int) -> dict[str, Any]:
    """How far eager torch, the plain conversion and our engine are from torch in float64, on the middle of the box."""
    import copy

    import openvino
    import torch

    from MedSegAILib.engine.backend import Device, load_backend

    torch.set_num_threads(threads)
    box = np.load(folder / "box.npy")
    depth = box.shape[1] // 8 * 4
    start = box.shape[1] // 32 * 8
    part = np.ascontiguousarray(box[:, start : start + depth])
    module, job = _module(folder), _job(folder, threads)
    with torch.inference_mode():
        image = torch.from_numpy(part)[None]
        exact = torch.sigmoid(copy.deepcopy(module).double()(image.double()))[0].numpy()
        found = {"eager": module(image)[0].numpy()}
    core = openvino.Core()
    model = core.read_model(folder / "converted.xml")
    model.reshape([1, *part.shape])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found["converted"] = compiled({0: part[None]})[0][0]
    found["ours"] = (
        load_backend("openvino").load(job.network, job.members[0](), part.shape, Device(), threads).run(part)
    )
    told = {}
    for name, logits in found.items():
        probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
        error = np.abs(probabilities - exact)
        flips = int(np.count_nonzero((probabilities > 0.5) != (exact > 0.5)))
        told[name] = {"largest": float(error.max()), "mean": float(error.mean()), "flips": flips}
    return {"errors": told, "voxels": int(np.prod(part.shape[1:]))}


def matmul(folder: Path, threads: int) -> dict[str, Any]:
    """The machine's float32 matrix product: GF a core-second and GF a second."""
    import torch

    torch.set_num_threads(threads)
    edge = int(json.loads((folder / "facts.json").read_text())["matmul_edge"])
    left, right = torch.rand(edge, edge), torch.rand(edge, edge)
    left @ right
    best = [0.0, 0.0]
    for _ in range(6):
        wall_s, core_s = time.perf_counter(), time.process_time()
        left @ right
        done = 2.0 * edge**3 / 1e9
        best[0] = max(best[0], done / max(time.process_time() - core_s, 1e-9))
        best[1] = max(best[1], done / (time.perf_counter() - wall_s))
    return {"gf_core_s": best[0], "gf_wall_s": best[1]}


def convert(folder: Path, threads: int) -> dict[str, Any]:
    """Make the plain conversion, once, where torch is."""
    import openvino
    import torch

    model = openvino.convert_model(_module(folder), example_input=torch.zeros(1, 4, 16, 16, 16))
    openvino.save_model(model, folder / "converted.xml", compress_to_fp16=False)
    return {}


CONTENDERS: dict[str, Callable[[Path, int], dict[str, Any]]] = {
    "monai": monai,
    "eager": eager,
    "converted": converted,
    "ours": ours,
    "task": task,
    "windows": windows,
    "accuracy": accuracy,
    "matmul": matmul,
    "convert": convert,
}


def label_dice(ours_: np.ndarray, theirs: np.ndarray) -> float:
    """The smallest Dice over the regions, ``[k, z, y, x]`` bool; both empty is 1."""
    scores = []
    for one, other in zip(ours_, theirs, strict=True):
        size = int(one.sum()) + int(other.sum())
        scores.append(2.0 * int((one & other).sum()) / size if size else 1.0)
    return min(scores)


def _job(folder: Path, threads: int) -> Any:
    from MedSegAILib.engine.backend import NetworkSpec
    from MedSegAILib.engine.device import Plan
    from MedSegAILib.engine.predict import Job
    from MedSegAILib.engine.views import VIEW_SETS
    from MedSegAILib.tasks.package import read_package
    from Testing.benchmarks.subject import VIEWS

    package = read_package(folder / "package")
    ensemble = package.stages[0].ensembles[0]
    spec = NetworkSpec(ensemble.network, ensemble.arguments, package.graph(ensemble))
    plan = Plan("openvino", "cpu", "fp32", threads)
    return Job([lambda: package.weights(ensemble.members[0])], spec, plan, VIEW_SETS[VIEWS])


def _module(folder: Path) -> Any:
    import torch

    from MedSegAILib.networks import build
    from MedSegAILib.tasks.package import read_package

    package = read_package(folder / "package")
    ensemble = package.stages[0].ensembles[0]
    module = build(ensemble.network, **ensemble.arguments).eval()
    weights = package.weights(ensemble.members[0])
    module.load_state_dict({name: torch.from_numpy(weights[name]) for name in module.state_dict()})
    return module


def _over_views(folder: Path, name: str, load: Callable[..., Any], start: tuple[float, float]) -> dict[str, Any]:
    """Average over our views with a function that runs one look; save the mean."""
    from MedSegAILib.engine.views import VIEW_SETS
    from Testing.benchmarks.subject import VIEWS

    box = np.load(folder / "box.npy")
    views = VIEW_SETS[VIEWS]
    total: np.ndarray | None = None
    groups: dict[tuple[int, ...], list[Any]] = {}
    for view in views:
        groups.setdefault(view.shape(box.shape), []).append(view)
    for shape, same in groups.items():
        run = load(shape)
        for view in same:
            part = view.invert(run(np.ascontiguousarray(view.apply(box)))) * np.float32(view.weight)
            total = np.array(part) if total is None else np.add(total, part, out=total)
    total /= sum(view.weight for view in views)
    numbers = _since(start)
    np.save(folder / f"{name}.npy", total)
    return {**numbers, "transforms": len(views)}


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(start: tuple[float, float]) -> dict[str, Any]:
    import resource

    now = _clocks()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_s": now[0] - start[0], "core_s": now[1] - start[1], "peak_mb": peak_mb}


if __name__ == "__main__":
    numbers = CONTENDERS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({**numbers, "torch_loaded": "torch" in sys.modules}))
