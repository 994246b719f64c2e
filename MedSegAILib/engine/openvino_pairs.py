"""Eight channels at full width: two neighbors along x lie side by side in the sixteen lanes of a vector.

A convolution to eight channels fills half of an AVX-512 vector. Written as one to sixteen channels with stride 2 along
x, it fills all of it for a third more multiplications; its result in channels-last memory is the same numbers in the
same places, so going back to single voxels costs nothing where a convolution or ``cat`` reads them. Measured 1.15
times as fast for a whole network of width 8. Not here: which layers exist (``openvino_model``). Ring 1 (verbs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from openvino import opset13 as ops

from .backend import FloatArray
from .openvino_draft import integers, shape_of

Node = Mapping[str, Any]

LANES = 16  # float32 values of an AVX-512 vector
# What may read pairs: the first two as they are, the others single voxels in the order that pairs have in memory.
# Any other reader would make OpenVINO move the data.
KEEPERS = frozenset({"group_norm", "instance_norm", "relu"})
READERS = frozenset({"conv", "max_pool", "cat"})


@dataclass(frozen=True)
class Pairs:
    """A value whose neighbors along x lie side by side.

    Args:
        value: ``[1, 2 * channels, z, y, x / 2]``; the even voxel's channels, then the odd one's.
        channels: of a voxel.
        sizes_zyx: of the image, x even.
    """

    value: Any
    channels: int
    sizes_zyx: tuple[int, int, int]

    def singles(self) -> Any:
        """Give single voxels, ``[1, channels, z, y, x]``: no copy where channels-last is read."""
        last = ops.transpose(self.value, integers([0, 2, 3, 4, 1]))
        split = ops.reshape(last, integers([1, *self.sizes_zyx, self.channels]), False)
        return ops.transpose(split, integers([0, 4, 1, 2, 3]))


def channels_of(x: Any) -> int:
    """Give the channels of a voxel, of pairs or single voxels."""
    return x.channels if isinstance(x, Pairs) else shape_of(x)[1]


def singles_of(x: Any) -> Any:
    """Give single voxels of pairs or single voxels."""
    return x.singles() if isinstance(x, Pairs) else x


def suit(nodes: Sequence[Node], position: int, kernel_shape: Sequence[int], sizes: Sequence[int], lanes: int) -> bool:
    """Tell whether a convolution is worth pairs: it leaves half a vector empty, and all that follows can read them.

    Args:
        nodes: of the graph, in order.
        position: of the convolution.
        kernel_shape: of its weights, ``[out, in, z, y, x]``.
        sizes: of its input, ``[z, y, x]``.
        lanes: float32 values of this machine's vectors.
    """
    node = nodes[position]
    is_plain = (
        tuple(kernel_shape[2:]) == (3, 3, 3)
        and all(list(node[name]) == [1, 1, 1] for name in ("stride", "padding", "dilation"))
        and sizes[-1] % 2 == 0
        and not node.get("bias")
    )
    return is_plain and 2 * kernel_shape[0] == LANES == lanes and _is_read_well(nodes, position)


def _is_read_well(nodes: Sequence[Node], position: int) -> bool:
    name = nodes[position]["name"]
    readers = [(place, node) for place, node in enumerate(nodes) if name in node["inputs"]]
    return bool(readers) and all(
        _halves(node) if node["op"] == "max_pool" else node["op"] in READERS or _is_kept(nodes, place)
        for place, node in readers
    )


def _is_kept(nodes: Sequence[Node], place: int) -> bool:
    return nodes[place]["op"] in KEEPERS and _is_read_well(nodes, place)


def _halves(node: Node) -> bool:
    return list(node["kernel"]) == list(node["stride"]) == [2, 2, 2] and not any(node["padding"])


def pair_kernel(kernel: FloatArray) -> FloatArray:
    """Give the kernel to pairs, ``[2 * out, in, 3, 3, 4]``, of one to voxels, ``[out, in, 3, 3, 3]``."""
    out_channels, in_channels, depth, height, width = kernel.shape
    paired = np.zeros((2, out_channels, in_channels, depth, height, width + 1), np.float32)
    paired[0, ..., :-1] = kernel
    paired[1, ..., 1:] = kernel
    return paired.reshape(2 * out_channels, in_channels, depth, height, width + 1)


def convolve(x: Any, kernel: Any, channels: int, sizes_zyx: tuple[int, int, int]) -> Pairs:
    """Convolve single voxels to pairs.

    Args:
        x: ``[1, in, z, y, x]``.
        kernel: of :func:`pair_kernel`.
        channels: of the result.
        sizes_zyx: of the image.
    """
    ones = [1, 1, 1]
    return Pairs(ops.convolution(x, kernel, [1, 1, 2], ones, ones, ones), channels, sizes_zyx)


def halve(pairs: Pairs) -> Any:
    """Take the maximum of every block of 2 x 2 x 2 voxels; gives single voxels."""
    none = [0, 0, 0]
    pooled = ops.max_pool(pairs.value, [2, 2, 1], [1, 1, 1], none, none, [2, 2, 1]).output(0)
    even_odd = ops.split(pooled, ops.constant(np.int64(1)), 2)
    return ops.maximum(even_odd.output(0), even_odd.output(1))
