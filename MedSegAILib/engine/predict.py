"""The loop over members, views and windows: one forward after the other, one sum (two where doubt is asked for).

Probabilities are averaged, never logits. Members outside, views inside, so that only one set of weights is in memory;
the network is made ready once and takes the weights of one member after the other. A GPU that runs out of memory is
stepped down from, with a sentence for the passport. Ring 2 (engine).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from MedSegAILib.core.errors import InputError, PackageError, ResourceError
from MedSegAILib.core.run import Cancel, RunOptions

from .activation import ACTIVATIONS
from .backend import Device, FloatArray, LoadedNetwork, NetworkShape, NetworkSpec, Shape, Weights, load_backend
from .device import Plan, choose
from .memory import MemoryPlan, Work, estimate_bytes, plan_memory, steps_down, words
from .sums import Counting, NumpySums, Sums, Window
from .views import View
from .windows import Windows

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """What to run on a case.

    Args:
        members: one function a member, each reads its weights when it is its turn; at least one.
        network: the same for all members.
        plan: backend, device, precision, threads.
        views: at least one; weights are normalized here.
        activation: "sigmoid" or "softmax" (over the channels).
        windows: how the box is cut; None for the whole box at once.
        memory_bytes: what a run on the CPU may take; 0 asks the system what is free.
        vote_above: also sum up which share of the passes lies above these probabilities, one for each output channel;
            None does not.
        sums_on_gpu: whether a GPU keeps the sums too, so that nothing but the result comes back from it; it cannot
            where windows are more than a part of the look (slices, ``each``).

    Raises:
        PackageError: "package.members", "package.views", "package.activation".
    """

    members: Sequence[Callable[[], Weights]]
    network: NetworkSpec
    plan: Plan
    views: tuple[View, ...]
    activation: str = "sigmoid"
    windows: Windows | None = None
    memory_bytes: int = 0
    vote_above: tuple[float, ...] | None = None
    sums_on_gpu: bool = True

    def __post_init__(self) -> None:
        for name, entries in (("members", self.members), ("views", self.views)):
            if not entries:
                raise PackageError(f"package.{name}", f"The package lists no {name}.", "Give at least one.")
        if self.activation not in ACTIVATIONS:
            raise PackageError(
                "package.activation",
                f"There is no activation {self.activation!r}.",
                f"The known ones are {', '.join(ACTIVATIONS)}.",
            )

    @property
    def pass_count(self) -> int:
        """Number of looks by a member; each is one forward, or one a window."""
        return len(self.members) * len(self.views)

    @property
    def has_sums_on_gpu(self) -> bool:
        """Whether the sums are kept on a GPU."""
        is_plain = self.windows is None or self.windows.is_plain
        return self.plan.device != "cpu" and self.sums_on_gpu and is_plain


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the members see, and by what means.

    Args:
        probabilities: mean over members and views, ``[k, z, y, x]``, float32, 0 to 1.
        votes: weighted share of the passes above ``Job.vote_above``, likewise; None when it was not asked for.
        plan: by which it ran in the end.
        memory: what was planned.
        fallbacks: steps down that were taken, one sentence each.
        forward_count: passes through a network, windows counted one by one.
    """

    probabilities: FloatArray
    votes: FloatArray | None
    plan: Plan
    memory: MemoryPlan
    fallbacks: tuple[str, ...]
    forward_count: int


def predict(array: FloatArray, job: Job, report: Report, cancel: Cancel) -> Prediction:
    """Average the probabilities of all members over all views.

    Args:
        array: ``[c, z, y, x]``, prepared as the network wants it; not changed.
        job: what to run.
        report: called with (forwards done, forwards to do), from (0, n) to (n, n); from 0 again after a step down.
        cancel: checked before every forward.

    Raises:
        Cancelled: "run.cancelled".
        InputError: "input.not_finite" when the array has NaN or infinity.
        ResourceError: "memory.not_enough" before the first forward, when no window is small enough;
            "engine.not_finite".
        PackageError: weights or graph do not fit (see ``Backend.load``), or a weight is not finite.
        SetupError: the library of the backend is missing.
    """
    # A ReLU may turn NaN into 0 (OpenVINO's does): a damaged input would give a plausible mask.
    if not np.isfinite(array).all():
        raise InputError(
            "input.not_finite",
            "The prepared image has values that are not numbers.",
            "Export the image again from its source.",
        )
    lower: Iterator[tuple[Job, str]] = _below(job, _shape(array))
    current = job
    fallbacks: tuple[str, ...] = ()
    while True:
        try:
            total, memory, count = _run(array, current, report, cancel)
        except ResourceError as error:
            step = next(lower, None) if error.code == "gpu.memory" else None
            if step is None:
                raise
            current, fallbacks = step[0], (*fallbacks, step[1])
        else:
            notes = (*fallbacks, memory.note) if memory.note else fallbacks
            return Prediction(total.mean(), total.votes(), current.plan, memory, notes, count)


