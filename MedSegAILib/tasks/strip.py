"""Whole heads given to networks that learned on bare brains: the brain is masked, if that may be done. Ring 3.

Measured on every fifth train head of brain_tumor_lgg_flair (15), preset fast, mean Dice of the whole tumor: an early
training state of package brain-tumor 0.476 without, 0.661 with the mask; a later one 0.732 and 0.733 (median
0.771 and 0.792). The network had learned on these very heads. On the study as scanned, which it never saw, against
labels made by programs: 0.265 and 0.512 with the early state, 0.449 and 0.497 with the later one; enhancing tumor 0.02
and 0.51, because what enhances in orbit and nose is gone. On 3 of the 15 heads the mask cut off 12 to 28 % of the
tumor, so it is offered, not a default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.result import Notice
from MedSegAILib.image.brain_mask import brain_mask, masked
from MedSegAILib.image.head import HeadLook

from .check import CheckedCase
from .plausible import skull_notice

# A mask outside of this is not a brain with its margin of 4 mm (1200 to 2400 mL on 15 train heads); it is not used.
SMALLEST_MASK_ML, LARGEST_MASK_ML = 700.0, 2800.0


def strip(checked: CheckedCase, looks: Mapping[str, HeadLook], allowed: Sequence[str], *, wanted: bool) -> CheckedCase:
    """Set everything outside the brain to 0 in the inputs that show a skull.

    Args:
        checked: a case whose volumes lie on each other.
        looks: what ``plausible.look_at_heads`` saw.
        allowed: repairs that the options allow; "strip" is this one.
        wanted: whether the package was trained on stripped brains.

    Returns:
        The case with the notice "case.stripped", or as it was with "case.unstripped" (not allowed, not wanted) or
        "case.strip_failed" (the mask cannot be a brain).
    """
    case = checked.case
    with_skull = [role for role, look in looks.items() if look.has_skull and not look.is_too_large]
    if not with_skull:
        return checked
    if not wanted or "strip" not in allowed:
        return CheckedCase(case, checked.notices + skull_notice(looks), checked.repairs)
    mask = brain_mask([case.volumes[role] for role in with_skull], case.reference_grid())
    volume_ml = float(np.count_nonzero(mask.array)) * mask.grid.voxel_volume_ml
    if not SMALLEST_MASK_ML <= volume_ml <= LARGEST_MASK_ML:
        notice = Notice(
            "case.strip_failed",
            f"{', '.join(with_skull)} show the skull, but no brain was found there (the mask had {volume_ml:.0f} mL).",
            "Give stripped images, or look at what is marked outside the brain.",
        )
        return CheckedCase(case, (*checked.notices, notice), checked.repairs)
    words = f"{', '.join(with_skull)}: all outside the brain set to 0 (mask of {volume_ml:.0f} mL, with 4 mm around)"
    notice = Notice(
        "case.stripped",
        f"The head shows the skull. {words}.",
        "What the mask cut off cannot be found: look at tumors that touch the skull; refuse the repair strip if so.",
    )
    volumes = {role: masked(v, mask) if role in with_skull else v for role, v in case.volumes.items()}
    return CheckedCase(
        Case(volumes, reference=case.reference, name=case.name), (*checked.notices, notice), (*checked.repairs, words)
    )
