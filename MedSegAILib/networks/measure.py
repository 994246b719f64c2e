"""What a network costs and sees: parameters, receptive field, memory, operations, from one forward without numbers.

The forward runs on torch's meta device; every operation is watched as it happens. Ring 1 (verbs).

Receptive field: equation 7 of Kayalibay et al., arXiv 1701.03056, written for any operation. A convolution or pooling
adds (kernel - 1) x dilation x the distance of its input's voxels, a transposed convolution (ceil(kernel / stride) - 1)
x that distance, linear enlargement one distance, nearest enlargement nothing. Means over the whole image and norm
statistics are not part of it; they are told apart as ``sees_all``.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from MedSegAILib.core.errors import UsageError

from . import build

BYTES_A_VALUE = 4


@dataclass(frozen=True)
class Measure:
    """Cost and sight of one network for one patch.

    Args:
        trainable: elements of all parameters (weights, biases, scales, shifts, slopes), torch's ``parameters()``.
        total: these and the running means and variances; what Keras calls total.
        field: receptive field of the output along each spatial axis, voxels.
        fields_by_layer: the same after each convolution, in the order of the forward.
        sees_all: a mean over the image or a norm statistic reaches further than the field.
        weight_bytes: of parameters and running statistics in float32.
        peak_bytes: of the activations that live at once in a forward without gradients, batch of one, float32;
            without the workspace of the convolutions.
        operations: floating point operations of convolutions and linear layers; a multiplication and an addition are 2.
    """

    trainable: int
    total: int
    field: tuple[int, ...]
    fields_by_layer: tuple[tuple[int, ...], ...]
    sees_all: bool
    weight_bytes: int
    peak_bytes: int
    operations: int


@dataclass(frozen=True)
class _Reach:
    """Receptive field and distance between voxels, along each spatial axis, in voxels of the input."""

    field: tuple[float, ...]
    step: tuple[float, ...]

    def read(self, neighbors: Sequence[float], shrink: Sequence[float]) -> _Reach:
        """Give the reach of an operation that reads so many neighbors more, and whose voxels lie so much further."""
        field = tuple(f + n * s for f, n, s in zip(self.field, neighbors, self.step, strict=True))
        return _Reach(field, tuple(s * by for s, by in zip(self.step, shrink, strict=True)))


def measure(name: str, arguments: Mapping[str, Any], shape: Sequence[int]) -> Measure:
    """Measure a network for a patch.

    Args:
        name: key of ``NETWORKS``.
        arguments: what its class takes.
        shape: of the input, channels first: ``[c, (z,) y, x]``.

    Raises:
        UsageError: "network.name", "network.arguments" and the network's own; "network.shape" for a patch that it
            does not take.
        SetupError: "setup.torch_missing", "setup.monai_missing".
    """
    with torch.device("meta"):
        module = build(name, **arguments).eval()
    return measure_module(module, shape)


def measure_module(module: nn.Module, shape: Sequence[int]) -> Measure:
    """Measure a module on the meta device; see :func:`measure`."""
    watch = _Watch(len(shape) - 1)
    patch = torch.empty((1, *shape), device="meta")
    watch.start(patch)
    try:
        with torch.no_grad(), watch:
            output = module(patch)
    except RuntimeError as error:
        raise UsageError(
            "network.shape",
            f"The network {type(module).__name__} does not take a patch of {list(shape)} (channels first).",
            "Take axes that its halvings divide.",
        ) from error
    main: Tensor = output[0] if isinstance(output, tuple) else output
    trainable = sum(tensor.numel() for tensor in module.parameters())
    total = trainable + sum(tensor.numel() for tensor in module.buffers() if tensor.is_floating_point())
    return Measure(
        trainable=trainable,
        total=total,
        field=_whole(watch.reach_of(main).field),
        fields_by_layer=tuple(_whole(reach.field) for reach in watch.layers),
        sees_all=watch.sees_all,
        weight_bytes=total * BYTES_A_VALUE,
        peak_bytes=watch.peak_bytes,
        operations=watch.operations,
    )


def _whole(field: Sequence[float]) -> tuple[int, ...]:
    return tuple(math.ceil(size - 1e-6) for size in field)


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's modes are not annotated
    """Follows reach, live bytes and operations through a forward."""

    def __init__(self, axes: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # see above
        self.axes = axes
        self.layers: list[_Reach] = []
        self.sees_all = False
        self.operations = 0
        self.peak_bytes = self._live_bytes = 0
        self._reaches: Any = WeakTensorKeyDictionary()

    def start(self, patch: Tensor) -> None:
        """Take the patch as what fields are counted in."""
        self._reaches[patch] = _Reach((1.0,) * self.axes, (1.0,) * self.axes)
        self._hold(patch)

    def reach_of(self, tensor: Tensor) -> _Reach:
        """Give what is known of a tensor."""
        reach: _Reach = self._reaches[tensor]
        return reach

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        word = func.overloadpacket.__name__
        self.operations += _operations(word, args, result)
        sources = [self._reaches[entry] for entry in _tensors(args) if entry in self._reaches]
        if not sources:
            return result
        self.sees_all = self.sees_all or _reads_all(word, args)
        first = result[0] if isinstance(result, (tuple, list)) else result
        reach = self._after(word, args, first, sources)
        if word == "convolution":
            self.layers.append(reach)
        for tensor in _tensors([result]):
            if tensor not in self._reaches and not func.is_view:
                self._hold(tensor)
            self._reaches[tensor] = reach
        return result

    def _after(self, word: str, args: Any, result: Tensor, sources: list[_Reach]) -> _Reach:
        if word in READERS:
            return sources[0].read(*READERS[word](args, result, self.axes))
        fields = zip(*(source.field for source in sources), strict=True)
        # Where maps meet, their voxels lie equally far apart; a gate of one voxel has forgotten its own distance.
        return _Reach(tuple(max(sizes) for sizes in fields), sources[0].step)

    def _hold(self, tensor: Tensor) -> None:
        size = tensor.numel() * BYTES_A_VALUE
        self._live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self._live_bytes)
        weakref.finalize(tensor, self._release, size)

    def _release(self, size: int) -> None:
        self._live_bytes -= size


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            found += _tensors(value)
    return found


# --- what single operations read: neighbors along each axis, and how much further apart their voxels lie -------------

_Reading = tuple[Sequence[float], Sequence[float]]


def _convolution(args: Any, _result: Tensor, axes: int) -> _Reading:
    kernel = args[1].shape[2:]
    stride, dilation, is_transposed = (_each(args[place], axes) for place in (3, 5, 6))
    if is_transposed[0]:
        neighbors = [math.ceil(size / by) - 1 for size, by in zip(kernel, stride, strict=True)]
        return neighbors, [1 / by for by in stride]
    return [(size - 1) * by for size, by in zip(kernel, dilation, strict=True)], stride


def _pooling(args: Any, _result: Tensor, axes: int) -> _Reading:
    kernel = _each(args[1], axes)
    stride = _each(args[2], axes) if len(args) > 2 and args[2] else kernel
    return [size - 1 for size in kernel], stride


def _adaptive_pooling(args: Any, result: Tensor, _axes: int) -> _Reading:
    shrink = [before / after for before, after in zip(args[0].shape[2:], result.shape[2:], strict=True)]
    return [math.ceil(by) - 1 for by in shrink], shrink


def _nearest(args: Any, result: Tensor, _axes: int) -> _Reading:
    shrink = [before / after for before, after in zip(args[0].shape[2:], result.shape[2:], strict=True)]
    return [0.0] * len(shrink), shrink


def _linear(args: Any, result: Tensor, _axes: int) -> _Reading:
    _, shrink = _nearest(args, result, _axes)
    return [float(size > 1) for size in args[0].shape[2:]], shrink


READERS: dict[str, Callable[[Any, Tensor, int], _Reading]] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _pooling,
    "max_pool3d_with_indices": _pooling,
    "avg_pool2d": _pooling,
    "avg_pool3d": _pooling,
    "_adaptive_avg_pool2d": _adaptive_pooling,
    "_adaptive_avg_pool3d": _adaptive_pooling,
    "upsample_nearest2d": _nearest,
    "upsample_nearest3d": _nearest,
    "upsample_bilinear2d": _linear,
    "upsample_trilinear3d": _linear,
}


def _each(value: Any, axes: int) -> list[Any]:
    entries = list(value) if isinstance(value, (tuple, list)) else [value]
    return entries * axes if len(entries) == 1 else entries


def _reads_all(word: str, args: Any) -> bool:
    if word in ("mean", "amax"):
        return any(axis >= 2 for axis in args[1])
    if word == "native_batch_norm":  # an instance norm takes the statistics of the image before it
        return bool(args[5])
    return word == "native_group_norm"


def _operations(word: str, args: Any, result: Any) -> int:
    if word == "convolution":
        # [out, in / groups, kernel], or [in, out / groups, kernel] when transposed: work is one kernel a voxel.
        mapped = args[0] if args[6] else result
        return int(2 * mapped[0, 0].numel() * args[1].numel() * args[0].shape[0])
    if word in ("addmm", "mm"):
        left, right = args[-2], args[-1]
        return int(2 * left.numel() * right.shape[1])
    return 0
