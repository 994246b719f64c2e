"""The words in which a network's topology is written down, and the check that a graph uses them soundly.

A graph is JSON: ``{"format": 1, "input": name, "output": name, "nodes": [node, ...]}``. A node is
``{"name", "op", "inputs": [names of earlier nodes or the input], ...attributes}``; tensors are named, never held.
``trace`` writes graphs from torch modules, ``openvino_model`` builds them, ``turning`` judges them. A new layer is one
line here and one in each of those. Ring 1 (verbs); standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from MedSegAILib.core.errors import PackageError

FORMAT = 1

# Attributes of each op; lists have one entry per spatial axis (z, y, x), so two axes are two-dimensional layers.
# TENSORS name tensors; null stands for "without".
VOCABULARY: dict[str, frozenset[str]] = {
    "conv": frozenset({"weight", "bias", "stride", "padding", "dilation"}),
    "conv_transpose": frozenset({"weight", "bias", "stride", "padding", "output_padding"}),
    "batch_norm": frozenset({"weight", "bias", "mean", "variance", "eps"}),  # statistics of the training
    "group_norm": frozenset({"weight", "bias", "groups", "eps"}),
    "instance_norm": frozenset({"weight", "bias", "eps"}),
    "linear": frozenset({"weight", "bias"}),
    "relu": frozenset(),
    "leaky_relu": frozenset({"slope"}),
    "prelu": frozenset({"weight"}),  # one slope, or one a channel
    "elu": frozenset({"alpha"}),
    "sigmoid": frozenset(),
    "max_pool": frozenset({"kernel", "stride", "padding"}),
    "avg_pool": frozenset({"kernel", "stride", "padding"}),  # zeros of the padding count
    "upsample_linear": frozenset({"factor", "align_corners"}),
    "upsample_nearest": frozenset({"factor"}),  # one for all axes
    "pad": frozenset({"before", "after"}),  # zeros; counts for the last axes, in their order
    "cat": frozenset({"axis"}),
    "add": frozenset(),
    "mul": frozenset(),
    "mean": frozenset({"axes", "keep"}),
    "max": frozenset({"axes", "keep"}),
    "flatten": frozenset(),  # all but the first axis
    "reshape": frozenset({"shape"}),
}
TENSORS = ("weight", "bias", "mean", "variance")
_TWO_INPUTS = ("add", "mul")


def check_graph(graph: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Give the nodes of a graph that is sound.

    Raises:
        PackageError: "package.graph" naming what is off: no graph, another format, an unknown op, a missing
            attribute, an input that is not made before it is used.
    """
    if not graph:
        raise _refused("it is missing")
    if graph.get("format") != FORMAT:
        raise _refused(f"its format is {graph.get('format')!r}, wanted {FORMAT}")
    known = {graph.get("input")}
    nodes = list(graph.get("nodes", ()))
    for node in nodes:
        name, op, inputs = node.get("name"), node.get("op"), node.get("inputs", [])
        if op not in VOCABULARY:
            raise _refused(f"node {name!r} uses the operation {op!r}")
        if missing := VOCABULARY[op] - node.keys():
            raise _refused(f"node {name!r} lacks {', '.join(sorted(missing))}")
        if not known.issuperset(inputs) or name in known:
            raise _refused(f"node {name!r} is not in order")
        wanted = 2 if op in _TWO_INPUTS else 1
        if len(inputs) != wanted and not (op == "cat" and inputs):
            raise _refused(f"node {name!r} has {len(inputs)} inputs, wanted {wanted}")
        known.add(name)
    if graph.get("output") not in known or not nodes:
        raise _refused(f"its output {graph.get('output')!r} is never made")
    return nodes


def tensor_names(graph: Mapping[str, Any]) -> list[str]:
    """Give the names of the tensors that a sound graph uses, each once, in order of use."""
    nodes = check_graph(graph)
    return list(dict.fromkeys(node[key] for node in nodes for key in TENSORS if node.get(key)))


def _refused(what: str) -> PackageError:
    return PackageError(
        "package.graph",
        f"The network's topology (graph.json) cannot be used: {what}.",
        "Update MedSegAI, or install the package again from its source.",
    )
