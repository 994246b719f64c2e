"""What an exclude prompt leaves alone: parts of inner regions that it neither touches nor holds whole. Ring 4.

Who takes edema out of a tumor core has said nothing about the enhancing part next to it. A part that lies wholly in
what goes (a spot inside an island that is no tumor at all) goes with it.
"""

from __future__ import annotations

from MedSegAILib.image.components import parts_with

from .local import Local, Mask


def spare_inner(local: Local, mask: Mask) -> Mask:
    """Give the region with those voxels back that belong to a part of an inner region which the prompt does not mean.

    Args:
        local: the region, and those inside it.
        mask: the region as a corrector would leave it, ``[z, y, x]``.
    """
    spared = mask
    for inner in local.inner:
        goes = local.mask & ~mask & inner
        if goes.any() and not (inner & local.prompt).any():
            # From what stays of the inner region back into what would go: the parts that would be cut.
            stays = inner & ~goes
            spared = spared | (goes & parts_with(inner, stays))
    return spared
