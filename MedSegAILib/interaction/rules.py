"""What must hold after a correction: labels exclusive, regions nested, locked regions as they are.

A label map keeps the first two by itself; what is left to decide is the label of a voxel that enters or leaves a
region. Ring 4 (interaction).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.volume import Array

from .evidence import Evidence

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

CHANGE = 3.0  # log-odds against a label for each region that changes with it
_UNASKED = 1e3  # likewise where only the labels of now are known: no region changes that need not


def changeable(labels: Array, region: str, enters: bool, scheme: LabelScheme, locked: Sequence[str] = ()) -> Mask:
    """Give the voxels that could enter a region, or leave it, without a change in a locked one; bool ``[z, y, x]``."""
    values, inside, codes = _tables(region, scheme, locked)
    possible = [
        bool(((inside == enters) & (codes == code)).any()) and is_in != enters
        for is_in, code in zip(inside, codes, strict=True)
    ]
    could: Mask = np.isin(labels, values[np.array(possible)])
    return could


def relabel(
    labels: Array, wanted: Mask, region: str, scheme: LabelScheme, evidence: Evidence, locked: Sequence[str] = ()
) -> Array:
    """Give the label map in which a region has other voxels.

    A voxel that enters the region gets the likeliest of the region's labels, one that leaves it the likeliest of the
    others, background included; each other region that would change with it counts ``CHANGE`` against a label, for
    nobody has said anything about that one. Without probabilities nothing speaks for such a change, and a label that
    spares the other regions is taken wherever there is one. Labels that change a locked region are
    out; where no label is left, the voxel stays as it is. All other voxels stay.

    Args:
        labels: before, ``[z, y, x]``; it is not changed.
        wanted: voxels of the region after, bool, likewise.
        region: its name.
        scheme: labels and regions.
        evidence: scores of each label, and whether they come from probabilities.
        locked: names of regions that may not change.
    """
    values, inside, codes = _tables(region, scheme, locked)
    place = np.flatnonzero((wanted != np.isin(labels, values[inside])).ravel())
    after: Array = labels.copy()
    if not len(place):
        return after
    before = labels.reshape(-1)[place]
    index = np.argmax(values[:, None] == before[None, :], axis=0)
    enters = wanted.reshape(-1)[place]
    allowed = (inside[:, None] == enters[None, :]) & (codes[:, None] == codes[index][None, :])
    price = np.float32(CHANGE if evidence.is_from_run else _UNASKED)
    odds = evidence.scores.reshape(len(values), -1)[:, place] - price * _changes(values, scheme)[:, index]
    odds = np.where(allowed, odds, -np.inf)
    best = odds.argmax(axis=0)
    possible = allowed.any(axis=0)
    after.reshape(-1)[place[possible]] = values[best[possible]].astype(labels.dtype)
    return after


def others_changed(
    labels: Array, wanted: Mask, region: str, scheme: LabelScheme, evidence: Evidence, locked: Sequence[str] = ()
) -> dict[str, Mask]:
    """Give by name which voxels of the other regions change when :func:`relabel` is asked the same."""
    after = relabel(labels, wanted, region, scheme, evidence, locked)
    others = (other for other in scheme.regions if other.name != region)
    return {other.name: np.isin(labels, other.labels) != np.isin(after, other.labels) for other in others}


def changed_ml(
    before: Array, after: Array, scheme: LabelScheme, voxel_ml: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Give by region what it gained and what it lost, in mL; regions without a change are left out."""
    gained: dict[str, float] = {}
    lost: dict[str, float] = {}
    touched = before != after
    old, new = before[touched], after[touched]
    for region in scheme.regions:
        was, is_now = np.isin(old, region.labels), np.isin(new, region.labels)
        plus, minus = int(np.count_nonzero(is_now & ~was)), int(np.count_nonzero(was & ~is_now))
        if plus:
            gained[region.name] = plus * voxel_ml
        if minus:
            lost[region.name] = minus * voxel_ml
    return gained, lost


def _changes(values: Array, scheme: LabelScheme) -> Floats:
    """Give the number of regions that change when a voxel goes from one label (second axis) to another (first)."""
    parts = np.array([np.isin(values, region.labels) for region in scheme.regions])
    changes: Floats = (parts[:, :, None] != parts[:, None, :]).sum(axis=0).astype(np.float32)
    return changes


def _tables(region: str, scheme: LabelScheme, locked: Sequence[str]) -> tuple[Array, Array, Array]:
    """Give the label values with the background, which of them are in the region, and their code.

    Two labels with one code have the same part in all locked regions.
    """
    values = np.array([0, *(label.value for label in scheme.labels)])
    codes = np.zeros(len(values), dtype=np.int64)
    for bit, name in enumerate(locked):
        codes |= np.isin(values, scheme.region(name).labels).astype(np.int64) << bit
    return values, np.isin(values, scheme.region(region).labels), codes
