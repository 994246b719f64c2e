"""The labeled sets by name: where each lies, whose labels it holds, and which study is of which part.

The parts (train, test) come from the set's own ``splits.json``, or stand here for a set that has no such file; layouts
are the library's. Beside the library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.io.datasets import LabeledStudy, list_studies
from training.tasks import find_task

from .study import Study, read_study, refuse_test, region_masks

__all__ = [
    "SETS", "DataSet", "Study", "data_folder", "find_studies", "read_groups", "read_splits", "read_study",
    "refuse_test", "region_masks", "root_of", "splits_of",
]  # fmt: skip

DATA_VARIABLE = "MEDSEGAI_SHARED"  # folder that holds data/, when it does not lie beside the checkout


@dataclass(frozen=True)
class DataSet:
    """A labeled set.

    Args:
        name: short name on the command line.
        folder: its folder under ``data``; or a whole path, for a set of somebody's own.
        task: whose labels its references hold.
        known: regions that its references tell; the others are unknown, not empty.
        splits: study names by part; empty reads the set's ``splits.json``.
    """

    name: str
    folder: str
    task: str
    known: tuple[str, ...]
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


SETS: dict[str, DataSet] = {
    entry.name: entry
    for entry in (
        DataSet("four_sequences", "brain_tumor_four_sequences", "brain-tumor", ("ET", "TC", "WT")),
        DataSet("more", "brain_tumor_more", "brain-tumor", ("ET", "TC", "WT")),
        DataSet("lgg", "brain_tumor_lgg_flair", "brain-tumor", ("WT",)),
        DataSet("ibsr18", "ibsr18", "brain-tissue", ("CSF", "GM", "WM", "brain")),
        DataSet("prostate", "prostate", "prostate", ("prostate", "transition", "peripheral")),
        DataSet("hippocampus", "hippocampus", "hippocampus", ("hippocampus", "anterior", "posterior")),
    )
}


def data_folder() -> Path:
    """Give the folder of the sets: ``$MEDSEGAI_SHARED/data``, else ``../shared/data`` beside the checkout.

    Raises:
        InputError: "data.missing" when neither is there.
    """
    places = [Path(os.environ[DATA_VARIABLE])] if os.environ.get(DATA_VARIABLE) else []
    places.append(Path(__file__).resolve().parents[3] / "shared")
    for place in places:
        if (place / "data").is_dir():
            return place / "data"
    raise InputError(
        "data.missing",
        "The folder with the labeled studies was not found beside the checkout.",
        f"Set {DATA_VARIABLE} to the folder that holds data/.",
    )


def root_of(entry: DataSet, folder: Path | None = None) -> Path:
    """Give the folder of a set; ``folder`` is that of all sets, None looks for it."""
    return Path(entry.folder) if Path(entry.folder).is_absolute() else (folder or data_folder()) / entry.folder


def read_splits(root: Path) -> dict[str, tuple[str, ...]]:
    """Give the study names by part that a set's ``splits.json`` tells; empty without such a file."""
    path = root / "splits.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {part: tuple(told[part]) for part in ("train", "test") if part in told}


def read_groups(root: Path) -> dict[str, str]:
    """Give the patient by study that a set's ``splits.json`` tells under "groups"; empty without."""
    path = root / "splits.json"
    groups = json.loads(path.read_text(encoding="utf-8")).get("groups", {}) if path.is_file() else {}
    return {str(name): str(patient) for name, patient in groups.items()}


def splits_of(set_name: str, folder: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """Give the study names of a set by part.

    Raises:
        UsageError: "data.set" for an unknown name.
    """
    if set_name not in SETS:
        raise UsageError("data.set", f"There is no set {set_name!r}.", f"Choose one of {', '.join(SETS)}.")
    return SETS[set_name].splits or read_splits(root_of(SETS[set_name], folder))


def find_studies(set_name: str, part: str, folder: Path | None = None) -> list[Study]:
    """List the studies of one part of a set, in the order of its splits.

    Args:
        set_name: key of ``SETS``.
        part: "train" or "test"; "held_out" for a set of somebody's own.
        folder: folder of the sets; None looks for it.

    Raises:
        UsageError: "data.set", "data.part" for an unknown name.
        InputError: "data.study" when a study has no reference or no image; "data.layout".
    """
    splits = splits_of(set_name, folder)
    if part not in splits:
        raise UsageError("data.part", f"There is no part {part!r}.", f"Choose one of {', '.join(splits)}.")
    entry = SETS[set_name]
    found = {one.name: one for one in list_studies(root_of(entry, folder), find_task(entry.task).roles)}
    return [_study(entry, found.get(name), name, part) for name in splits[part]]


def _study(entry: DataSet, found: LabeledStudy | None, name: str, part: str) -> Study:
    if found is None or not found.files or found.reference is None or not found.reference.is_file():
        raise InputError(
            "data.study",
            f"Study {name} of {entry.name} lacks its reference or every image.",
            "Fetch the set again and check it with its SHA256SUMS.",
        )
    return Study(entry.name, name, part, found.files, found.reference, entry.known, found.relabel)
