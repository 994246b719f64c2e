"""From a torch module to a graph in the words of ``engine.graph``: topology and tensor names, no weights.

Made once, when a package is made; running a package does not need it. What training alone uses (deep heads, dropout)
is left out. Ring 1 (verbs).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from MedSegAILib.core.errors import UsageError

from .graph import FORMAT, check_graph

Attributes = dict[str, Any]


def trace_graph(module: nn.Module) -> dict[str, Any]:
    """Write down the topology of a network.

    Args:
        module: takes one tensor ``[b, c, z, y, x]`` and gives one, or a tuple whose first entry is the one that counts.

    Returns:
        A JSON-able graph; see ``engine.graph``. Tensor names are those of the module's state dict.

    Raises:
        UsageError: "network.untraceable" naming the layer or call that has no word yet.
    """
    traced = _Tracer().trace(module)
    nodes = list(traced.nodes)
    source = next(node for node in nodes if node.op == "placeholder")
    result = next(node for node in nodes if node.op == "output").args[0]
    while isinstance(result, (tuple, list)):
        result = result[0]
    names: dict[fx.Node, str] = {source: source.name}
    written: list[Attributes] = []
    for node in _needed(nodes, result):
        if node is source:
            continue
        entry = _describe(node, module)
        if entry is None:  # passes its input through
            names[node] = names[node.all_input_nodes[0]]
            continue
        names[node] = node.name
        inputs = [names[before] for before in _tensors(node)]
        written.append({"name": node.name, "op": entry.pop("op"), "inputs": inputs, **entry})
    graph = {"format": FORMAT, "input": source.name, "output": names[result], "nodes": written}
    check_graph(graph)
    return graph


class _Tracer(fx.Tracer):
    """Stops at the layers that have a word, also where they are subclassed."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Tell whether a layer is one word."""
        return isinstance(m, tuple(LAYERS)) or super().is_leaf_module(m, module_qualified_name)


def _needed(nodes: Sequence[fx.Node], result: Any) -> list[fx.Node]:
    wanted: set[fx.Node] = set()
    waiting = [result]
    while waiting:
        node = waiting.pop()
        if node not in wanted:
            wanted.add(node)
            waiting.extend(node.all_input_nodes)
    return [node for node in nodes if node in wanted]


def _tensors(node: fx.Node) -> list[fx.Node]:
    """Give the inputs in order; a tensor that enters twice counts twice (x + x)."""
    first = node.args[0]
    listed = first if isinstance(first, (tuple, list)) else node.args
    return [entry for entry in listed if isinstance(entry, fx.Node)]


def _describe(node: fx.Node, module: nn.Module) -> Attributes | None:
    if node.op == "call_module":
        path = str(node.target)
        layer = module.get_submodule(path)
        for kind, describe_layer in LAYERS.items():
            if isinstance(layer, kind):
                return describe_layer(layer, path)
        raise _untraceable(f"layer {path} ({type(layer).__name__})")
    words: Mapping[Any, Callable[[fx.Node], Attributes]] = METHODS if node.op == "call_method" else FUNCTIONS
    if node.target not in words:
        raise _untraceable(f"call {node.target} ({node.name})")
    return words[node.target](node)


def _untraceable(what: str) -> UsageError:
    return UsageError(
        "network.untraceable",
        f"The {what} has no word in the graph's vocabulary.",
        "Add it to engine/graph.py, engine/trace.py, engine/turning.py and engine/openvino_model.py.",
    )


# --- layers -----------------------------------------------------------------------------------------------------


def _each_axis(value: Any, axes: int) -> list[int]:
    return [int(value)] * axes if isinstance(value, (int, float)) else [int(entry) for entry in value]


def _tensors_of(layer: Any, path: str) -> Attributes:
    return {
        "weight": f"{path}.weight" if layer.weight is not None else None,
        "bias": f"{path}.bias" if layer.bias is not None else None,
    }


def _conv(layer: Any, path: str) -> Attributes:
    if layer.groups != 1 or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        raise _untraceable(f"layer {path} (grouped or specially padded convolution)")
    lists = {name: list(getattr(layer, name)) for name in ("stride", "padding", "dilation")}
    return {"op": "conv", **_tensors_of(layer, path), **lists}


def _conv_transpose(layer: Any, path: str) -> Attributes:
    if layer.groups != 1 or any(by != 1 for by in layer.dilation):
        raise _untraceable(f"layer {path} (grouped or dilated transposed convolution)")
    lists = {name: list(getattr(layer, name)) for name in ("stride", "padding", "output_padding")}
    return {"op": "conv_transpose", **_tensors_of(layer, path), **lists}


def _batch_norm(layer: Any, path: str) -> Attributes:
    if not layer.track_running_stats:
        raise _untraceable(f"layer {path} (batch norm without running statistics)")
    running = {"mean": f"{path}.running_mean", "variance": f"{path}.running_var"}
    return {"op": "batch_norm", **_tensors_of(layer, path), **running, "eps": layer.eps}


def _group_norm(layer: Any, path: str) -> Attributes:
    return {"op": "group_norm", **_tensors_of(layer, path), "groups": layer.num_groups, "eps": layer.eps}


def _instance_norm(layer: Any, path: str) -> Attributes:
    if layer.track_running_stats:
        raise _untraceable(f"layer {path} (instance norm with running statistics)")
    return {"op": "instance_norm", **_tensors_of(layer, path), "eps": layer.eps}


