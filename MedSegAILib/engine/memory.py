"""How much memory a run will take, and the steps down when that is more than there is.

An estimate from measurements, good to about a third; not a guarantee. Memory of GPUs cannot be told so well: there the
backend names the case when it runs out, and ``predict`` takes the same steps then. Ring 2 (engine).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from MedSegAILib.core.errors import ResourceError

from .backend import NetworkSpec, Shape
from .windows import Windows, smaller

BYTES_A_VALUE = 4
MEBIBYTE = 1 << 20
# Peak of a forward in tensors of the first stage's channels at full resolution, U-nets of widths 8, 16, 48;
# measured, see Testing/unit/engine/test_memory.py.
PEAK_TENSORS = {"openvino": 4.3, "torch": 8.0}
LIBRARY_BYTES = {"openvino": 60 * MEBIBYTE, "torch": 220 * MEBIBYTE}
DEFAULT_WIDTH = 32  # of networks that name no width: that of nnU-Net's first stage
# How far windows of the last resort overlap: more costs time (8 times the passes at a half), less shows seams.
RESORT_OVERLAP = 0.5


@dataclass(frozen=True)
class Work:
    """What memory depends on.

    Args:
        network: its argument ``width`` is the number of channels at full resolution.
        backend: "openvino" or "torch".
        shape_czyx: of the prepared case.
        out_channels: regions.
        weight_bytes: of one member.
        has_votes: whether a second sum is kept, for doubt.
    """

    network: NetworkSpec
    backend: str
    shape_czyx: Shape
    out_channels: int = 3
    weight_bytes: int = 0
    has_votes: bool = False


@dataclass(frozen=True)
class MemoryPlan:
    """How a run keeps within its memory.

    Args:
        needed_bytes: estimate of what it adds to the process at its peak.
        budget_bytes: what it may take.
        windows: None for the whole box at once.
        note: one sentence when a step down was taken, else empty.
    """

    needed_bytes: int
    budget_bytes: int
    windows: Windows | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the plan for the passport, in MB; free memory, which changes by itself, only where it was short."""
        told: dict[str, Any] = {"needed_mb": self.needed_bytes >> 20}
        if self.note:
            told["budget_mb"] = self.budget_bytes >> 20
        if self.windows:
            windows = self.windows
            told["windows"] = {
                "size": list(windows.size_zyx),
                "overlap": windows.overlap,
                "weights": windows.weights,
            }
        return told


def estimate_bytes(work: Work, windows: Windows | None = None) -> int:
    """Estimate what a run adds to the process at its peak.

    Args:
        work: network, backend and case.
        windows: None for the whole box at once.

    Returns:
        Bytes: library, weights (twice, while they are copied), activations, input, one look, logits and sums.
    """
    channels, voxels = work.shape_czyx[0], math.prod(work.shape_czyx[1:])
    depth, height, width = work.shape_czyx[1:]
    at_once = math.prod(windows.clipped((depth, height, width))) if windows else voxels
    first_width = int(work.network.arguments.get("width", DEFAULT_WIDTH))
    activations = PEAK_TENSORS[work.backend] * first_width * at_once
    # The look and the logits are of what the network sees at once; input and sums are of the whole box.
    arrays = (channels + 2 * work.out_channels) * at_once
    whole = (channels + (2 if work.has_votes else 1) * work.out_channels) * voxels
    return int(LIBRARY_BYTES[work.backend] + 2 * work.weight_bytes + (activations + arrays + whole) * BYTES_A_VALUE)


def available_bytes() -> int:
    """Give the memory that the system could hand out now without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def plan_memory(work: Work, wanted: Windows | None = None, budget_bytes: int = 0) -> MemoryPlan:
    """Plan a run on a CPU: as wanted when that fits, else in ever smaller windows.

    Args:
        work: network, backend and case.
        wanted: windows of the package; None for the whole box.
        budget_bytes: 0 asks the system what is free.

    Raises:
        ResourceError: "memory.not_enough" with the need as wanted and what there is, when no window fits.
    """
    budget = budget_bytes or available_bytes()
    as_wanted = estimate_bytes(work, wanted)
    if as_wanted <= budget:
        return MemoryPlan(as_wanted, budget, wanted)
    for windows in steps_down(work, wanted):
        needed = estimate_bytes(work, windows)
        if needed <= budget:
            return MemoryPlan(needed, budget, windows, _note(work, wanted, windows, as_wanted, budget))
    raise _not_enough(work, as_wanted, budget)


def steps_down(work: Work, wanted: Windows | None = None) -> Iterator[Windows]:
    """Give ever smaller windows than wanted, each of which the network takes."""
    depth, height, width = work.shape_czyx[1:]
    start = wanted or Windows((depth, height, width), RESORT_OVERLAP)
    last = start
    for size in smaller(start.clipped((depth, height, width))):
        windows = start.sized(size)
        if windows != last:
            yield windows
        last = windows


def words(shape_zyx: tuple[int, ...]) -> str:
    """Give a shape as people write it: "144 x 176 x 144"."""
    return " x ".join(str(count) for count in shape_zyx)


def _note(work: Work, wanted: Windows | None, windows: Windows, needed: int, budget: int) -> str:
    what = f"windows of {words(wanted.size_zyx)}" if wanted else f"the whole box of {words(work.shape_czyx[1:])}"
    return (
        f"Computed in windows of {words(windows.size_zyx)} voxels instead of {what}: that needs about "
        f"{needed / 2**30:.1f} GiB, {budget / 2**30:.1f} GiB may be used."
    )


def _not_enough(work: Work, needed: int, budget: int) -> ResourceError:
    return ResourceError(
        "memory.not_enough",
        f"The network needs about {needed / 2**30:.1f} GiB for this case ({words(work.shape_czyx[1:])} voxels); "
        f"{budget / 2**30:.1f} GiB are free, too little for small windows too.",
        "Close other programs, or crop the images to the part that matters.",
        needed_bytes=needed,
        available_bytes=budget,
    )
