"""The default backend on a CPU: OpenVINO runs the package's graph, no torch in the process.

Always float32: bf16, where a CPU has it, changes masks. The model itself is written in ``openvino_model``. Ring 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from MedSegAILib.core.errors import ResourceError

from .backend import Device, DeviceInfo, FloatArray, NetworkShape, NetworkSpec, Weights
from .graph import tensor_names
from .openvino_draft import Slot
from .openvino_model import build_model, check_names
from .openvino_pairs import LANES
from .probe import PROBE_GRAPH, check_probe, probe_array, probe_weights
from .turning import treats_yx_alike


class OpenVinoBackend:
    """Runs graphs on the CPU; see ``Backend``.

    Args:
        lanes: float32 values of a vector; 0 asks the machine.
    """

    name = "openvino"

    def __init__(self, lanes: int = 0) -> None:
        self._core = openvino.Core()
        self._lanes = lanes

    def load(
        self, network: NetworkSpec, weights: Weights, shape_czyx: NetworkShape, device: Device, threads: int
    ) -> OpenVinoNetwork:
        """Build and compile the network for one shape; see ``Backend.load``."""
        if device.name != "cpu" or device.precision != "fp32":
            raise ResourceError(
                "device.precision",
                f"The openvino backend runs on the CPU in fp32, not on {device.name} in {device.precision}.",
                "Choose the torch backend for a GPU.",
            )
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
        }
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        self._lanes = self._lanes or vector_lanes(self._core)
        return OpenVinoNetwork(_Maker(self._core, settings, self._lanes, network), weights, shape_czyx)

    def devices(self) -> list[DeviceInfo]:
        """Give the CPU."""
        return [DeviceInfo(Device(), str(self._core.get_property("CPU", "FULL_DEVICE_NAME")).strip())]

    def probe(self, device: Device) -> None:
        """Run one small convolution; see ``Backend.probe``."""
        array = probe_array()
        shape = (array.shape[0], array.shape[1], array.shape[2], array.shape[3])
        network = self.load(NetworkSpec("probe", {}, PROBE_GRAPH), probe_weights(), shape, device, 1)
        check_probe(network.run(array), device)


@dataclass(frozen=True)
class _Maker:
    """Builds and compiles one network for shapes."""

    core: Any
    settings: dict[str, Any]
    lanes: int
    network: NetworkSpec

    def make(self, weights: Weights, shape_czyx: NetworkShape) -> _Compiled:
        built = build_model(self.network.graph, weights, shape_czyx, self.lanes)
        return _Compiled(self.core.compile_model(built.model, "CPU", self.settings), built.slots)


class _Compiled:
    """A compiled model with the weights it was filled with last."""

    def __init__(self, compiled: Any, slots: tuple[Slot, ...]) -> None:
        self.compiled = compiled
        self.slots = slots
        self._request: Any = compiled.create_infer_request()
        self._filled: tuple[Weights | None, bool] = (None, False)

    def run(self, array: FloatArray, weights: Weights, *, is_turned: bool) -> FloatArray:
        """Give the logits of one image."""
        if self._filled[0] is not weights or self._filled[1] != is_turned:
            for place, slot in enumerate(self.slots, start=1):
                self._request.get_input_tensor(place).data[...] = slot.filled(weights, is_turned=is_turned)
            self._filled = (weights, is_turned)
        batch = np.ascontiguousarray(array[None], dtype=np.float32)
        logits: FloatArray = self._request.infer({0: batch}, share_inputs=True)[0][0]
        return logits


class OpenVinoNetwork:
    """A compiled network; see ``LoadedNetwork``.

    A look with y and x swapped is the same network with its kernels swapped, run on the look as it lies: the memory
    of the model, of which the first use costs as much as half a forward, serves both. Where that cannot be, the
    network is compiled anew for the other way round; one of both is in memory at a time, as the memory plan has it.
    """

    def __init__(self, maker: _Maker, weights: Weights, shape_czyx: NetworkShape) -> None:
        self._maker = maker
        self._shape = shape_czyx
        self._weights = weights
        self._model: _Compiled | None = maker.make(weights, shape_czyx)
        self._is_flat = len(shape_czyx) == 3
        self._is_turnable = treats_yx_alike(maker.network.graph or {}, len(shape_czyx) - 1)

    def run(self, array: FloatArray) -> FloatArray:
        """Give logits; see ``LoadedNetwork.run``."""
        if self._is_flat:
            # A slice keeps all cores busy; a batch of them would need a model of its own for the last, shorter one.
            return np.stack([self._run_one(image) for image in array])
        return self._run_one(array)

    def _run_one(self, image: FloatArray) -> FloatArray:
        if self._model is None:
            raise ValueError("run() after close()")
        if image.shape == self._shape:
            return self._model.run(image, self._weights, is_turned=False)
        if self._is_turnable:
            logits = self._model.run(image.swapaxes(-2, -1), self._weights, is_turned=True)
            turned: FloatArray = logits.swapaxes(-2, -1)
            return turned
        self._shape = image.shape
        self._model = None
        self._model = self._maker.make(self._weights, self._shape)
        return self._model.run(image, self._weights, is_turned=False)

    def refill(self, weights: Weights) -> None:
        """Take other weights; see ``LoadedNetwork.refill``."""
        if self._model is None:
            raise ValueError("refill() after close()")
        check_names(tensor_names(self._maker.network.graph or {}), weights)
        for slot in self._model.slots:
            slot.check(weights)
        self._weights = weights

    def close(self) -> None:
        """Give memory back."""
        self._model = None


def vector_lanes(core: Any) -> int:
    """Ask OpenVINO which vectors its convolutions use here: 16 float32 with AVX-512, else 8.

    A small convolution is compiled; the name of its kernel tells.
    """
    x = ops.parameter([1, 16, 8, 8, 8], np.float32)
    ones = [1, 1, 1]
    kernel = ops.constant(np.ones((16, 16, 3, 3, 3), np.float32))
    model = openvino.Model([ops.convolution(x, kernel, ones, ones, ones, ones)], [x])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    kinds = [str(node.get_rt_info()["primitiveType"].astype(str)) for node in compiled.get_runtime_model().get_ops()]
    return LANES if any("avx512" in kind for kind in kinds) else 8
