"""Several ensembles of one stage become one answer: named rules with parameters. Ring 3.

A rule works on probabilities (before the decision) or on label maps (after it); the two tables say which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.volume import Array

from .decide import Surroundings, decide

Regions = Mapping[str, Array]  # by region name, [z, y, x]


def merge(
    outcomes: Mapping[str, Regions],
    steps: Sequence[Mapping[str, Any]],
    rule: Mapping[str, Any],
    around: Surroundings | None = None,
) -> npt.NDArray[Any]:
    """Decide for all ensembles of a stage, and merge them.

    Args:
        outcomes: by ensemble name, its probabilities by region name, each ``[z, y, x]`` on one grid.
        steps: of the decision; see ``decide``.
        rule: ``{"rule": name, parameter: value, ...}``; empty for a single ensemble.
        around: what the decision may look at besides.

    Returns:
        Label map ``[z, y, x]``.

    Raises:
        PackageError: "package.step" for an unknown rule or parameter, or one that does not fit the ensembles.
    """
    if len(outcomes) == 1:
        return decide(next(iter(outcomes.values())), steps, around)
    try:
        if _is_soft(rule):
            return decide(probabilities_of(outcomes, rule), steps, around)
        labels = {ensemble: decide(regions, steps, around) for ensemble, regions in outcomes.items()}
        return LABEL_RULES[str(rule.get("rule"))](labels, **_parameters(rule))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise PackageError(
            "package.step",
            f"The package asks for a merging rule that this version does not know: {dict(rule)}.",
            f"Known rules: {', '.join([*PROBABILITY_RULES, *LABEL_RULES])}.",
        ) from error


def probabilities_of(outcomes: Mapping[str, Regions], rule: Mapping[str, Any]) -> Regions:
    """Average the ensembles for what shows probabilities: as the rule does, else (it merges labels) with equal weights.

    Raises:
        TypeError, KeyError, ValueError: for a rule that :func:`merge` refuses by name.
    """
    if len(outcomes) == 1:
        return next(iter(outcomes.values()))
    return PROBABILITY_RULES[rule["rule"]](outcomes, **_parameters(rule)) if _is_soft(rule) else _mean(outcomes)


def voting_shares(passes: Mapping[str, int], region: str, rule: Mapping[str, Any]) -> dict[str, float]:
    """Give how much say each ensemble has in a region: as the rule weighs it, else by its passes.

    Args:
        passes: of the ensembles that looked.
        region: name.
        rule: of the stage.

    Returns:
        By ensemble a share above 0, in sum 1; those without a say are not there.
    """
    told = rule.get("weights", {}).get(region) if _is_soft(rule) else None
    weights = {name: count if told is None else told.get(name, 0.0) for name, count in passes.items()}
    total = sum(weights.values())
    return {name: float(weight) / total for name, weight in weights.items() if weight > 0.0}


def _parameters(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key != "rule"}


def _is_soft(rule: Mapping[str, Any]) -> bool:
    return rule.get("rule") in PROBABILITY_RULES


def _mean(outcomes: Mapping[str, Regions], weights: Mapping[str, Mapping[str, float]] | None = None) -> Regions:
    """Average the probabilities; ``weights`` tells by region how much which ensemble counts, all alike if it is silent.

    As with the paper's Table 1, an ensemble may thus have a say in one region and none in the others.
    """
    regions = next(iter(outcomes.values()))
    told = weights or {}
    if unknown := [name for name in told if name not in regions]:
        raise ValueError(unknown[0])
    return {name: _weighted(outcomes, name, told.get(name, dict.fromkeys(outcomes, 1.0))) for name in regions}


def _weighted(outcomes: Mapping[str, Regions], region: str, weights: Mapping[str, float]) -> Array:
    total = sum(weights.values())
    if not weights or min(weights.values()) < 0 or not total > 0:
        raise ValueError(region)
    parts = (outcomes[ensemble][region] * np.float32(weight / total) for ensemble, weight in weights.items())
    mean: Array = sum(parts, np.float32(0.0))
    return mean


def _label_table(
    labels: Mapping[str, Array], columns: str, rows: str, values: Sequence[int], cells: Sequence[Sequence[int]]
) -> Array:
    """Look the merged label up: ``cells[row of one ensemble's label][column of the other's]``.

    Table 1 of Henry et al. 2021 is such a table: columns are pipeline A, rows pipeline B.
    """
    table = np.zeros((max(values) + 1, max(values) + 1), dtype=labels[columns].dtype)
    table[np.ix_(values, values)] = np.array(cells)
    merged: Array = table[labels[rows], labels[columns]]
    return merged


PROBABILITY_RULES: dict[str, Callable[..., Regions]] = {"mean": _mean}
LABEL_RULES: dict[str, Callable[..., Array]] = {"label_table": _label_table}
