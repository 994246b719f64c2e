"""From a graph to an OpenVINO model: one function an op, weights as inputs of the model.

Weights are inputs, so that one compiled model serves all members of an ensemble, and both ways round of y and x.
Norms are written as statistics and one affine step: measured 1.2 to 1.4 times as fast as OpenVINO's own group norm,
and closer to torch. Not here: compiling and running (``openvino_backend``). Ring 1 (verbs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from MedSegAILib.core.errors import PackageError

from . import openvino_pairs
from .backend import FloatArray, Shape, Weights
from .graph import check_graph, tensor_names
from .openvino_pairs import LANES, Pairs

# Statistics are means of means: of rows along x, or of blocks. One long float32 sum is off by 1e-3 in probability.
BLOCK = 8
# Rows from this length on, of full AVX-512 vectors, are summed as they are: squares need not be written down.
ROW = 32

Attributes = Mapping[str, Any]
Form = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Slot:
    """An input of the model that takes a tensor of the weights.

    Args:
        name: of the tensor.
        shape: of the tensor in the weights.
        form: what the model wants of it.
        is_kernel: whether its last two axes are y and x.
    """

    name: str
    shape: tuple[int, ...]
    form: Form
    is_kernel: bool

    def check(self, weights: Weights) -> None:
        """Compare the tensor's shape with that which the model was built for.

        Raises:
            PackageError: "package.weights".
        """
        found = weights[self.name].shape
        if found != self.shape:
            raise PackageError(
                "package.weights",
                f"The tensor {self.name!r} should have shape {list(self.shape)}; the weights have {list(found)}.",
                "Install the package again from its source.",
            )

    def filled(self, weights: Weights, *, is_turned: bool) -> FloatArray:
        """Give the values of the input; for a turned look with y and x of kernels swapped."""
        tensor = weights[self.name]
        return self.form(np.swapaxes(tensor, -2, -1) if is_turned and self.is_kernel else tensor)


@dataclass(frozen=True)
class Built:
    """A model that is not compiled yet.

    Args:
        model: input 0 is the image ``[1, c, z, y, x]``, then one input a slot.
        slots: in the order of the inputs.
    """

    model: Any
    slots: tuple[Slot, ...]


@dataclass
class _Draft:
    """What the functions of the ops work on."""

    weights: Weights
    nodes: Sequence[Attributes]
    lanes: int
    slots: list[Slot] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def tensor(self, name: str, form: Form, *, is_kernel: bool = False) -> Any:
        """Give a new input of the model, for a tensor in a form."""
        tensor = self.weights[name]
        parameter = ops.parameter(list(form(tensor).shape), np.float32)
        self.slots.append(Slot(name, tensor.shape, form, is_kernel))
        self.parameters.append(parameter)
        return parameter


def build_model(graph: Mapping[str, Any] | None, weights: Weights, shape_czyx: Shape, lanes: int) -> Built:
    """Build the model of a graph for arrays of one shape.

    Args:
        graph: see ``engine.graph``.
        weights: their shapes count, not their values.
        shape_czyx: of the arrays.
        lanes: float32 values of this machine's vectors, 8 or 16.

    Raises:
        PackageError: see ``Backend.load``.
    """
    nodes = check_graph(graph)
    graph = graph or {}
    check_names(tensor_names(graph), weights)
    source = ops.parameter([1, *shape_czyx], np.float32, name="input")
    draft = _Draft(weights, nodes, lanes)
    values: dict[str, Any] = {str(graph["input"]): source}
    for node in nodes:
        inputs = [values[name] for name in node["inputs"]]
        if node["op"] not in PAIRS_TAKEN:
            inputs = [_singles(value) for value in inputs]
        try:
            values[node["name"]] = BUILDERS[node["op"]](inputs, node, draft)
        except RuntimeError as error:
            raise _does_not_fit(node, inputs, weights) from error
    result = _singles(values[graph["output"]])
    return Built(openvino.Model([result], [source, *draft.parameters], "network"), tuple(draft.slots))


def check_names(names: Iterable[str], weights: Weights) -> None:
    """Compare the names that a network uses with those of the weights.

    Raises:
        PackageError: "package.weights" naming the first that is missing.
    """
    if missing := [name for name in names if name not in weights]:
        raise PackageError(
            "package.weights",
            f"The weights lack {len(missing)} of the network's tensors, the first is {missing[0]!r}.",
            "Install the package again from its source.",
        )


def _does_not_fit(node: Attributes, inputs: Sequence[Any], weights: Weights) -> PackageError:
    used = {key: weights[node[key]] for key in ("weight", "bias") if node.get(key)}
    found = ", ".join(f"{key} {list(value.shape)}" for key, value in used.items())
    return PackageError(
        "package.weights",
        f"The step {node['name']!r} of the network does not fit ({found or 'no tensors'}; "
        f"input {[_shape(_singles(value)) for value in inputs]}).",
        "Weights, network and steps of preparation of the package do not suit each other; "
        "install it again from its source.",
    )


# --- one function an op -----------------------------------------------------------------------------------------


def _conv(inputs: Sequence[Any], node: Attributes, draft: _Draft) -> Any:
    x, padding = inputs[0], node["padding"]
    kernel_shape, sizes = draft.weights[node["weight"]].shape, _shape(x)[2:]
    if openvino_pairs.suit(draft.nodes, draft.nodes.index(node), kernel_shape, sizes, draft.lanes):
        kernel = draft.tensor(node["weight"], openvino_pairs.pair_kernel, is_kernel=True)
        return openvino_pairs.convolve(x, kernel, kernel_shape[0], (sizes[0], sizes[1], sizes[2]))
    kernel = draft.tensor(node["weight"], _as_it_is, is_kernel=True)
    result = ops.convolution(x, kernel, node["stride"], padding, padding, node["dilation"])
    if not node.get("bias"):
        return result
    return ops.add(result, draft.tensor(node["bias"], _per_channel(len(sizes))))


def _group_norm(inputs: Sequence[Any], node: Attributes, draft: _Draft) -> Any:
    return _normalize(inputs[0], node, draft, node["groups"])


def _instance_norm(inputs: Sequence[Any], node: Attributes, draft: _Draft) -> Any:
    return _normalize(inputs[0], node, draft, _channels(inputs[0]))


def _normalize(x: Any, node: Attributes, draft: _Draft, groups: int) -> Any:
    """Normalize each group of channels: x * scale + shift, both from first and second moments."""
    value = x.value if isinstance(x, Pairs) else x
    channels, axes = _channels(x), len(_shape(value)) - 2
    mean, mean_of_squares = (_group_mean(moment, channels, groups) for moment in _moments(value, draft.lanes))
    variance = ops.relu(ops.subtract(mean_of_squares, ops.multiply(mean, mean)))  # rounding may give -1e-9
    deviation = ops.sqrt(ops.add(variance, _constant(np.float32(node["eps"]))))
    scale = ops.divide(draft.tensor(node["weight"], _as_row), deviation)
    shift = ops.subtract(draft.tensor(node["bias"], _as_row), ops.multiply(mean, scale))
    repeat = _shape(value)[1] // channels  # a pair has every channel twice
    spread = [
        ops.reshape(ops.concat([moment] * repeat, 1), _integers([1, -1] + [1] * axes), False)
        for moment in (scale, shift)
    ]
    result = ops.add(ops.multiply(value, spread[0]), spread[1])
    return Pairs(result, channels, x.sizes_zyx) if isinstance(x, Pairs) else result


def _moments(value: Any, lanes: int) -> tuple[Any, Any]:
    """Give the means of a value and of its square over all spatial axes, ``[1, c, 1, ...]``."""
    shape = _shape(value)
    if shape[-1] < ROW or lanes != LANES or shape[1] % LANES:
        return _spatial_mean(value), _spatial_mean(ops.multiply(value, value))
    along_x = _integers([len(shape) - 1])
    length = ops.reduce_l2(value, along_x, True)
    squares = ops.multiply(ops.multiply(length, length), _constant(np.float32(1 / shape[-1])))
    return _spatial_mean(ops.reduce_mean(value, along_x, True)), _spatial_mean(squares)


def _group_mean(moments: Any, channels: int, groups: int) -> Any:
    """Average ``[1, r * c, 1, ...]`` over the r voxels of a pair and within groups of neighbors; ``[1, c]``."""
    means = ops.reduce_mean(ops.reshape(moments, _integers([-1, channels]), False), _integers([0]), True)
    if groups == channels:
        return means
    of_groups = ops.reduce_mean(ops.reshape(means, _integers([groups, -1]), False), _integers([1]), True)
    spread = ops.broadcast(of_groups, _integers([groups, channels // groups]))
    return ops.reshape(spread, _integers([1, channels]), False)


def _spatial_mean(x: Any) -> Any:
    """Average over all spatial axes, in blocks first; ``[1, c, 1, ...]``."""
    sizes = _shape(x)[2:]
    block = [max(count for count in range(1, BLOCK + 1) if size % count == 0) for size in sizes]
    none = [0] * len(block)
    if max(block) > 1:
        x = ops.avg_pool(x, block, none, none, block, True)
    return ops.reduce_mean(x, _integers(range(2, 2 + len(sizes))), True)


def _relu(inputs: Sequence[Any], _node: Attributes, _draft: _Draft) -> Any:
    x = inputs[0]
    return Pairs(ops.relu(x.value), x.channels, x.sizes_zyx) if isinstance(x, Pairs) else ops.relu(x)


def _linear(inputs: Sequence[Any], node: Attributes, draft: _Draft) -> Any:
    # Layers without inputs or outputs (a CBAM gate below 16 channels) become one unit of zeros: same result.
    result = ops.matmul(inputs[0], draft.tensor(node["weight"], _at_least_one), False, True)
    return ops.add(result, draft.tensor(node["bias"], _at_least_one)) if node.get("bias") else result


def _max_pool(inputs: Sequence[Any], node: Attributes, _draft: _Draft) -> Any:
    if isinstance(inputs[0], Pairs):
        return openvino_pairs.halve(inputs[0])
    padding, ones = node["padding"], [1] * len(node["kernel"])
    return ops.max_pool(inputs[0], node["stride"], ones, padding, padding, node["kernel"]).output(0)


def _upsample_linear(inputs: Sequence[Any], node: Attributes, _draft: _Draft) -> Any:
    sizes = [size * factor for size, factor in zip(_shape(inputs[0])[2:], node["factor"], strict=True)]
    return ops.interpolate(
        inputs[0],
        _integers(sizes),
        "linear_onnx",
        "sizes",
        coordinate_transformation_mode="align_corners" if node["align_corners"] else "half_pixel",
        axes=_integers(range(2, 2 + len(sizes))),
    )


def _mean(inputs: Sequence[Any], node: Attributes, _draft: _Draft) -> Any:
    rank = len(_shape(inputs[0]))
    if node["keep"] and sorted(node["axes"]) == list(range(2, rank)):
        return _spatial_mean(inputs[0])
    return ops.reduce_mean(inputs[0], _integers(node["axes"]), node["keep"])


BUILDERS: dict[str, Callable[[Sequence[Any], Attributes, _Draft], Any]] = {
    "conv": _conv,
    "group_norm": _group_norm,
    "instance_norm": _instance_norm,
    "linear": _linear,
    "relu": _relu,
    "sigmoid": lambda inputs, _node, _draft: ops.sigmoid(inputs[0]),
    "max_pool": _max_pool,
    "upsample_linear": _upsample_linear,
    "cat": lambda inputs, node, _draft: ops.concat(list(inputs), node["axis"]),
    "add": lambda inputs, _node, _draft: ops.add(inputs[0], inputs[1]),
    "mul": lambda inputs, _node, _draft: ops.multiply(inputs[0], inputs[1]),
    "mean": _mean,
    "max": lambda inputs, node, _draft: ops.reduce_max(inputs[0], _integers(node["axes"]), node["keep"]),
    "flatten": lambda inputs, _node, _draft: ops.reshape(inputs[0], _integers([0, -1]), True),
    "reshape": lambda inputs, node, _draft: ops.reshape(inputs[0], _integers(node["shape"]), False),
}
# These functions take pairs as they are; all others get single voxels.
PAIRS_TAKEN = openvino_pairs.KEEPERS | {"max_pool"}


# --- forms of tensors, and words of OpenVINO --------------------------------------------------------------------


def _as_it_is(tensor: FloatArray) -> FloatArray:
    return tensor


def _as_row(tensor: FloatArray) -> FloatArray:
    return tensor.reshape(1, -1)


def _at_least_one(tensor: FloatArray) -> FloatArray:
    return tensor if tensor.size else np.zeros([max(count, 1) for count in tensor.shape], np.float32)


def _per_channel(axes: int) -> Form:
    return lambda tensor: tensor.reshape([1, -1] + [1] * axes)


def _channels(x: Any) -> int:
    return x.channels if isinstance(x, Pairs) else _shape(x)[1]


def _singles(x: Any) -> Any:
    return x.singles() if isinstance(x, Pairs) else x


def _shape(value: Any) -> list[int]:
    output = value.output(0) if hasattr(value, "output") else value
    return [int(count) for count in output.shape]


def _constant(array: Any) -> Any:
    return ops.constant(np.ascontiguousarray(array, dtype=np.float32), np.float32)


def _integers(values: Any) -> Any:
    return ops.constant(np.array(list(values), dtype=np.int64))