def _max_pool(layer: Any, path: str) -> Attributes:
    if layer.dilation != 1 or layer.ceil_mode:
        raise _untraceable(f"layer {path} (dilated pooling, or one that rounds up)")
    axes = 3 if isinstance(layer, nn.MaxPool3d) else 2
    lists = {
        "kernel": layer.kernel_size,
        "stride": layer.stride or layer.kernel_size,
        "padding": layer.padding,
    }
    return {"op": "max_pool", **{name: _each_axis(value, axes) for name, value in lists.items()}}


def _avg_pool(layer: Any, path: str) -> Attributes:
    if layer.ceil_mode or not layer.count_include_pad or layer.divisor_override:
        raise _untraceable(f"layer {path} (mean pooling that rounds up, or with another divisor)")
    axes = 3 if isinstance(layer, nn.AvgPool3d) else 2
    lists = {"kernel": layer.kernel_size, "stride": layer.stride or layer.kernel_size, "padding": layer.padding}
    return {"op": "avg_pool", **{name: _each_axis(value, axes) for name, value in lists.items()}}


def _upsample(layer: Any, path: str) -> Attributes:
    if layer.mode == "nearest" and isinstance(layer.scale_factor, float):
        return {"op": "upsample_nearest", "factor": int(layer.scale_factor)}
    if layer.mode not in ("trilinear", "bilinear") or layer.scale_factor is None:
        raise _untraceable(f"layer {path} (upsampling that is neither linear nor nearest, or to a fixed size)")
    axes = 3 if layer.mode == "trilinear" else 2
    factor = _each_axis(layer.scale_factor, axes)
    return {"op": "upsample_linear", "factor": factor, "align_corners": bool(layer.align_corners)}


LAYERS: dict[type[nn.Module], Callable[[Any, str], Attributes | None]] = {
    nn.Conv3d: _conv,
    nn.Conv2d: _conv,
    nn.ConvTranspose3d: _conv_transpose,
    nn.ConvTranspose2d: _conv_transpose,
    nn.BatchNorm3d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.GroupNorm: _group_norm,
    nn.InstanceNorm3d: _instance_norm,
    nn.InstanceNorm2d: _instance_norm,
    nn.Linear: lambda layer, path: {"op": "linear", **_tensors_of(layer, path)},
    nn.ReLU: lambda _layer, _path: {"op": "relu"},
    nn.LeakyReLU: lambda layer, _path: {"op": "leaky_relu", "slope": layer.negative_slope},
    nn.PReLU: lambda _layer, path: {"op": "prelu", "weight": f"{path}.weight"},
    nn.ELU: lambda layer, _path: {"op": "elu", "alpha": layer.alpha},
    nn.Sigmoid: lambda _layer, _path: {"op": "sigmoid"},
    nn.MaxPool3d: _max_pool,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool3d: _avg_pool,
    nn.AvgPool2d: _avg_pool,
    nn.Upsample: _upsample,
    nn.Flatten: lambda _layer, _path: {"op": "flatten"},
    nn.Identity: lambda _layer, _path: None,
    nn.Dropout: lambda _layer, _path: None,
    nn.Dropout2d: lambda _layer, _path: None,
    nn.Dropout3d: lambda _layer, _path: None,
}


# --- calls ------------------------------------------------------------------------------------------------------


def _argument(node: fx.Node, place: int, name: str, default: Any) -> Any:
    return node.args[place] if len(node.args) > place else node.kwargs.get(name, default)


def _reduction(op: str) -> Callable[[fx.Node], Attributes]:
    def describe(node: fx.Node) -> Attributes:
        axes = _argument(node, 1, "dim", None)
        if axes is None:
            raise _untraceable(f"call {node.target} over all axes")
        axes = [axes] if isinstance(axes, int) else list(axes)
        return {"op": op, "axes": axes, "keep": bool(_argument(node, 2, "keepdim", False))}

    return describe


def _cat(node: fx.Node) -> Attributes:
    return {"op": "cat", "axis": int(_argument(node, 1, "dim", 0))}


def _pad(node: fx.Node) -> Attributes:
    counts = list(_argument(node, 1, "pad", ()))
    if _argument(node, 2, "mode", "constant") != "constant" or _argument(node, 3, "value", None) or min(counts) < 0:
        raise _untraceable(f"call pad with other values than zeros, or that cuts ({node.name})")
    # torch names the last axis first.
    return {"op": "pad", "before": counts[0::2][::-1], "after": counts[1::2][::-1]}


def _reshape(node: fx.Node) -> Attributes:
    shape = node.args[1] if isinstance(node.args[1], (tuple, list)) else node.args[1:]
    if not all(isinstance(count, int) for count in shape):
        raise _untraceable(f"call reshape to a shape that depends on the input ({node.name})")
    return {"op": "reshape", "shape": list(shape)}


def _plain(op: str) -> Callable[[fx.Node], Attributes]:
    def describe(node: fx.Node) -> Attributes:
        if len(_tensors(node)) != (2 if op in ("add", "mul") else 1):
            raise _untraceable(f"call {op} with a number ({node.name})")
        return {"op": op}

    return describe


FUNCTIONS: dict[Any, Callable[[fx.Node], Attributes]] = {
    torch.cat: _cat,
    torch.sigmoid: _plain("sigmoid"),
    torch.relu: _plain("relu"),
    functional.relu: _plain("relu"),
    functional.pad: _pad,
    operator.add: _plain("add"),
    operator.iadd: _plain("add"),
    operator.mul: _plain("mul"),
    torch.add: _plain("add"),
    torch.mul: _plain("mul"),
}
METHODS: dict[Any, Callable[[fx.Node], Attributes]] = {
    "mean": _reduction("mean"),
    "amax": _reduction("max"),
    "reshape": _reshape,
    "view": _reshape,
    "sigmoid": _plain("sigmoid"),
    "relu": _plain("relu"),
}
