"""What a backend is, which ones there are, and how one is loaded.

A backend takes a network and weights and gives a function from an array to logits; it knows nothing of views,
members, grids or labels. Backends load their library late, when they are asked for. Ring 1 (verbs).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import SetupError, UsageError

FloatArray = npt.NDArray[np.float32]
Weights = Mapping[str, FloatArray]
Shape = tuple[int, int, int, int]
# What a network sees: (c, z, y, x), or (c, y, x) for networks of two dimensions.
NetworkShape = Shape | tuple[int, int, int]

BACKENDS: dict[str, str] = {
    "openvino": "openvino_backend:OpenVinoBackend",
    "torch": "torch_backend:TorchBackend",
}


@dataclass(frozen=True)
class NetworkSpec:
    """Which network a package holds.

    Args:
        name: a key of ``networks.NETWORKS``; what the torch backend builds.
        arguments: of its class.
        graph: its topology in the words of ``engine.graph``; what the other backends build. None is enough for torch.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    graph: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Device:
    """Where a network runs and how it calculates.

    Args:
        name: "cpu", "cuda" or "cuda:<n>".
        precision: "fp32", or on a GPU "bf16" or "fp16" (convolutions only; logits come back as float32).
    """

    name: str = "cpu"
    precision: str = "fp32"


@dataclass(frozen=True)
class DeviceInfo:
    """A device that a backend sees: where, what it calls itself, its memory in MB (0 when it does not say)."""

    device: Device
    title: str
    memory_mb: int = 0


class LoadedNetwork(Protocol):
    """A network with weights, ready for arrays of one shape and its turned looks."""

    def run(self, array: FloatArray) -> FloatArray:
        """Give logits ``[k, z, y, x]`` for ``[c, z, y, x]``; both float32, the result is the caller's own.

        A network of two dimensions takes slices, ``[n, c, y, x]``, and gives ``[n, k, y, x]``.

        Args:
            array: of the shape that was loaded, or of that with y and x swapped; any strides.

        Raises:
            ResourceError: "gpu.memory" when the device has too little memory.
        """
        ...

    def refill(self, weights: Weights) -> None:
        """Take the weights of another member of the same network; cheaper than loading it.

        Raises:
            PackageError: "package.weights" for a missing or misshapen tensor.
        """
        ...

    def close(self) -> None:
        """Give memory back; ``run`` must not be called afterwards."""
        ...


class Backend(Protocol):
    """A way to run networks."""

    name: str

    def load(
        self, network: NetworkSpec, weights: Weights, shape_czyx: NetworkShape, device: Device, threads: int
    ) -> LoadedNetwork:
        """Make a network ready.

        Args:
            network: what to build.
            weights: tensors by name; more than the network uses (heads of training) is no error.
            shape_czyx: shape of the arrays that will come; (c, y, x) for a network of two dimensions.
            device: where to run.
            threads: CPU threads, 0 = all cores.

        Raises:
            PackageError: "package.weights" for a missing or misshapen tensor, or a shape that does not suit the
                network (its channels, an axis that its poolings do not divide); "package.graph" for a topology that
                is missing, not sound or of a newer version.
            ResourceError: "device.precision" when the device cannot calculate so.
        """
        ...

    def devices(self) -> list[DeviceInfo]:
        """Give the devices that this backend sees, the best first."""
        ...

    def probe(self, device: Device) -> None:
        """Run one small convolution and compare it with its known result.

        Raises:
            ResourceError: "device.wrong_result" when the numbers are off.
            RuntimeError: what the library itself says when the device does not work.
        """
        ...


def load_backend(name: str) -> Backend:
    """Load the library behind a backend.

    Raises:
        UsageError: "options.backend" for an unknown name.
        SetupError: "setup.openvino_missing", "setup.torch_missing" when its library is missing or does not load.
    """
    if name not in BACKENDS:
        raise UsageError("options.backend", f"There is no backend {name!r}.", f"Choose one of {', '.join(BACKENDS)}.")
    module_name, _, class_name = BACKENDS[name].partition(":")
    try:
        module = importlib.import_module(f".{module_name}", __package__)
    except (ImportError, OSError) as error:  # OSError: a shared library of it is missing
        raise SetupError(
            f"setup.{name}_missing",
            f"The backend {name} needs the library {name}, which does not load here ({error}).",
            f"Install {name}, or choose another backend.",
        ) from error
    backend: Backend = getattr(module, class_name)()
    return backend
