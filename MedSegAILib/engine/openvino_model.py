"""From a graph to an OpenVINO model: one function an op, weights as inputs of the model.

Weights are inputs, so that one compiled model serves all members of an ensemble, and both ways round of y and x.
Not here: norms (``openvino_norms``), compiling and running (``openvino_backend``). Ring 1 (verbs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as ops

from MedSegAILib.core.errors import PackageError

from . import openvino_pairs
from .backend import FloatArray, NetworkShape, Weights
from .graph import TENSORS, check_graph, tensor_names
from .openvino_draft import Attributes, Draft, Slot, Values, as_it_is, constant, integers, per_channel, shape_of
from .openvino_norms import batch_norm, group_norm, instance_norm, spatial_mean
from .openvino_pairs import Pairs, singles_of


@dataclass(frozen=True)
class Built:
    """A model that is not compiled yet.

    Args:
        model: input 0 is the image ``[1, c, z, y, x]`` (``[1, c, y, x]``), then one input a slot.
        slots: in the order of the inputs.
    """

    model: Any
    slots: tuple[Slot, ...]


def build_model(graph: Mapping[str, Any] | None, weights: Weights, shape_czyx: NetworkShape, lanes: int) -> Built:
    """Build the model of a graph for arrays of one shape.

    Args:
        graph: see ``engine.graph``.
        weights: their shapes count, not their values.
        shape_czyx: of the arrays; (c, y, x) for a network of two dimensions.
        lanes: float32 values of this machine's vectors, 8 or 16.

    Raises:
        PackageError: see ``Backend.load``.
    """
    nodes = check_graph(graph)
    graph = graph or {}
    check_names(tensor_names(graph), weights)
    source = ops.parameter([1, *shape_czyx], np.float32, name="input")
    draft = Draft(weights, nodes, lanes)
    values: dict[str, Any] = {str(graph["input"]): source}
    for node in nodes:
        inputs = [values[name] for name in node["inputs"]]
        if node["op"] not in PAIRS_TAKEN:
            inputs = [singles_of(value) for value in inputs]
        try:
            values[node["name"]] = BUILDERS[node["op"]](inputs, node, draft)
        except (RuntimeError, ValueError) as error:  # ValueError: a tensor in a form that it cannot take
            raise _does_not_fit(node, inputs, weights) from error
    result = singles_of(values[graph["output"]])
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


def _does_not_fit(node: Attributes, inputs: Values, weights: Weights) -> PackageError:
    used = {key: weights[node[key]] for key in TENSORS if node.get(key)}
    found = ", ".join(f"{key} {list(value.shape)}" for key, value in used.items())
    return PackageError(
        "package.weights",
        f"The step {node['name']!r} of the network does not fit ({found or 'no tensors'}; "
        f"input {[shape_of(singles_of(value)) for value in inputs]}).",
        "Weights, network and steps of preparation of the package do not suit each other; "
        "install it again from its source.",
    )


# --- one function an op -----------------------------------------------------------------------------------------


def _conv(inputs: Values, node: Attributes, draft: Draft) -> Any:
    x, padding = inputs[0], node["padding"]
    kernel_shape, sizes = draft.weights[node["weight"]].shape, shape_of(x)[2:]
    if openvino_pairs.suit(draft.nodes, draft.nodes.index(node), kernel_shape, sizes, draft.lanes):
        kernel = draft.tensor(node["weight"], openvino_pairs.pair_kernel, is_kernel=True)
        return openvino_pairs.convolve(x, kernel, kernel_shape[0], (sizes[0], sizes[1], sizes[2]))
    kernel = draft.tensor(node["weight"], as_it_is, is_kernel=True)
    return _biased(ops.convolution(x, kernel, node["stride"], padding, padding, node["dilation"]), node, draft)


def _conv_transpose(inputs: Values, node: Attributes, draft: Draft) -> Any:
    kernel = draft.tensor(node["weight"], as_it_is, is_kernel=True)  # [in, out, z, y, x]
    result = ops.convolution_backprop_data(
        inputs[0],
        kernel,
        node["stride"],
        pads_begin=node["padding"],
        pads_end=node["padding"],
        output_padding=node["output_padding"],
    )
    return _biased(result, node, draft)


def _biased(result: Any, node: Attributes, draft: Draft) -> Any:
    if not node.get("bias"):
        return result
    return ops.add(result, draft.tensor(node["bias"], per_channel(len(shape_of(result)) - 2)))


def _linear(inputs: Values, node: Attributes, draft: Draft) -> Any:
    # Layers without inputs or outputs (a CBAM gate below 16 channels) become one unit of zeros: same result.
    result = ops.matmul(inputs[0], draft.tensor(node["weight"], _at_least_one), False, True)
    return ops.add(result, draft.tensor(node["bias"], _at_least_one)) if node.get("bias") else result


def _at_least_one(tensor: FloatArray) -> FloatArray:
    return tensor if tensor.size else np.zeros([max(count, 1) for count in tensor.shape], np.float32)


def _relu(inputs: Values, _node: Attributes, _draft: Draft) -> Any:
    x = inputs[0]
    return Pairs(ops.relu(x.value), x.channels, x.sizes_zyx) if isinstance(x, Pairs) else ops.relu(x)


def _prelu(inputs: Values, node: Attributes, draft: Draft) -> Any:
    slope = draft.tensor(node["weight"], per_channel(len(shape_of(inputs[0])) - 2))
    return ops.prelu(inputs[0], slope)


def _max_pool(inputs: Values, node: Attributes, _draft: Draft) -> Any:
    if isinstance(inputs[0], Pairs):
        return openvino_pairs.halve(inputs[0])
    padding, ones = node["padding"], [1] * len(node["kernel"])
    return ops.max_pool(inputs[0], node["stride"], ones, padding, padding, node["kernel"]).output(0)


def _avg_pool(inputs: Values, node: Attributes, _draft: Draft) -> Any:
    return ops.avg_pool(inputs[0], node["stride"], node["padding"], node["padding"], node["kernel"], False)


def _upsample_linear(inputs: Values, node: Attributes, _draft: Draft) -> Any:
    sizes = [size * factor for size, factor in zip(shape_of(inputs[0])[2:], node["factor"], strict=True)]
    return ops.interpolate(
        inputs[0],
        integers(sizes),
        "linear_onnx",
        "sizes",
        coordinate_transformation_mode="align_corners" if node["align_corners"] else "half_pixel",
        axes=integers(range(2, 2 + len(sizes))),
    )


def _upsample_nearest(inputs: Values, node: Attributes, _draft: Draft) -> Any:
    sizes = [size * node["factor"] for size in shape_of(inputs[0])[2:]]
    return ops.interpolate(
        inputs[0],
        integers(sizes),
        "nearest",
        "sizes",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
        axes=integers(range(2, 2 + len(sizes))),
    )


def _pad(inputs: Values, node: Attributes, _draft: Draft) -> Any:
    others = [0] * (len(shape_of(inputs[0])) - len(node["before"]))
    before, after = (integers([*others, *node[side]]) for side in ("before", "after"))
    return ops.pad(inputs[0], before, after, "constant", ops.constant(np.float32(0.0)))


def _mean(inputs: Values, node: Attributes, _draft: Draft) -> Any:
    rank = len(shape_of(inputs[0]))
    if node["keep"] and sorted(node["axes"]) == list(range(2, rank)):
        return spatial_mean(inputs[0])
    return ops.reduce_mean(inputs[0], integers(node["axes"]), node["keep"])


BUILDERS: dict[str, Callable[[Values, Attributes, Draft], Any]] = {
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "linear": _linear,
    "relu": _relu,
    "leaky_relu": lambda inputs, node, _draft: ops.prelu(inputs[0], constant([node["slope"]])),
    "prelu": _prelu,
    "elu": lambda inputs, node, _draft: ops.elu(inputs[0], node["alpha"]),
    "sigmoid": lambda inputs, _node, _draft: ops.sigmoid(inputs[0]),
    "max_pool": _max_pool,
    "avg_pool": _avg_pool,
    "upsample_linear": _upsample_linear,
    "upsample_nearest": _upsample_nearest,
    "pad": _pad,
    "cat": lambda inputs, node, _draft: ops.concat(list(inputs), node["axis"]),
    "add": lambda inputs, _node, _draft: ops.add(inputs[0], inputs[1]),
    "mul": lambda inputs, _node, _draft: ops.multiply(inputs[0], inputs[1]),
    "mean": _mean,
    "max": lambda inputs, node, _draft: ops.reduce_max(inputs[0], integers(node["axes"]), node["keep"]),
    "flatten": lambda inputs, _node, _draft: ops.reshape(inputs[0], integers([0, -1]), True),
    "reshape": lambda inputs, node, _draft: ops.reshape(inputs[0], integers(node["shape"]), False),
}
# These functions take pairs as they are; all others get single voxels.
PAIRS_TAKEN = openvino_pairs.KEEPERS | {"max_pool"}
