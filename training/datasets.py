"""Readers of the labeled brain tumor sets: which studies, which sequences, which regions are known.

A set is a folder with ``splits.json`` and a folder for each study with ``<role>.nii.gz`` and ``seg.nii.gz``. What is
known of a study travels with it, so that a loss never counts what nobody drew. Beside the library (training).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.volume import Volume
from MedSegAILib.io import read_label_map, read_volume

ROLES = ("T1", "T1ce", "T2", "FLAIR")  # channel order of the network
REGIONS = ("ET", "TC", "WT")  # channel order of its output
REGION_LABELS: dict[str, tuple[int, ...]] = {"ET": (4,), "TC": (1, 4), "WT": (1, 2, 4)}
DATA_VARIABLE = "MEDSEGAI_SHARED"  # folder that holds data/, when it does not lie beside the checkout


@dataclass(frozen=True)
class DataSet:
    """A labeled set.

    Args:
        name: short name on the command line.
        folder: its folder under ``data``.
        known: regions that its reference tells; the others are unknown, not empty.
        has_skull: whether heads are whole.
    """

    name: str
    folder: str
    known: tuple[str, ...]
    has_skull: bool


SETS: dict[str, DataSet] = {
    entry.name: entry
    for entry in (
        DataSet("four_sequences", "brain_tumor_four_sequences", REGIONS, has_skull=False),
        DataSet("more", "brain_tumor_more", REGIONS, has_skull=False),
        DataSet("lgg", "brain_tumor_lgg_flair", ("WT",), has_skull=True),
    )
}


@dataclass(frozen=True)
class Study:
    """One labeled study on disk.

    Args:
        set_name: key of ``SETS``.
        name: its id in the set.
        part: "train" or "test", from the set's own ``splits.json``.
        files: by role, those that exist.
        reference: label map, values 0, 1, 2, 4.
        known: regions that the label map tells.
    """

    set_name: str
    name: str
    part: str
    files: dict[str, Path]
    reference: Path
    known: tuple[str, ...]


def data_folder() -> Path:
    """Give the folder of the sets: ``$MEDSEGAI_SHARED/data``, else ``../shared/data`` beside the checkout.

    Raises:
        InputError: "data.missing" when neither is there.
    """
    places = [Path(os.environ[DATA_VARIABLE])] if os.environ.get(DATA_VARIABLE) else []
    places.append(Path(__file__).resolve().parents[2] / "shared")
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
        InputError: "data.study" when a study has no reference or no sequence.
    """
    if set_name not in SETS:
        raise UsageError("data.set", f"There is no set {set_name!r}.", f"Choose one of {', '.join(SETS)}.")
    entry = SETS[set_name]
    root = (folder or data_folder()) / entry.folder
    splits = json.loads((root / "splits.json").read_text(encoding="utf-8"))
    if part not in ("train", "test"):
        raise UsageError("data.part", f"There is no part {part!r}.", "Choose train or test.")
    return [_study(entry, root / name, part) for name in splits[part]]


def _study(entry: DataSet, place: Path, part: str) -> Study:
    files = {role: place / f"{role}.nii.gz" for role in ROLES if (place / f"{role}.nii.gz").is_file()}
    reference = place / "seg.nii.gz"
    if not files or not reference.is_file():
        raise InputError(
            "data.study",
            f"Study {place.name} of {entry.name} lacks its reference or every sequence.",
            "Fetch the set again and check it with its SHA256SUMS.",
        )
    return Study(entry.name, place.name, part, files, reference, entry.known)


def refuse_test(studies: Iterable[Study]) -> None:
    """Stop when a test study is among those that would train.

    Raises:
        UsageError: "training.test_study" names the first one.
    """
    for study in studies:
        if study.part != "train":
            raise UsageError(
                "training.test_study",
                f"Study {study.name} belongs to the part {study.part!r} of {study.set_name}; only train may train.",
                "Take it out of the training list.",
            )


def read_study(study: Study) -> tuple[Case, Volume]:
    """Read the sequences and the reference of a study.

    Returns:
        The case, and the label map [z, y, x] on the same grid.

    Raises:
        InputError: "data.grid" when image and reference have different grids, "data.labels" for another value.
    """
    volumes = {role: read_volume(path) for role, path in study.files.items()}
    labels = read_label_map(study.reference)
    values = set(np.unique(labels.array).tolist())
    if not values <= {0, 1, 2, 4}:
        raise InputError(
            "data.labels",
            f"The reference of {study.name} holds the values {sorted(values)}; 0, 1, 2 and 4 are allowed.",
            "Correct the reference.",
        )
    for role, volume in volumes.items():
        if not volume.grid.is_same_as(labels.grid):
            raise InputError(
                "data.grid", f"{role} and reference of {study.name} have different grids.", "Correct the study."
            )
    return Case(volumes, reference=reference_role(volumes), name=study.name), labels


def reference_role(roles: Iterable[str]) -> str:
    """Give the role whose grid the result lies on: T1ce, else FLAIR, else the first one."""
    given = list(roles)
    return next((role for role in ("T1ce", "FLAIR") if role in given), given[0])


def region_masks(labels: np.ndarray) -> np.ndarray:
    """Give the regions of a label map as ``[3, z, y, x]`` bool, in the order of ``REGIONS``."""
    return np.stack([np.isin(labels, REGION_LABELS[name]) for name in REGIONS])
