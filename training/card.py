"""The card of a package: what it is, what it saw, what it is worth, where it fails. Written by the run.

Beside the library (training).
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from .evaluate import SetScore, table
from .recipes.recipe import Recipe

_HEAD = """# brain-tumor: whole tumor, core and enhancing tumor of a glioma in MR

Research use only; not for clinical decisions. License Apache-2.0.

**What it takes.** T1, T1ce, T2, FLAIR; or T1ce and FLAIR; or FLAIR alone. Skull stripped or whole heads.
**What it gives.** Labels 1 (necrotic and non-enhancing core), 2 (edema), 4 (enhancing tumor); regions WT = 1 + 2 + 4,
TC = 1 + 4, ET = 4; on the grid of T1ce, else of FLAIR.
**What it is.** One small network (EquiUnet of Henry et al., arXiv 2011.01045, width 8, group norm, 644 683 weights in
half precision), working at 2 mm. It is a first step, not the method of the paper, which is six times as wide and saw
hundreds of studies at 1 mm for days.
"""

_LIMITS = """## Known limits

- Few studies: the numbers above have wide error bars, above all ET and TC. A study without enhancing tumor counts 1
  or 0, and one false voxel decides which.
- Tumor core without enhancement is often taken for edema and the other way round.
- Without T1ce nobody can see enhancement; TC and ET from FLAIR alone are guesses.
- In whole heads (with skull) only the whole tumor was learned from people; TC and ET there rest on phantoms and on
  stripped brains.
- Whole heads with strong uneven coil brightness, very bright fat or low contrast: healthy brain near the coil, or fat
  and muscle at the base of the skull, is taken for tumor. Small tumors and FLAIR alone suffer most.
- Parts of the tumor smaller than about 4 mm are lost at the working voxel of 2 mm.
- Not for metastases, meningioma, children, or scans after surgery: none of these was trained.
- The test studies come from the sources of the training studies; other scanners may do worse.
"""


def write_card(recipe: Recipe, steps: int, hours: float, scores: Sequence[SetScore]) -> str:
    """Give the card as Markdown.

    Args:
        recipe: of the training.
        steps: optimizer steps done.
        hours: on the clock.
        scores: from ``evaluate``; each table stands under the command that prints it again.
    """
    parts = [_HEAD, _training(recipe, steps, hours), "## What it is worth\n"]
    if not scores:
        parts.append("Not measured yet.\n")
    for score in scores:
        parts.append(f"Dice (both empty 1, one empty 0), preset {score.preset}; printed by `{score.command}`:\n")
        parts.append(table(score))
    parts.append(_LIMITS)
    return "\n".join(parts)


def _training(recipe: Recipe, steps: int, hours: float) -> str:
    crops = "\n".join(
        f"- {kind.count} of {'x'.join(map(str, kind.size_zyx))} voxels: "
        + ", ".join(f"{name} {share:.0%}" for name, share in kind.mix.items())
        for kind in recipe.crops
    )
    steps_text = "; ".join(_words(step) for step in recipe.prepare)
    saw = (
        "Sets: `four_sequences` 8 studies, all regions; `more` 22 with FLAIR, four of them with T1ce; `lgg` 66 whole "
        f"heads with FLAIR, mostly T1ce, whole tumor only; `phantom` {recipe.phantoms.count} heads made by code, "
        f"{recipe.phantoms.with_skull} of them with skull. {len(recipe.held_out)} further studies of the train parts "
        "never trained; they were watched, and led to the changes of the run. Studies of a test part neither trained "
        "nor chose anything: they were measured once, with the final weights. "
    )
    how = (
        f"`python -m training train {recipe.name}`: {steps} steps in {hours:.1f} hours on two processor cores, shared "
        f"with other work. AdamW {recipe.learning_rate:g} with a cosine to 0; soft Dice plus cross-entropy, unknown "
        f"regions masked; running mean of the weights. Preparation: {steps_text}. Crops take turns:"
    )
    augmented = (
        "Augmentation: flips along every axis, rotation and scaling, contrast, uneven coil, thick slices, noise, and "
        "hidden sequences (never FLAIR and T1ce together)."
    )
    paragraphs = [_wrapped(how), crops, _wrapped(saw + recipe.history), _wrapped(augmented)]
    return "## How it was trained\n\n" + "\n\n".join(paragraphs) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text.strip(), width=118, break_long_words=False, break_on_hyphens=False)


def _words(step: Mapping[str, Any]) -> str:
    """Give a preparation step as "name (parameter value, ...)"."""
    parameters = [f"{name} {value}" for name, value in step.items() if name != "step"]
    return f"{step['step']} ({', '.join(parameters)})" if parameters else str(step["step"])
