"""A click on a thin error spreads by a rule that was learned from simulated readers on train studies. Ring 4.

For every voxel on the wrong side near the prompt a small network gives the log-odds that it is wrong as the prompt
says, from what is known about it (``clues``). It learned on automatic results of hippocampus, brain tumor and brain
tissue, and works from numbers that mean the same in every package. Its weights are in ``click_rule.npz``;
``Testing/benchmarks/interaction_fit.py`` writes them, ``interaction.py`` there measures, decision 0012 tells why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .clues import Clues, clues_of
from .local import Answer, Local, Mask

Floats = npt.NDArray[np.float32]

RULE_FILE = Path(__file__).with_name("click_rule.npz")
FAR_MM = 18.0  # nothing changes farther from the prompt
RIGHT_ELSEWHERE = 0.85  # of the region where nobody has clicked
# What a prompt may be expected to spoil, in shares of a region: of the one that it is about, and of any other.
OWN_STAKE, STAKE = 0.01, 0.0015


@dataclass(frozen=True, eq=False)
class Rule:
    """A network of full layers with rectifiers between them.

    Args:
        middle: of each clue.
        spread: of each clue.
        layers: weights ``[in, out]`` and offsets ``[out]``.
    """

    middle: Floats
    spread: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def __call__(self, rows: Floats) -> Floats:
        """Give the log-odds of each row, ``[n]``."""
        values: Floats = (rows - self.middle) / self.spread
        for weights, offsets in self.layers[:-1]:
            values = np.maximum(values @ weights + offsets, np.float32(0.0))
        weights, offsets = self.layers[-1]
        odds: Floats = (values @ weights + offsets)[:, 0]
        return odds


def read_rule(path: Path) -> Rule:
    """Read what :func:`write_rule` wrote."""
    with np.load(path, allow_pickle=False) as kept:
        count = sum(name.startswith("weights") for name in kept.files)
        layers = tuple((kept[f"weights{k}"], kept[f"offsets{k}"]) for k in range(count))
        return Rule(kept["middle"], kept["spread"], layers)


def write_rule(rule: Rule, path: Path) -> None:
    """Write a rule."""
    arrays = {f"weights{k}": weights for k, (weights, _) in enumerate(rule.layers)}
    arrays |= {f"offsets{k}": offsets for k, (_, offsets) in enumerate(rule.layers)}
    np.savez(path, allow_pickle=False, middle=rule.middle, spread=rule.spread, **arrays)


@cache
def _shipped() -> Rule:
    return read_rule(RULE_FILE)


def from_clues(local: Local) -> Answer:
    """Give the region by the rule that is shipped."""
    return answered(local, lambda clues: _shipped()(clues.rows))


def answered(local: Local, ask: Callable[[Clues], Floats]) -> Answer:
    """Give the region by asking about every voxel around the prompt.

    Args:
        local: the region.
        ask: gives the log-odds that each of the candidates is wrong as the prompt says.
    """
    seeds = local.prompt & local.free
    if not seeds.any():
        return Answer(local.mask, 0.0)
    clues = clues_of(local, seeds)
    turned = chosen(local, clues.candidates, ask(clues)) | seeds
    return Answer(np.where(turned, local.is_include, local.mask), FAR_MM)


def chosen(local: Local, candidates: Mask, odds: Floats) -> Mask:
    """Give the voxels that change sides: the likely ones, unless the region or another one would suffer.

    Args:
        local: the region.
        candidates: the voxels that were asked about, ``[z, y, x]``.
        odds: of each of them in scan order.
    """
    wrong: Floats = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
    taken = (odds > 0.0) & ~local.fixed[candidates]
    if not local.is_include:
        taken &= ~_worth_keeping(1.0 - wrong, local.size - len(odds))
    taken &= ~_too_risky(wrong, taken, OWN_STAKE * local.size)
    turned = np.zeros(candidates.shape, dtype=bool)
    turned[candidates] = taken
    for moved, size in local.others(np.where(turned, local.is_include, local.mask)):
        taken &= ~_too_risky(wrong, taken & moved[candidates], STAKE * size)
    turned[candidates] = taken
    return turned


def _worth_keeping(right: Floats, size_elsewhere: int) -> Mask:
    """Give the voxels that a region has to keep for the largest Dice that is to be expected.

    Without this a click into a region that is mostly wrong could take all of it away.

    Args:
        right: chance of each voxel to belong to the region.
        size_elsewhere: voxels of the region that are not asked about.
    """
    order = np.argsort(-right, kind="stable")
    hit = RIGHT_ELSEWHERE * size_elsewhere + np.concatenate([[0.0], np.cumsum(right[order])])
    dice = 2.0 * hit / np.maximum(2.0 * size_elsewhere + np.arange(len(right) + 1) + right.sum(), 1.0)
    kept = np.zeros(len(right), dtype=bool)
    kept[order[: int(dice.argmax())]] = True
    return kept


def _too_risky(wrong: Floats, taken: Mask, limit: float) -> Mask:
    """Give the voxels that stay as they are, so that not too many are expected to be spoiled; the least likely ones.

    Args:
        wrong: chance of each voxel to be wrong as the prompt says.
        taken: those that would change.
        limit: voxels that may be spoiled; 0 where there is no region.
    """
    risky = np.zeros(len(wrong), dtype=bool)
    if limit > 0.0:
        order = np.flatnonzero(taken)
        order = order[np.argsort(-wrong[order], kind="stable")]
        risky[order[np.cumsum(1.0 - wrong[order]) > limit]] = True
    return risky
