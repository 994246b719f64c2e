"""A labeled study on disk, and reading it: what is known of a study travels with it.

So a loss never counts what nobody drew. Where studies lie is told by the library's layouts (``io.datasets``), which
also reads the images. Beside the library (training).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.volume import Volume
from MedSegAILib.io import read_label_map, read_volume
from training.tasks.task import Task


@dataclass(frozen=True)
class Study:
    """One labeled study of a known set.

    Args:
        set_name: key of ``SETS``.
        name: its id in the set.
        part: "train" or "test".
        files: by role, those that exist.
        reference: label map.
        known: regions that the label map tells; the others are unknown, not empty.
        relabel: values of the file that mean another value of the task ({3: 4} for BraTS 2023).
    """

    set_name: str
    name: str
    part: str
    files: Mapping[str, Path]
    reference: Path
    known: tuple[str, ...]
    relabel: Mapping[int, int] = field(default_factory=dict)


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


def read_study(study: Study, task: Task) -> tuple[Case, Volume]:
    """Read the inputs and the reference of a study.

    Returns:
        The case, and the label map [z, y, x] on the same grid.

    Raises:
        InputError: "data.grid" when image and reference have different grids, "data.labels" for a value that the task
            does not have.
    """
    volumes = {role: read_volume(path) for role, path in study.files.items()}
    labels = relabeled(read_label_map(study.reference), study.relabel)
    values = set(np.unique(labels.array).tolist())
    if not values <= task.label_values:
        raise InputError(
            "data.labels",
            f"The reference of {study.name} holds the values {sorted(values)}; "
            f"{', '.join(map(str, sorted(task.label_values)))} are allowed.",
            "Correct the reference.",
        )
    for role, volume in volumes.items():
        if not volume.grid.is_same_as(labels.grid):
            raise InputError(
                "data.grid", f"{role} and reference of {study.name} have different grids.", "Correct the study."
            )
    return Case(volumes, reference=task.reference_role(tuple(volumes)), name=study.name), labels


def relabeled(labels: Volume, values: Mapping[int, int]) -> Volume:
    """Give a label map with some values replaced."""
    if not values:
        return labels
    array = labels.array.copy()
    for old, new in values.items():
        array[labels.array == old] = new
    return Volume(array, labels.grid, name=labels.name)


def region_masks(labels: np.ndarray, task: Task, channels: tuple[str, ...]) -> np.ndarray:
    """Give regions of a label map as ``[k, z, y, x]`` bool, in the order of ``channels``."""
    return np.stack([np.isin(labels, task.regions[name]) for name in channels])
