"""What the deterministic mode promises, and what it refuses because chance would decide. Ring 3.

The engine's part (fp32, no TF32, no racing kernels) is in ``engine.device`` and ``engine.torch_backend``.
"""

from __future__ import annotations

from collections.abc import Sequence

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.core.run import RunOptions

# Shares are of the largest region; measured by Testing/benchmarks/determinism.py, see docs/benchmarks/batch.md.
TOLERANCE = (
    "Same bytes on the same machine with the same options. Between backends and devices (fp32) labels may differ in at "
    "most 0.1 % of the voxels of the largest region, and the volume of a region by at most 0.1 % of it; measured for "
    "openvino and torch on a CPU."
)


def refuse_chance(fallbacks: Sequence[str], options: RunOptions) -> None:
    """Refuse a result that depends on how much memory happened to be free.

    Args:
        fallbacks: steps down that were taken.
        options: a limit of memory that was given by the user always cuts a case in the same way, and is no chance.

    Raises:
        ResourceError: "memory.deterministic".
    """
    if fallbacks and not options.memory_mb:
        raise ResourceError(
            "memory.deterministic",
            f"The run would differ from one with more free memory: {fallbacks[0]}",
            "Free memory, give a fixed limit with --memory, or switch the deterministic mode off.",
        )
