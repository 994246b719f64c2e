"""Folds for cross-validation, grouped by patient, kept in a file and never made a second time.

A file of folds is ``{"folds": [[study, ...], ...], "groups": {study: patient}}``. Beside the library (training).

Source: five folds, shuffled, seed 16111990, of the sorted patients: design page "brats2020", section 2; the shuffle is
that of scikit-learn's ``KFold``, numpy's legacy generator.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from MedSegAILib.core.errors import InputError, UsageError

FOLDS = 5
SEED = 16111990


@dataclass(frozen=True)
class Folds:
    """The studies of each fold, and the patient of each study (its own name when nobody tells).

    Args:
        folds: names of studies; every study is in one fold.
        groups: patient by study, for those that are not alone.
    """

    folds: tuple[tuple[str, ...], ...]
    groups: Mapping[str, str] = field(default_factory=dict)

    def held_out(self, number: int) -> tuple[str, ...]:
        """Give the studies that a fold does not train on.

        Raises:
            UsageError: "training.fold" for a number that there is not.
        """
        if not 0 <= number < len(self.folds):
            raise UsageError(
                "training.fold", f"There is no fold {number}.", f"Folds are numbered 0 to {len(self.folds) - 1}."
            )
        return self.folds[number]


def make_folds(studies: Sequence[str], groups: Mapping[str, str] | None = None, count: int = FOLDS) -> Folds:
    """Divide studies into folds; those of one patient stay together.

    Args:
        studies: names.
        groups: patient by study; a study that is not in it is its own patient.
        count: of folds; fewer when there are fewer patients.
    """
    groups = {name: str(groups[name]) for name in studies if name in groups} if groups else {}
    patients = sorted({groups.get(name, name) for name in studies})
    parts = kfold(len(patients), max(1, min(count, len(patients))))
    fold_of = {patients[index]: number for number, part in enumerate(parts) for index in part}
    folds: list[list[str]] = [[] for _ in parts]
    for name in sorted(studies):
        folds[fold_of[groups.get(name, name)]].append(name)
    return Folds(tuple(map(tuple, folds)), groups)


def kfold(count: int, folds: int = FOLDS, seed: int = SEED) -> list[list[int]]:
    """Give the indices of each fold, ascending: shuffled once, cut into parts of nearly one size."""
    order = np.arange(count)
    np.random.RandomState(seed).shuffle(order)
    return [sorted(part.tolist()) for part in np.array_split(order, folds)]


def keep_folds(
    path: Path, studies: Sequence[str], groups: Mapping[str, str] | None = None, count: int = FOLDS
) -> Folds:
    """Give the folds of a file; make and write them, so many, when there is no file yet.

    Raises:
        InputError: "folds.changed" when the file speaks of other studies than there are now; it is never made anew.
    """
    if not path.is_file():
        folds = make_folds(studies, groups, count)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"folds": folds.folds, "groups": folds.groups}, indent=1) + "\n", encoding="utf-8")
        return folds
    folds = read_folds(path)
    told = {name for fold in folds.folds for name in fold}
    if told != set(studies):
        first = sorted(told ^ set(studies))[0]
        raise InputError(
            "folds.changed",
            f"{path.name} speaks of {len(told)} studies, the set has {len(set(studies))}; one that differs is {first}.",
            "Put the studies back, or give the run another folder, where new folds are made.",
        )
    return folds


def read_folds(path: Path) -> Folds:
    """Read a file of folds.

    Raises:
        InputError: "folds.file" when it is not one, or puts a study or a patient into two folds.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        folds = Folds(tuple(tuple(map(str, fold)) for fold in told["folds"]), dict(told.get("groups", {})))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError("folds.file", f"{path.name} holds no folds.", 'Wanted: {"folds": [[...], ...]}.') from error
    seen: dict[str, int] = {}
    for number, fold in enumerate(folds.folds):
        for name in fold:
            patient = folds.groups.get(name, name)
            if seen.setdefault(patient, number) != number or fold.count(name) > 1:
                raise InputError(
                    "folds.file",
                    f"{path.name} has {patient} twice, in fold {seen[patient]} and in fold {number}.",
                    "Leave each patient in one fold.",
                )
    return folds
