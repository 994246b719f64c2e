"""Which corrector answers a prompt: thin errors are the learned one's, thick ones that of what is known. Ring 4.

Shells of a few voxels are all alike, and what is wrong in them can be learned from other studies; a missed part of a
tumor is not like that of another head, and there a learned rule has cost regions more than it gained (decision 0012).
"""

from __future__ import annotations

from .depth import depth_of, depths_of
from .known import from_what_is_known
from .learned import from_clues
from .local import Answer, Corrector, Local

CORRECTORS: dict[str, Corrector] = {"known": from_what_is_known, "learned": from_clues}
THIN_MM = 3.0  # from the prompt to the present border


def by_depth(local: Local) -> Answer:
    """Give the region by the corrector that is for errors of this thickness."""
    seeds = local.prompt & local.free
    if not seeds.any():
        return Answer(local.mask, 0.0)
    is_thin = depth_of(depths_of(local.free, local.evidence.grid.spacing_zyx_mm), seeds) <= THIN_MM
    return CORRECTORS["learned" if is_thin else "known"](local)
