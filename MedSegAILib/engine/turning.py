"""Whether a network can run on a look with y and x swapped by swapping y and x of its kernels instead.

Followed through the graph is what every value holds: an image, one number a channel, or a row of features. What no
rule here knows counts as unlike: the network is then built anew for turned looks. Ring 1 (verbs); standard library
only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .graph import check_graph

Node = Mapping[str, Any]

IMAGE = "image"  # [n, c, z, y, x] or [n, c, y, x]
POINT = "point"  # [n, c, 1, 1, 1] or [n, c, 1, 1]
ROW = "row"  # [n, c]
UNLIKE = ""

# Lists with one entry a spatial axis: y and x must have the same.
BY_AXIS = ("stride", "padding", "output_padding", "dilation", "kernel", "factor", "before", "after")


def treats_yx_alike(graph: Mapping[str, Any], axes: int) -> bool:
    """Tell whether swapping y and x of an image swaps those of the result, once y and x of all kernels are swapped.

    So it is where every layer has the same step, padding, factor and so on along both, and none reduces one alone.

    Args:
        graph: see ``engine.graph``.
        axes: spatial axes of the image, 3 or 2; y and x are the last two.

    Raises:
        PackageError: "package.graph".
    """
    nodes = check_graph(graph)
    kinds = {graph["input"]: IMAGE}
    for node in nodes:
        rule = RULES.get(node["op"])
        if rule is None or not all(_is_alike(node[key]) for key in BY_AXIS if key in node):
            return False
        kind = rule(node, [kinds[name] for name in node["inputs"]], axes)
        if kind == UNLIKE:
            return False
        kinds[node["name"]] = kind
    return True


def _is_alike(values: Any) -> bool:
    return isinstance(values, int) or (len(values) >= 2 and values[-1] == values[-2])


# --- one rule an op: what comes of inputs that hold this --------------------------------------------------------


def _image(_node: Node, kinds: Sequence[str], _axes: int) -> str:
    """Layers along the axes of an image."""
    return UNLIKE if ROW in kinds else IMAGE


def _kept(_node: Node, kinds: Sequence[str], _axes: int) -> str:
    """Every number by itself, or by its channel."""
    return kinds[0]


def _joined(_node: Node, kinds: Sequence[str], _axes: int) -> str:
    """Number by number; one a channel serves the whole image."""
    if len(set(kinds)) == 1:
        return kinds[0]
    return UNLIKE if ROW in kinds else IMAGE


def _reduced(node: Node, kinds: Sequence[str], axes: int) -> str:
    """Means and maxima; over y and x together, or over neither."""
    if ROW in kinds:
        return UNLIKE
    over = {axis % (axes + 2) for axis in node["axes"]}
    spatial = set(range(2, axes + 2))
    if over == spatial:
        return POINT if node["keep"] else ROW
    of_yx = over & {axes, axes + 1}
    return kinds[0] if node["keep"] and len(of_yx) in (0, 2) else UNLIKE


def _cat(node: Node, kinds: Sequence[str], axes: int) -> str:
    rank = 2 if ROW in kinds else axes + 2
    is_before_yx = node["axis"] % rank < (2 if ROW in kinds else axes)
    return kinds[0] if len(set(kinds)) == 1 and is_before_yx else UNLIKE


def _flatten(_node: Node, kinds: Sequence[str], _axes: int) -> str:
    return UNLIKE if kinds[0] == IMAGE else ROW


def _linear(_node: Node, kinds: Sequence[str], _axes: int) -> str:
    return ROW if kinds[0] == ROW else UNLIKE


def _reshape(node: Node, kinds: Sequence[str], axes: int) -> str:
    """To one number a channel; a shape with more of them mixes y and x."""
    shape = list(node["shape"])
    return POINT if kinds[0] != IMAGE and len(shape) == axes + 2 and set(shape[2:]) == {1} else UNLIKE


RULES: dict[str, Callable[[Node, Sequence[str], int], str]] = {
    **dict.fromkeys(("relu", "leaky_relu", "prelu", "elu", "sigmoid"), _kept),
    **dict.fromkeys(("conv", "conv_transpose", "max_pool", "avg_pool", "upsample_linear", "upsample_nearest"), _image),
    **dict.fromkeys(("batch_norm", "group_norm", "instance_norm", "pad"), _image),
    **dict.fromkeys(("add", "mul"), _joined),
    **dict.fromkeys(("mean", "max"), _reduced),
    "cat": _cat,
    "flatten": _flatten,
    "linear": _linear,
    "reshape": _reshape,
}
