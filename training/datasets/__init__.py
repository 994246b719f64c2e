"""The labeled sets by name, and the layouts in which studies lie on disk. Beside the library (training).

A layout is a file with two functions: ``can_read(root)`` and ``read(root, roles)``, which lists every study it finds.
The parts (train, test) come from the set's own ``splits.json``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from MedSegAILib.core.errors import InputError, UsageError
from training.tasks import find_task

from . import image_label, msd, study_folders
from .study import Found, Study, read_study, refuse_test, region_masks

__all__ = ["LAYOUTS", "SETS", "DataSet", "Found", "Study", "data_folder", "find_layout", "find_studies", "read_study",
           "refuse_test", "region_masks"]  # fmt: skip

DATA_VARIABLE = "MEDSEGAI_SHARED"  # folder that holds data/, when it does not lie beside the checkout

Layout = tuple[Callable[[Path], bool], Callable[[Path, tuple[str, ...]], list[Found]]]
# The first that can read a folder reads it: the more peculiar come first.
LAYOUTS: dict[str, Layout] = {
    "msd": (msd.can_read, msd.read),
    "image_label": (image_label.can_read, image_label.read),
    "study_folders": (study_folders.can_read, study_folders.read),
}


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


def find_layout(root: Path) -> str:
    """Tell in which layout a folder is.

    Raises:
        InputError: "data.layout" when no layout fits.
    """
    for name, (can_read, _) in LAYOUTS.items():
        if root.is_dir() and can_read(root):
            return name
    raise InputError(
        "data.layout",
        f"{root.name} is in no layout that is known here.",
        f"Known layouts: {', '.join(LAYOUTS)}; see docs/reference/datasets.md.",
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
    _, read = LAYOUTS[find_layout(root)]
    found = {one.name: one for one in read(root, find_task(entry.task).roles)}
    splits = json.loads((root / "splits.json").read_text(encoding="utf-8"))
    return [_study(entry, found.get(name), name, part) for name in splits[part]]


def _study(entry: DataSet, found: Found | None, name: str, part: str) -> Study:
    if found is None or not found.files or found.reference is None or not found.reference.is_file():
        raise InputError(
            "data.study",
            f"Study {name} of {entry.name} lacks its reference or every image.",
            "Fetch the set again and check it with its SHA256SUMS.",
        )
    return Study(entry.name, name, part, found.files, found.reference, entry.known, found.relabel)
