"""Norms as statistics and one affine step: 1.2 to 1.4 times as fast as OpenVINO's own group norm, closer to torch.

Not here: other ops (``openvino_model``). Ring 1 (verbs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from openvino import opset13 as ops

from .backend import FloatArray
from .graph import TENSORS
from .openvino_draft import Attributes, Draft, Values, constant, integers, per_channel, shape_of
from .openvino_pairs import LANES, Pairs, channels_of

# Statistics are means of means: of rows along x, or of blocks. One long float32 sum is off by 1e-3 in probability.
BLOCK = 8
# Rows from this length on, of full AVX-512 vectors, are summed as they are: squares need not be written down.
ROW = 32


def group_norm(inputs: Values, node: Attributes, draft: Draft) -> Any:
    """Normalize groups of neighboring channels."""
    return _normalize(inputs[0], node, draft, node["groups"])


def instance_norm(inputs: Values, node: Attributes, draft: Draft) -> Any:
    """Normalize every channel by itself."""
    return _normalize(inputs[0], node, draft, channels_of(inputs[0]))


def batch_norm(inputs: Values, node: Attributes, draft: Draft) -> Any:
    """Normalize by the statistics of the training: one affine step, its numbers calculated outside of the model."""
    keys = tuple(key for key in TENSORS if node.get(key))
    affine = _Affine(keys, node["eps"], len(shape_of(inputs[0])) - 2)
    scale, shift = (draft.tensors((node[key] for key in keys), form) for form in (affine.scale, affine.shift))
    return ops.add(ops.multiply(inputs[0], scale), shift)


@dataclass(frozen=True)
class _Affine:
    """Scale and shift ``[1, c, 1, ...]`` of a batch norm from its tensors, in float64.

    Args:
        keys: of the tensors, in the order in which they come; "weight" and "bias" may be missing.
        eps: of the norm.
        axes: spatial axes of its input.
    """

    keys: tuple[str, ...]
    eps: float
    axes: int

    def scale(self, *tensors: FloatArray) -> FloatArray:
        return self._shaped(self._both(tensors)[0])

    def shift(self, *tensors: FloatArray) -> FloatArray:
        return self._shaped(self._both(tensors)[1])

    def _both(self, tensors: tuple[FloatArray, ...]) -> tuple[Any, Any]:
        named = {key: tensor.astype(np.float64) for key, tensor in zip(self.keys, tensors, strict=True)}
        scale = named.get("weight", 1.0) / np.sqrt(named["variance"] + self.eps)
        return scale, named.get("bias", 0.0) - named["mean"] * scale

    def _shaped(self, values: Any) -> FloatArray:
        return per_channel(self.axes)(values.astype(np.float32))


def _normalize(x: Any, node: Attributes, draft: Draft, groups: int) -> Any:
    """Normalize each group of channels: x * scale + shift, both from first and second moments."""
    value = x.value if isinstance(x, Pairs) else x
    channels, axes = channels_of(x), len(shape_of(value)) - 2
    mean, mean_of_squares = (_group_mean(moment, channels, groups) for moment in _moments(value, draft.lanes))
    variance = ops.relu(ops.subtract(mean_of_squares, ops.multiply(mean, mean)))  # rounding may give -1e-9
    deviation = ops.sqrt(ops.add(variance, constant(np.float32(node["eps"]))))
    weight, bias = (draft.tensor(node[key], _as_row) if node.get(key) else None for key in ("weight", "bias"))
    scale = ops.divide(constant(np.ones((1, 1))) if weight is None else weight, deviation)
    shift = ops.multiply(mean, scale)
    shift = ops.negative(shift) if bias is None else ops.subtract(bias, shift)
    repeat = shape_of(value)[1] // channels  # a pair has every channel twice
    spread = [
        ops.reshape(ops.concat([moment] * repeat, 1), integers([1, -1] + [1] * axes), False)
        for moment in (scale, shift)
    ]
    result = ops.add(ops.multiply(value, spread[0]), spread[1])
    return Pairs(result, channels, x.sizes_zyx) if isinstance(x, Pairs) else result


def _as_row(tensor: FloatArray) -> FloatArray:
    return tensor.reshape(1, -1)


def _moments(value: Any, lanes: int) -> tuple[Any, Any]:
    """Give the means of a value and of its square over all spatial axes, ``[1, c, 1, ...]``."""
    shape = shape_of(value)
    if shape[-1] < ROW or lanes != LANES or shape[1] % LANES:
        return spatial_mean(value), spatial_mean(ops.multiply(value, value))
    along_x = integers([len(shape) - 1])
    length = ops.reduce_l2(value, along_x, True)
    squares = ops.multiply(ops.multiply(length, length), constant(np.float32(1 / shape[-1])))
    return spatial_mean(ops.reduce_mean(value, along_x, True)), spatial_mean(squares)


def _group_mean(moments: Any, channels: int, groups: int) -> Any:
    """Average ``[1, r * c, 1, ...]`` over the r voxels of a pair and within groups of neighbors; ``[1, c]``."""
    means = ops.reduce_mean(ops.reshape(moments, integers([-1, channels]), False), integers([0]), True)
    if groups == channels:
        return means
    of_groups = ops.reduce_mean(ops.reshape(means, integers([groups, -1]), False), integers([1]), True)
    spread = ops.broadcast(of_groups, integers([groups, channels // groups]))
    return ops.reshape(spread, integers([1, channels]), False)


def spatial_mean(x: Any) -> Any:
    """Average over all spatial axes, in blocks first; ``[1, c, 1, ...]``."""
    sizes = shape_of(x)[2:]
    block = [max(count for count in range(1, BLOCK + 1) if size % count == 0) for size in sizes]
    none = [0] * len(block)
    if max(block) > 1:
        x = ops.avg_pool(x, block, none, none, block, True)
    return ops.reduce_mean(x, integers(range(2, 2 + len(sizes))), True)
