"""Weights of eight bits in a file: a kernel as int8 and one factor for each of its outputs. Ring 3.

It halves a file of half precision. Networks run on float32 all the same; small tensors (norms, biases) stay as they
are, there is nothing to win.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[np.generic]]
SCALE = ".scale"  # of the kernel of this name, float32 [outputs]
LARGEST = 127
LEAST_SIZE = 1024  # numbers of a kernel that is worth it


def narrowed(weights: Mapping[str, npt.NDArray[np.floating]]) -> dict[str, npt.NDArray[np.generic]]:
    """Give kernels as int8 with their factors, everything else in half precision.

    Args:
        weights: by name; a kernel is ``[outputs, inputs, ...]``.

    Returns:
        For a kernel ``name``: int8 of its shape, and ``name.scale``, float32 ``[outputs]``; the error of a weight is
        at most half of its output's factor.
    """
    narrow: dict[str, npt.NDArray[np.generic]] = {}
    for name, values in weights.items():
        if values.ndim < 2 or values.size < LEAST_SIZE:
            narrow[name] = values.astype(np.float16)
            continue
        rows = values.astype(np.float32).reshape(len(values), -1)
        scale = np.maximum(np.abs(rows).max(axis=1) / LARGEST, np.finfo(np.float32).tiny).astype(np.float32)
        narrow[name] = np.rint(rows / scale[:, None]).astype(np.int8).reshape(values.shape)
        narrow[f"{name}{SCALE}"] = scale
    return narrow


def widened(tensors: Arrays) -> dict[str, npt.NDArray[np.float32]]:
    """Give every tensor of a file as float32; the reverse of :func:`narrowed` but for what rounding took.

    Raises:
        KeyError: an int8 tensor without its factors.
    """
    wide = {}
    for name, values in tensors.items():
        if values.dtype == np.int8:
            scale = tensors[f"{name}{SCALE}"].astype(np.float32)
            wide[name] = values.astype(np.float32) * scale.reshape(-1, *(1,) * (values.ndim - 1))
        elif not (name.endswith(SCALE) and name.removesuffix(SCALE) in tensors):
            wide[name] = values.astype(np.float32)
    return wide
