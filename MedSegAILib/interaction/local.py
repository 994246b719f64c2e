"""One region around a new prompt, as a corrector sees it, and what the corrector answers. Ring 4 (interaction)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.volume import Array

from .evidence import Evidence, Floats

Mask = npt.NDArray[np.bool_]


class Others(Protocol):
    """Tells what else changes with a region."""

    def __call__(self, wanted: Mask) -> Sequence[tuple[Mask, int]]:
        """Give of each other region which of its voxels would change if the region were this, and its present size."""


@dataclass(frozen=True, eq=False)
class Local:
    """One region around a new prompt; all arrays ``[z, y, x]`` on the grid of the evidence.

    Args:
        evidence: odds and images.
        log_odds: of the region, from the evidence.
        labels: label map as it is now.
        mask: the region as it is now.
        free: voxels that may change sides in the direction of the prompt; locks hold the others.
        others: tells what else would change.
        inner: regions that lie wholly inside this one, as they are now.
        prompt: voxels of the new prompt.
        is_include: whether the region is there.
        fixed: voxels of earlier prompts about this region.
        distance_mm: of every voxel to the new prompt.
        seen_mm: how far around the prompt all is seen; nothing changes farther away.
        size: voxels of the region, as far as the label map goes.
        is_boxed: whether the region was looked for in a box, with nothing known of a run.
    """

    evidence: Evidence
    log_odds: Floats
    labels: Array
    mask: Mask
    free: Mask
    others: Others
    inner: Sequence[Mask]
    prompt: Mask
    is_include: bool
    fixed: Mask
    distance_mm: Floats
    seen_mm: float
    size: int
    is_boxed: bool = False


@dataclass(frozen=True, eq=False)
class Taken:
    """Voxels that go over to a label.

    Args:
        voxels: which, bool ``[z, y, x]``.
        value: of the label.
    """

    voxels: Mask
    value: int


@dataclass(frozen=True, eq=False)
class Answer:
    """What a corrector found.

    Args:
        mask: the region now, bool ``[z, y, x]``.
        wanted_mm: how far around the prompt it would look if the box were larger; the caller decides.
        taken: those of the changed voxels whose new label is known; the others get the likeliest.
    """

    mask: Mask
    wanted_mm: float
    taken: Taken | None = None


class Corrector(Protocol):
    """Finds the region after a prompt."""

    def __call__(self, local: Local) -> Answer:
        """Give the region; only voxels on the wrong side of the prompt may change, and only within what is seen."""
