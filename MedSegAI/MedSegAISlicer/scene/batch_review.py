"""The worst-first list of a batch, and each of its studies opened for review: images and result. Ring 9; no Qt.

Which study is which file stands in the private folder of the batch (``.batch/key.csv``), on the machine that ran it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.labels import LabelScheme

from .load import ImageFiles, loadImage, loadResult, taskOfResult
from .statistics import keepInputs

WORST_FILE, KEY_FILE, STUDIES_FOLDER = "worst_first.csv", Path(".batch", "key.csv"), "studies"


@dataclass(frozen=True)
class WorstStudy:
    """One line of the list: the study, and why it should be looked at."""

    study: str
    reasons: str


def worstFirst(output: Path) -> list[WorstStudy]:
    """Give the studies of a batch, the one to look at first at the top.

    Raises:
        InputError: "batch.no_list" when the folder holds none.
    """
    rows = _rows(output / WORST_FILE)
    if rows is None:
        raise InputError(
            "batch.no_list", f"{output.name} holds no {WORST_FILE}.", "Choose the output folder of a finished batch."
        )
    return [WorstStudy(row["study"], row["reasons"]) for row in rows]


def openStudy(output: Path, study: str, schemeOf: Callable[[str], LabelScheme]) -> tuple[str, dict[str, Any], Any]:
    """Load a study of a batch into the scene.

    Args:
        output: folder of the batch.
        study: as the list names it.
        schemeOf: gives labels and regions of a task.

    Returns:
        The task, the volume node of each role, and the segmentation node of the result.

    Raises:
        InputError: "batch.images" when the images are not where the batch found them; "scene.result",
            "scene.unreadable".
    """
    folder = output / STUDIES_FOLDER / study
    places = {row["role"]: Path(row["path"]) for row in _rows(output / KEY_FILE) or () if row["study"] == study}
    images = {role: _files(path) for role, path in places.items() if role}
    if not images or not all(images.values()):
        raise InputError(
            "batch.images",
            f"The images of {study} are not where the batch found them.",
            "Open it on the machine that ran the batch, with the same folders.",
        )
    task = taskOfResult(folder)
    volumes = {role: loadImage(ImageFiles(files, f"{study} {role}", role)) for role, files in images.items()}
    node = loadResult(folder, schemeOf(task), list(volumes.values()))
    node.SetName(f"{study} ({task})")
    keepInputs(node, volumes)
    return task, volumes, node


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        return tuple(sorted(file for file in path.iterdir() if file.is_file()))
    return (path,) if path.is_file() else ()


def _rows(path: Path) -> list[dict[str, str]] | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError:
        return None
