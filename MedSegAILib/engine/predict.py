"""The loop over members and views: one forward after the other, one sum.

Probabilities are averaged, never logits. Members outside, views inside, so that only one set of weights is in memory;
views of one shape together, so that the network is made ready once for each shape. Ring 1 (verbs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAILib.core.errors import InputError, PackageError, ResourceError
from MedSegAILib.core.run import Cancel

from .activation import ACTIVATIONS
from .backend import Device, FloatArray, LoadedNetwork, NetworkSpec, Shape, Weights, load_backend
from .device import Plan
from .memory import check_memory, estimate_bytes
from .views import View, by_shape

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

    Raises:
        PackageError: "package.members", "package.views", "package.activation".
    """

    members: Sequence[Callable[[], Weights]]
    network: NetworkSpec
    plan: Plan
    views: tuple[View, ...]
    activation: str = "sigmoid"

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
    def forward_count(self) -> int:
        """Number of passes through a network; one unit of progress each."""
        return len(self.members) * len(self.views)


def predict(array: FloatArray, job: Job, report: Report, cancel: Cancel) -> FloatArray:
    """Average the probabilities of all members over all views.

    Args:
        array: ``[c, z, y, x]``, prepared as the network wants it; not changed.
        job: what to run.
        report: called with (forwards done, forwards to do), from (0, n) to (n, n).
        cancel: checked before every forward.

    Returns:
        ``[k, z, y, x]``, float32, 0 to 1.

    Raises:
        Cancelled: "run.cancelled".
        InputError: "input.not_finite" when the array has NaN or infinity.
        ResourceError: "memory.not_enough" before the first forward; "gpu.memory"; "engine.not_finite".
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
    shape: Shape = (array.shape[0], array.shape[1], array.shape[2], array.shape[3])
    backend = load_backend(job.plan.backend)
    device = Device(job.plan.device, job.plan.precision)
    share = 1.0 / (sum(view.weight for view in job.views) * len(job.members))
    total = _Sum(share, job.activation)
    done = 0
    report(done, job.forward_count)
    for number, read_weights in enumerate(job.members):
        cancel.check()
        weights = _checked(read_weights())
        if number == 0:
            _check_memory(job, shape, weights)
        for view_shape, views in by_shape(job.views, shape).items():
            cancel.check()
            network = backend.load(job.network, weights, view_shape, device, job.plan.threads)
            try:
                for view in views:
                    cancel.check()
                    total.add(network, view, array)
                    done += 1
                    report(done, job.forward_count)
            finally:
                network.close()
    return total.result()


class _Sum:
    """The one accumulator, made when the first result says how many channels there are."""

    def __init__(self, share: float, activation: str) -> None:
        self._share = share
        self._activate = ACTIVATIONS[activation]
        self._total: FloatArray | None = None

    def add(self, network: LoadedNetwork, view: View, array: FloatArray) -> None:
        """Run one view and add its share."""
        probabilities = self._activate(network.run(np.ascontiguousarray(view.apply(array))))
        np.multiply(probabilities, np.float32(view.weight * self._share), out=probabilities)
        back = view.invert(probabilities)
        if self._total is None:
            self._total = np.ascontiguousarray(back)
        else:
            np.add(self._total, back, out=self._total)

    def result(self) -> FloatArray:
        """Give the mean; see :func:`predict`."""
        if self._total is None or not np.isfinite(self._total).all():
            raise ResourceError(
                "engine.not_finite",
                "The network gave values that are not numbers.",
                "Run on the CPU; if it happens there too, install the package again from its source.",
            )
        return np.clip(self._total, 0.0, 1.0, out=self._total)  # the sum of shares may be 1 + 1e-7


def _checked(weights: Weights) -> Weights:
    damaged = [name for name, tensor in weights.items() if not np.isfinite(tensor).all()]
    if damaged:
        raise PackageError(
            "package.weights",
            f"The tensor {damaged[0]!r} has values that are not numbers.",
            "Install the package again from its source.",
        )
    return weights


def _check_memory(job: Job, shape: Shape, weights: Weights) -> None:
    if job.plan.device != "cpu":
        return
    weight_bytes = sum(tensor.nbytes for tensor in weights.values())
    regions = int(job.network.arguments.get("out_channels", 3))
    check_memory(estimate_bytes(job.network, job.plan.backend, shape, regions, weight_bytes), shape)
