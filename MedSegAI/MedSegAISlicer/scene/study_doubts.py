"""What looking at the chosen inputs says against them: exchanged sequences, a skull where none is wanted.

By the same looks as the roles (``core.role_looks``: numpy only), so that it is said before a run; the run itself looks
closer. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from MedSegAILib.core.role_looks import Look
from MedSegAILib.core.role_odds import HEAD_ROLES, LookOdds
from MedSegAILib.tasks.package import Package

# Of the hull of the tissue: 1246 to 1710 mL in 14 stripped volumes of brain_tumor_four_sequences, 2463 mL or more in
# 25 whole heads of brain_tumor_lgg_flair. The limit is that of the run (``image.head``).
LARGEST_BRAIN_ML = 1900.0


@dataclass(frozen=True)
class InputDoubt:
    """Something that speaks against an input.

    Args:
        reason: one sentence.
        fix: what a click would do; empty when nothing can be done by one.
        code: of the fix, a key of ``study_fixes.FIXES``.
        other: role that the fix changes too.
    """

    reason: str
    fix: str = ""
    code: str = ""
    other: str = ""


def inputDoubts(package: Package, looks: Mapping[str, Look | None], *, isMasked: bool) -> dict[str, InputDoubt]:
    """Give what speaks against the inputs of a head task, as far as they were looked at and compared.

    Args:
        package: of the task.
        looks: by role, of the chosen inputs; None for a volume that cannot be looked at.
        isMasked: whether the run will mask the brain.
    """
    seen = {role: one for role, one in looks.items() if one is not None and not one.problem and role in HEAD_ROLES}
    doubts: dict[str, InputDoubt] = {}
    if package.wants_stripped:
        doubts.update({role: _skull(one, isMasked) for role, one in seen.items() if one.tissue_ml > LARGEST_BRAIN_ML})
    if len(seen) > 1:
        roles = list(seen)
        odds = LookOdds([seen[role] for role in roles])
        found = odds.misnamed(dict(enumerate(roles))) if odds.is_compared else {}
        doubts.update(_misnamed({roles[index]: name for index, name in found.items()}))
    return doubts


def _skull(look: Look, isMasked: bool) -> InputDoubt:
    if isMasked:
        words = "It shows the skull: all outside the brain is masked for the run."
        return InputDoubt(words, "Use the whole head as it is", "unmask")
    words = f"It shows the skull ({look.tissue_ml:.0f} mL; a brain has at most {LARGEST_BRAIN_ML:.0f} mL)."
    return InputDoubt(words, "Mask the brain for the run", "mask")


def _misnamed(found: Mapping[str, str]) -> dict[str, InputDoubt]:
    doubts = {}
    for role, name in found.items():
        if found.get(name) == role:
            sure = " (the contrast agent shows in T1)" if {role, name} == {"T1", "T1ce"} else ""
            words = f"{role} and {name} look exchanged{sure}."
            doubts[role] = InputDoubt(words, f"Exchange {role} and {name}", "exchange", name)
        else:
            doubts[role] = InputDoubt(f"It looks like {name}, by the brightness of fluid, gray and white matter.")
    return doubts
