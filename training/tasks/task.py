"""The nouns of a task as training knows it: what the manifest says, and which runs become which stage.

No behavior, no weights. Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
NO_REFERENCE = "Trained on phantoms drawn by code, not on people."  # first line of such a card, and of its notice


@dataclass(frozen=True)
class EnsemblePlan:
    """Runs whose weights are averaged: name for the passport, recipes in the order of the members."""

    name: str
    recipes: tuple[str, ...]


@dataclass(frozen=True)
class StagePlan:
    """One stage of the package.

    Args:
        name: for progress and passport.
        ensembles: at least one.
        decide: steps from probabilities to labels.
        more: further fields of the stage in the manifest (the rule between ensembles); its box is that of the recipes.
        eight_bit: keep kernels as int8, for packages of several networks that travel with the extension.
    """

    name: str
    ensembles: tuple[EnsemblePlan, ...]
    decide: tuple[Mapping[str, Any], ...]
    more: Mapping[str, Any] = field(default_factory=dict)
    eight_bit: bool = False


@dataclass(frozen=True)
class Card:
    """What the card says besides what the run knows.

    Args:
        takes, gives, is_what: one or two sentences each.
        limits: known limits, one line each.
        learned_on: the studies of each set in words, by set name.
        warning: first line of the card and notice of every result; empty when references by people trained it.
    """

    takes: str
    gives: str
    is_what: str
    limits: tuple[str, ...]
    learned_on: Mapping[str, str]
    warning: str = ""


@dataclass(frozen=True)
class Task:
    """A task: its tables for the manifest, the plan of its stages, the words of its card.

    Args:
        table: fields of the manifest: task, title, license, intended_use, not_for, inputs, subsets, reference,
            labels, regions, presets, and what else the format knows (anatomy, notice).
        stages: in order.
        card: see there.
        main_region: region whose volume stands in the tables.
        measured_on: (set, part) whose scores stand on the card; the set "phantom" draws seeds that never train.
        measured_with: (set, part, inputs) of studies that are shown with these inputs alone: what a run with fewer
            may expect.
        travels: its package comes along with the extension and must stay small.
    """

    table: Json
    stages: tuple[StagePlan, ...]
    card: Card
    main_region: str
    measured_on: tuple[tuple[str, str], ...]
    measured_with: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    travels: bool = True

    @property
    def name(self) -> str:
        """Name by which users ask for it."""
        return str(self.table["task"])

    @property
    def roles(self) -> tuple[str, ...]:
        """Inputs in channel order."""
        return tuple(str(entry["role"]) for entry in self.table["inputs"])

    @property
    def regions(self) -> dict[str, tuple[int, ...]]:
        """Label values by region, in the order in which they are shown."""
        return {str(entry["name"]): tuple(entry["labels"]) for entry in self.table["regions"]}

    @property
    def label_values(self) -> frozenset[int]:
        """Values that a reference may hold, 0 included."""
        return frozenset({0, *(int(entry["value"]) for entry in self.table["labels"])})

    def reference_role(self, roles: tuple[str, ...]) -> str:
        """Give the input whose grid the result lies on, out of those that are there."""
        return next(role for role in self.table["reference"] if role in roles)
