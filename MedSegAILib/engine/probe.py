"""One convolution with a known result, to see whether a device calculates at all. Ring 1 (verbs)."""

from __future__ import annotations

from typing import Any

import numpy as np

from MedSegAILib.core.errors import ResourceError

from .backend import Device, FloatArray

# A 3x3x3 convolution of ones over ones counts neighbors: 8 in a corner of the box, 27 inside; exact in bf16 too.
PROBE_SIZE = 8
PROBE_GRAPH: dict[str, Any] = {
    "format": 1,
    "input": "x",
    "output": "count",
    "nodes": [
        {
            "name": "count",
            "op": "conv",
            "inputs": ["x"],
            "weight": "weight",
            "bias": None,
            "stride": [1, 1, 1],
            "padding": [1, 1, 1],
            "dilation": [1, 1, 1],
        }
    ],
}


def probe_weights() -> dict[str, FloatArray]:
    """Give the weights of the probe, ones."""
    return {"weight": np.ones((1, 1, 3, 3, 3), np.float32)}


def probe_array() -> FloatArray:
    """Give the input of the probe, ones, ``[1, z, y, x]``."""
    return np.ones((1, PROBE_SIZE, PROBE_SIZE, PROBE_SIZE), np.float32)


def check_probe(counts: FloatArray, device: Device) -> None:
    """Compare the probe's result with the number of neighbors of every voxel.

    Raises:
        ResourceError: "device.wrong_result".
    """
    along = np.full(PROBE_SIZE, 3.0)
    along[[0, -1]] = 2.0
    wanted = along[:, None, None] * along[:, None] * along
    if counts.shape != (1, *wanted.shape) or not np.array_equal(counts[0], wanted):
        raise ResourceError(
            "device.wrong_result",
            f"A small test convolution on {device.name} gave wrong numbers.",
            "Update the driver of the device, or run on another one.",
        )
