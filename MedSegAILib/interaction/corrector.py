"""Which corrector answers a prompt: thin errors are the learned one's, thick ones that of what is known. Ring 4.

Shells of a few voxels are all alike, and what is wrong in them can be learned from other studies; a missed part of a
tumor is not like that of another head, and there a learned rule has cost regions more than it gained (decision 0012).
It learned on results of networks, so a region that was looked for in a box by its image is not its matter either.
A flat border between two labels moves as a whole or not at all, and inner regions are spared, whichever answers.
"""

from __future__ import annotations

import numpy as np

from .depth import depth_of, depths_of
from .inner import spare_inner
from .known import from_what_is_known
from .learned import from_clues
from .local import Answer, Corrector, Local
from .sheet import cuts_around

CORRECTORS: dict[str, Corrector] = {"known": from_what_is_known, "learned": from_clues}
THIN_MM = 3.0  # from the prompt to the present border
THIN_VOXELS = 2.0  # likewise where the voxels are coarse: such an error is a shell of them, too


def by_depth(local: Local) -> Answer:
    """Give the region by the corrector that is for errors of this thickness."""
    seeds = local.prompt & local.free
    if not seeds.any():
        return Answer(local.mask, 0.0)
    spacing = local.evidence.grid.spacing_zyx_mm
    thin_mm = max(THIN_MM, THIN_VOXELS * float(np.cbrt(np.prod(spacing))))
    is_thin = depth_of(depths_of(local.free, spacing), seeds) <= thin_mm
    answer = CORRECTORS["learned" if is_thin and not local.is_boxed else "known"](local)
    cuts = cuts_around(local)
    mask = np.where(cuts.held, local.mask, answer.mask) if is_thin else answer.mask
    if cuts.taken is not None:
        mask = np.where(cuts.taken.voxels, local.is_include, mask)
    return Answer(spare_inner(local, mask), answer.wanted_mm, cuts.taken)
