"""The labeled sets by name: where each lies, whose labels it holds, and which study is of which part.

The parts (train, test) come from the set's own ``splits.json``; layouts are the library's. Beside the library.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.io.datasets import LabeledStudy, list_studies
from training.tasks import find_task

from .study import Study, read_study, refuse_test, region_masks

__all__ = [
    "SETS", "DataSet", "Study", "data_folder", "find_studies", "read_study", "refuse_test", "region_masks"
]  # fmt: skip

DATA_VARIABLE = "MEDSEGAI_SHARED"  # folder that holds data/, when it does not lie beside the checkout


@dataclass(frozen=True)
class DataSet:
    """A labeled set.

    Args:
        name: short name on the command line.
        folder: its folder under ``data``.
        task: whose labels its references hold.
        known: regions that its references tell; the others are unknown, not empty.
    """

    name: str
    folder: str
    task: str
    known: tuple[str, ...]


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


def find_studies(set_name: str, part: str, folder: Path | None = None) -> list[Study]:
    """List the studies of one part of a set, in the order of its ``splits.json``.

    Args:
        set_name: key of ``SETS``.
        part: "train" or "test".
        folder: folder of the sets; None looks for it.

    Raises:
        UsageError: "data.set", "data.part" for an unknown name.
        InputError: "data.study" when a study has no reference or no image; "data.layout".
    """
    if set_name not in SETS:
        raise UsageError("data.set", f"There is no set {set_name!r}.", f"Choose one of {', '.join(SETS)}.")
    if part not in ("train", "test"):
        raise UsageError("data.part", f"There is no part {part!r}.", "Choose train or test.")
    entry = SETS[set_name]
    root = (folder or data_folder()) / entry.folder
    found = {one.name: one for one in list_studies(root, find_task(entry.task).roles)}
    splits = json.loads((root / "splits.json").read_text(encoding="utf-8"))
    return [_study(entry, found.get(name), name, part) for name in splits[part]]


def _study(entry: DataSet, found: LabeledStudy | None, name: str, part: str) -> Study:
    if found is None or not found.files or found.reference is None or not found.reference.is_file():
        raise InputError(
            "data.study",
            f"Study {name} of {entry.name} lacks its reference or every image.",
            "Fetch the set again and check it with its SHA256SUMS.",
        )
    return Study(entry.name, name, part, found.files, found.reference, entry.known, found.relabel)
