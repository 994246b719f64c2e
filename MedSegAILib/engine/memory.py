"""How much memory a run will take, and the refusal before it starts when there is not enough.

An estimate from measurements, good to about a third; not a guarantee. Memory of GPUs is the torch backend's matter:
it names the case when it runs out. Ring 1 (verbs).
"""

from __future__ import annotations

import math

from MedSegAILib.core.errors import ResourceError

from .backend import NetworkSpec, Shape

BYTES_A_VALUE = 4
MEBIBYTE = 1 << 20
# Peak of a forward in tensors of the first stage's channels at full resolution, U-nets of widths 8, 16, 48;
# measured, see Testing/unit/engine/test_memory.py.
PEAK_TENSORS = {"openvino": 4.3, "torch": 8.0}
LIBRARY_BYTES = {"openvino": 60 * MEBIBYTE, "torch": 220 * MEBIBYTE}
DEFAULT_WIDTH = 32  # of networks that name no width: that of nnU-Net's first stage


def estimate_bytes(
    network: NetworkSpec, backend: str, shape_czyx: Shape, out_channels: int = 3, weight_bytes: int = 0
) -> int:
    """Estimate what a run adds to the process at its peak.

    Args:
        network: its argument ``width`` is the number of channels at full resolution.
        backend: "openvino" or "torch".
        shape_czyx: of the prepared case.
        out_channels: regions.
        weight_bytes: of one member.

    Returns:
        Bytes: library, weights (twice, while they are copied), activations, input, one look, logits and sum.
    """
    voxels = math.prod(shape_czyx[1:])
    width = int(network.arguments.get("width", DEFAULT_WIDTH))
    activations = PEAK_TENSORS[backend] * width * voxels * BYTES_A_VALUE
    arrays = (2 * shape_czyx[0] + 3 * out_channels) * voxels * BYTES_A_VALUE
    return int(LIBRARY_BYTES[backend] + 2 * weight_bytes + activations + arrays)


def available_bytes() -> int:
    """Give the memory that the system could hand out now without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def check_memory(needed: int, shape_czyx: Shape, available: int | None = None) -> None:
    """Refuse a run that would not fit.

    Args:
        needed: from :func:`estimate_bytes`.
        shape_czyx: of the prepared case, for the message.
        available: bytes; None asks the system.

    Raises:
        ResourceError: "memory.not_enough" with both values.
    """
    free = available_bytes() if available is None else available
    if needed <= free:
        return
    shape = " x ".join(str(count) for count in shape_czyx[1:])
    raise ResourceError(
        "memory.not_enough",
        f"The network needs about {needed / 2**30:.1f} GiB for this case ({shape} voxels); "
        f"{free / 2**30:.1f} GiB are free.",
        "Close other programs, or crop the images to the part that matters.",
        needed_bytes=needed,
        available_bytes=free,
    )
