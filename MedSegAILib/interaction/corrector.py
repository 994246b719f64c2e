"""What a corrector is: it sees one region around a prompt and says what the region is now. Ring 4 (interaction).

The first one works from what is known (``known``), for any package and without a network of its own. A learned one
would be a second file and a second line in ``CORRECTORS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .evidence import Evidence, Floats
from .known import spread

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Local:
    """One region around a new prompt; all arrays ``[z, y, x]`` on the grid of the evidence.

    Args:
        evidence: odds and images.
        log_odds: of the region, from the evidence.
        mask: the region as it is now.
        free: voxels that may change sides in the direction of the prompt; locks hold the others.
        prompt: voxels of the new prompt.
        is_include: whether the region is there.
        fixed: voxels of earlier prompts about this region.
        distance_mm: of every voxel to the new prompt.
        reach_mm: nothing changes farther away.
    """

    evidence: Evidence
    log_odds: Floats
    mask: Mask
    free: Mask
    prompt: Mask
    is_include: bool
    fixed: Mask
    distance_mm: Floats
    reach_mm: float


@dataclass(frozen=True, eq=False)
class Answer:
    """What a corrector found.

    Args:
        mask: the region now, bool ``[z, y, x]``.
        wanted_mm: how far around the prompt it would look if the box were larger; the caller decides.
    """

    mask: Mask
    wanted_mm: float


class Corrector(Protocol):
    """Finds the region after a prompt."""

    def __call__(self, local: Local) -> Answer:
        """Give the region; only voxels on the wrong side of the prompt may change, and only within reach."""


def from_what_is_known(local: Local) -> Answer:
    """Give the region by spreading the prompt over odds and images; see ``known``."""
    wrong = local.free
    seeds = local.prompt & wrong
    if not seeds.any():
        return Answer(local.mask, 0.0)
    sign = np.float32(1.0 if local.is_include else -1.0)
    found, wanted_mm = spread(
        sign * local.log_odds,
        local.evidence.images,
        wrong,
        seeds,
        local.distance_mm,
        local.evidence.grid.spacing_zyx_mm,
    )
    turned = found & ~local.fixed & (local.distance_mm <= local.reach_mm)
    return Answer(np.where(turned | seeds, local.is_include, local.mask), wanted_mm)


CORRECTORS: dict[str, Corrector] = {"known": from_what_is_known}
