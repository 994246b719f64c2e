"""One prompt applied to a label map: a small box, a corrector, the rules. Ring 4 (interaction).

Nothing is remembered here: who asks brings the label map as it is now, the prompts so far, and what is locked. So a
brush stroke between two clicks, an undo or another door change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.correction import REACH_MM, Corrected, Correction
from MedSegAILib.core.prompt_box import box_around
from MedSegAILib.core.prompts import BoxPrompt, Lasso, Prompt
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import Box

from .corrector import by_depth
from .evidence import Evidence, gather
from .filled_box import fill_box
from .local import Corrector, Local
from .prompt_voxels import voxels_of
from .rules import changeable, changed_ml, others_changed, relabel

Mask = npt.NDArray[np.bool_]

FIRST_MARGIN_MM = 18.0  # around the prompt; it grows only when the answer asks for more


@dataclass(frozen=True, eq=False)
class _Look:
    """One look in one box."""

    box: Box
    mask: Mask
    evidence: Evidence
    wanted_mm: float


def correct(correction: Correction, corrector: Corrector = by_depth) -> Corrected:
    """Apply the newest prompt of a correction.

    Args:
        correction: label map, region, prompts, images, locks.
        corrector: finds the region around a click or a scribble. Lassos and boxes that exclude are taken to the
            letter; a box that includes is filled (``filled_box``).

    Returns:
        The label map after, in the box that was looked at; nothing farther than ``REACH_MM`` from the prompt differs.

    Raises:
        InputError: "prompt.outside".
    """
    started = perf_counter()
    prompt = correction.prompts[-1]
    margin_mm, rounds = FIRST_MARGIN_MM, 0
    while True:
        rounds += 1
        look = _look(correction, prompt, margin_mm, corrector)
        if look.wanted_mm <= margin_mm or margin_mm >= REACH_MM:
            break
        margin_mm = min(look.wanted_mm, REACH_MM)
    before = correction.labels.array[look.box]
    after = relabel(before, look.mask, correction.region, correction.scheme, look.evidence, correction.locked)
    grid = look.evidence.grid
    gained, lost = changed_ml(before, after, correction.scheme, grid.voxel_volume_ml)
    facts = {
        "prompt": prompt.kind,
        "rounds": rounds,
        "box_zyx": list(grid.shape_zyx),
        "from_probabilities": correction.probabilities is not None,
        "seconds": round(perf_counter() - started, 4),
    }
    offset = (look.box[0].start, look.box[1].start, look.box[2].start)
    return Corrected(Volume(after, grid, name="labels"), offset, gained, lost, facts)


def _look(correction: Correction, prompt: Prompt, margin_mm: float, corrector: Corrector) -> _Look:
    labels, scheme = correction.labels, correction.scheme
    box = box_around([prompt], labels.grid, margin_mm)
    evidence = gather(labels, box, scheme, correction.images, correction.probabilities)
    inside = scheme.region(correction.region).labels
    mask = np.isin(labels.array[box], inside)
    held = voxels_of(prompt, evidence.grid)
    if isinstance(prompt, Lasso) or (isinstance(prompt, BoxPrompt) and not prompt.is_include):
        return _Look(box, np.where(held, prompt.is_include, mask), evidence, 0.0)
    if isinstance(prompt, BoxPrompt):
        return _Look(box, fill_box(evidence.log_odds(inside), evidence.images, mask, held), evidence, 0.0)
    answer = corrector(_local(correction, box, evidence, held, margin_mm))
    if answer.taken is not None:
        evidence = evidence.told(answer.taken.voxels, answer.taken.value)
    return _Look(box, answer.mask, evidence, answer.wanted_mm)


def _local(correction: Correction, box: Box, evidence: Evidence, held: Mask, margin_mm: float) -> Local:
    """Give what a corrector sees."""
    scheme, region, is_include = correction.scheme, correction.region, correction.prompts[-1].is_include
    labels = correction.labels.array[box]
    inside = scheme.region(region).labels
    most = 1 + max(label.value for label in scheme.labels)
    # Slice by slice: all at once would be copied as 64-bit integers first, 0.3 s for 9 million voxels.
    counts = np.sum([np.bincount(part.ravel(), minlength=most) for part in correction.labels.array], axis=0)
    sizes = {each.name: int(counts[list(each.labels)].sum()) for each in scheme.regions}

    def others(wanted: Mask) -> list[tuple[Mask, int]]:
        moved = others_changed(labels, wanted, region, scheme, evidence, correction.locked)
        return [(mask, sizes[name]) for name, mask in moved.items() if mask.any()]

    return Local(
        evidence,
        evidence.log_odds(inside),
        labels,
        np.isin(labels, inside),
        changeable(labels, region, is_include, scheme, correction.locked),
        others,
        [np.isin(labels, each.labels) for each in scheme.regions if set(each.labels) < set(inside)],
        held,
        is_include,
        _fixed(correction.prompts[:-1], evidence.grid),
        _distance_mm(held, evidence.grid),
        margin_mm,
        sizes[region],
        not evidence.is_from_run and any(isinstance(each, BoxPrompt) for each in correction.prompts),
    )


def _fixed(earlier: Sequence[Prompt], grid: Grid) -> Mask:
    """Give the voxels of earlier clicks, scribbles and outlines: what was said stands until it is said otherwise."""
    fixed = np.zeros(grid.shape_zyx, dtype=bool)
    for prompt in earlier:
        if not isinstance(prompt, BoxPrompt):
            fixed |= voxels_of(prompt, grid)
    return fixed


def _distance_mm(held: Mask, grid: Grid) -> npt.NDArray[np.float32]:
    from scipy import ndimage

    if not held.any():
        return np.full(held.shape, np.inf, dtype=np.float32)
    distances: npt.NDArray[np.float32] = ndimage.distance_transform_edt(~held, sampling=grid.spacing_zyx_mm).astype(
        np.float32
    )
    return distances
