"""The reference backend, and the one for GPUs: torch builds the network's own class.

On a CPU it calculates in plain float32 (channels-last is faster, but its group norm is off by 4e-4); on a GPU in
channels-last with bf16 or fp16 convolutions. Ring 1 (verbs).
"""

from __future__ import annotations

import contextlib
import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSegAILib.core.errors import PackageError, ResourceError
from MedSegAILib.networks import build

from .backend import Device, DeviceInfo, FloatArray, NetworkShape, NetworkSpec, Weights
from .probe import check_probe, probe_array, probe_weights

PRECISIONS: dict[str, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
MEBIBYTE = 1 << 20


class TorchBackend:
    """Runs torch modules on the CPU or a CUDA device; see ``Backend``."""

    name = "torch"

    def load(
        self, network: NetworkSpec, weights: Weights, shape_czyx: NetworkShape, device: Device, threads: int
    ) -> TorchNetwork:
        """Build the network and put its weights in; see ``Backend.load``."""
        check_precision(device)
        if threads and device.name == "cpu":
            torch.set_num_threads(threads)
        arguments = dict(network.arguments)
        if "deep_heads" in arguments:
            arguments["deep_heads"] = False  # they serve training alone
        module = build(network.name, **arguments)
        _fill(module, weights)
        _check_shape(module, network.name, shape_czyx)
        return TorchNetwork(module, device, is_flat=len(shape_czyx) == 3)

    def devices(self) -> list[DeviceInfo]:
        """Give the GPUs, then the CPU."""
        found = []
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            facts = torch.cuda.get_device_properties(index)
            precision = gpu_precision(index)
            found.append(
                DeviceInfo(Device(f"cuda:{index}", precision), str(facts.name), int(facts.total_memory) // MEBIBYTE)
            )
        return [*found, DeviceInfo(Device(), f"CPU ({torch.backends.cpu.get_cpu_capability()})")]

    def probe(self, device: Device) -> None:
        """Run one small convolution; see ``Backend.probe``."""
        check_precision(device)
        with torch.inference_mode(), _autocast(device):
            array = torch.from_numpy(probe_array())[None].to(device.name)
            kernel = torch.from_numpy(probe_weights()["weight"]).to(device.name)
            counts = functional.conv3d(array, kernel, padding=1)
        check_probe(counts[0].float().cpu().numpy(), device)


class TorchNetwork:
    """A module on its device; see ``LoadedNetwork``.

    Args:
        module: with its weights.
        device: where to run.
        is_flat: whether it is of two dimensions.
    """

    def __init__(self, module: nn.Module, device: Device, *, is_flat: bool = False) -> None:
        self._device = device
        self._is_flat = is_flat
        self._layout = torch.channels_last if is_flat else torch.channels_last_3d
        self._module: nn.Module | None = module.eval().requires_grad_(False).to(device.name)
        self._is_on_gpu = device.name != "cpu"
        if self._is_on_gpu:
            # torch's annotations know nn.Module.to(memory_format=...) for 4D only; 5D is documented and works.
            self._module = self._module.to(memory_format=self._layout)  # type: ignore[call-overload]

    @property
    def device_name(self) -> str:
        """Where the network is."""
        return self._device.name

    def run(self, array: FloatArray) -> FloatArray:
        """Give logits; see ``LoadedNetwork.run``."""
        with torch.inference_mode():
            case = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
            result: FloatArray = self.forward(case.to(self._device.name)).cpu().numpy()
            return result

    def forward(self, look: Tensor) -> Tensor:
        """Give logits, float32, for a tensor on the network's device; shapes as of ``LoadedNetwork.run``.

        Raises:
            ResourceError: "gpu.memory".
        """
        if self._module is None:
            raise ValueError("run() after close()")
        images = look if self._is_flat else look[None]
        try:
            with _autocast(self._device), _exact_float32():
                layout = self._layout if self._is_on_gpu else torch.contiguous_format
                output = self._module(images.contiguous(memory_format=layout))
                logits: Tensor = output[0] if isinstance(output, tuple) else output
                return (logits if self._is_flat else logits[0]).float().contiguous()
        except torch.cuda.OutOfMemoryError as error:
            raise ResourceError(
                "gpu.memory",
                f"The GPU {self._device.name} has too little memory for a box of {list(images.shape[2:])} voxels.",
                "Close other programs that use the GPU, or choose the device cpu.",
            ) from error

    def refill(self, weights: Weights) -> None:
        """Take other weights; see ``LoadedNetwork.refill``."""
        if self._module is None:
            raise ValueError("refill() after close()")
        _fill(self._module, weights)

    def close(self) -> None:
        """Give memory back."""
        self._module = None
        if self._is_on_gpu:
            torch.cuda.empty_cache()


def check_precision(device: Device) -> None:
    """Refuse a precision that the device cannot run well.

    Raises:
        ResourceError: "device.precision". On a CPU everything but fp32 is refused: without bf16 hardware it was
            measured 60 to 300 times slower, and this backend is the reference there.
    """
    if device.precision not in PRECISIONS or (device.name == "cpu" and device.precision != "fp32"):
        raise ResourceError(
            "device.precision",
            f"{device.name} cannot run in {device.precision}.",
            "On a CPU use fp32; on a GPU bf16, fp16 or fp32.",
        )


def gpu_precision(index: int) -> str:
    """Give the fast precision of a GPU: bf16 where it has it in hardware (compute capability 8 and up), else fp16."""
    major, _minor = torch.cuda.get_device_capability(index)
    return "bf16" if major >= 8 else "fp16"


def _autocast(device: Device) -> contextlib.AbstractContextManager[object]:
    if device.precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast("cuda", dtype=PRECISIONS[device.precision])


def _exact_float32() -> contextlib.AbstractContextManager[object]:
    """Switch TF32 and racing kernels off, so that "fp32" on a GPU means it, every time; no effect on a CPU."""
    return torch.backends.cudnn.flags(allow_tf32=False, deterministic=True)


def _check_shape(module: nn.Module, name: str, shape_czyx: NetworkShape) -> None:
    """Run the network without numbers (torch's meta device): a shape that does not suit it fails here, by name."""
    try:
        copy.deepcopy(module).to("meta").eval()(torch.empty((1, *shape_czyx), device="meta"))
    except RuntimeError as error:
        raise PackageError(
            "package.weights",
            f"The network {name} does not take an image of {list(shape_czyx)} (channels, z, y, x).",
            "The package's steps of preparation do not suit its network; install it again from its source.",
        ) from error


def _fill(module: nn.Module, weights: Weights) -> None:
    # Counters of batches serve training alone and are in no package.
    wanted = {name: value for name, value in module.state_dict().items() if value.is_floating_point()}
    for name, tensor in wanted.items():
        found = list(weights[name].shape) if name in weights else "nothing"
        if found != list(tensor.shape):
            raise PackageError(
                "package.weights",
                f"The tensor {name!r} should have shape {list(tensor.shape)}; the weights have {found}.",
                "Install the package again from its source.",
            )
    filled = {name: torch.from_numpy(np.array(weights[name], np.float32)) for name in wanted}
    module.load_state_dict({**module.state_dict(), **filled})
