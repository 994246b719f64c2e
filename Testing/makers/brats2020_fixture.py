"""Weights and input of the forward fixture, by its written rule (systems/brats2020.md, "Forward fixture")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# tag: class, width, norm, shape z y x
CASES: dict[str, tuple[str, int, str, tuple[int, int, int]]] = {
    "equi_w8_group": ("EquiUnet", 8, "group", (32, 32, 32)),
    "att_w8_group": ("AttEquiUnet", 8, "group", (32, 32, 32)),
    "equi_w8_instance": ("EquiUnet", 8, "instance", (32, 32, 32)),
    "unet_w8_group": ("Unet", 8, "group", (32, 32, 32)),
    "att_w16_group": ("AttEquiUnet", 16, "group", (16, 24, 40)),
    "att_w16_instance": ("AttEquiUnet", 16, "instance", (16, 24, 40)),
}
SAMPLES = (..., slice(None, None, 3), slice(None, None, 5), slice(None, None, 7))


def fixture_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, npt.NDArray[np.float32]]:
    """Weights by the rule: sines of the element number, the phase is the place of the name in the sorted list."""
    weights = {}
    for index, name in enumerate(sorted(shapes)):
        sine = np.sin(0.37 * np.arange(int(np.prod(shapes[name]))) + index)
        values = 1 + 0.05 * sine if name.endswith("bn.weight") else 0.1 * sine
        weights[name] = values.astype(np.float32).reshape(shapes[name])
    return weights


def fixture_input(shape_zyx: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Input ``[4, z, y, x]`` by the rule."""
    z, y, x = np.meshgrid(*[np.arange(count, dtype=np.float64) for count in shape_zyx], indexing="ij")
    channels = [
        0.5 + 0.5 * np.sin(0.21 * z + 0.9 * c) * np.cos(0.13 * y - 0.4 * c) + 0.25 * np.sin(0.17 * x * (c + 1))
        for c in range(4)
    ]
    return np.stack(channels).astype(np.float32)


def state_shapes(module: Any) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a module's tensors, in its own order."""
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def state_arrays(module: Any) -> dict[str, npt.NDArray[np.float32]]:
    """A copy of the module's tensors as arrays, as a package holds them."""
    return {name: tensor.detach().numpy().astype(np.float32) for name, tensor in module.state_dict().items()}