def _run(array: FloatArray, job: Job, report: Report, cancel: Cancel) -> tuple[Sums, MemoryPlan, int]:
    """Run all passes by one plan; see :func:`predict`."""
    shape = _shape(array)
    backend = load_backend(job.plan.backend)
    device = Device(job.plan.device, job.plan.precision)
    memory = MemoryPlan(0, 0)
    total = _sums(job)
    views = sorted(job.views, key=lambda view: view.swaps_yx)  # turned ones together: weights are turned for them
    done = count = 0
    network: LoadedNetwork | None = None
    try:
        for read_weights in job.members:
            cancel.check()
            weights = _checked(read_weights())
            if network is None:
                memory = _planned(job, shape, weights)
                count = job.pass_count * (memory.windows.count(shape[1:]) if memory.windows else 1)
                report(done, count)
                network = backend.load(job.network, weights, _seen(shape, memory.windows), device, job.plan.threads)
            else:
                network.refill(weights)
            for view in views:
                for window in _windows(view, shape, memory.windows):
                    cancel.check()
                    total.add(network, view, array, window)
                    done += 1
                    report(done, count)
    finally:
        if network is not None:
            network.close()
    return total, memory, count


def _sums(job: Job) -> Sums:
    share = 1.0 / (sum(view.weight for view in job.views) * len(job.members))
    counting = Counting(share, job.activation, job.vote_above)
    if not job.has_sums_on_gpu:
        return NumpySums(counting)
    from .torch_sums import TorchSums

    return TorchSums(counting)


def _seen(shape: Shape, windows: Windows | None) -> NetworkShape:
    """Give the shape that the network sees in looks that are not turned."""
    return shape if windows is None else windows.seen(shape)


def _windows(view: View, shape: Shape, windows: Windows | None) -> Iterator[Window]:
    """Give the windows of a look, each with its shares; the whole look, without shares, where there are none."""
    if windows is None:
        yield Window()
    else:
        turned = windows.turned(swaps_yx=view.swaps_yx)
        for box, shares in turned.lay(view.shape(shape)[1:]):
            yield Window(box, shares, turned)


def _planned(job: Job, shape: Shape, weights: Weights) -> MemoryPlan:
    work = _work(job, shape, sum(tensor.nbytes for tensor in weights.values()))
    if job.plan.device != "cpu":
        return MemoryPlan(estimate_bytes(work, job.windows), 0, job.windows)
    return plan_memory(work, job.windows, job.memory_bytes)


def _work(job: Job, shape: Shape, weight_bytes: int = 0) -> Work:
    regions = int(job.network.arguments.get("out_channels", 3))
    return Work(job.network, job.plan.backend, shape, regions, weight_bytes, job.vote_above is not None)


def _below(job: Job, shape: Shape) -> Iterator[tuple[Job, str]]:
    """Give what to try when a GPU has too little memory: ever smaller windows, sums on the CPU, then all of it."""
    device = job.plan.device
    if device == "cpu":
        return
    smallest = job
    for windows in steps_down(_work(job, shape), job.windows):
        sentence = f"Computed in windows of {words(windows.size_zyx)} voxels: {device} had too little memory for more."
        smallest = replace(job, windows=windows)
        yield smallest, sentence
    if smallest.has_sums_on_gpu:
        sentence = f"Kept the sums on the CPU: {device} had too little memory for them."
        yield replace(smallest, sums_on_gpu=False), sentence
    plan = choose(RunOptions(device="cpu", threads=job.plan.threads))
    yield (
        replace(job, plan=plan),
        f"Ran on the CPU instead of {device}: it had too little memory for small windows too.",
    )


def _shape(array: FloatArray) -> Shape:
    channels, depth, height, width = array.shape
    return channels, depth, height, width


def _checked(weights: Weights) -> Weights:
    damaged = [name for name, tensor in weights.items() if not np.isfinite(tensor).all()]
    if damaged:
        raise PackageError(
            "package.weights",
            f"The tensor {damaged[0]!r} has values that are not numbers.",
            "Install the package again from its source.",
        )
    return weights
