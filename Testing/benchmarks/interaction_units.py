"""What the benchmark of corrections corrects: one region of one labeled train study, as a package has found it.

Studies of the part ``train`` only. Those that the recipe held out of training come first and are told apart; of the
others every second one is measured, and what is left may fit a corrector (``is_development``): no study does both.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAILib import segment
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.result import Probabilities
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import crop_grid, nonzero_box
from MedSegAILib.tasks.store import find_package
from training.datasets import find_studies, read_study
from training.tasks import find_task

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "interaction"
SPEED_FILE = CACHE / "speed.md"
# By task: sets, and the recipe that says which studies were held out.
SETS = {
    "hippocampus": (("hippocampus",), "hippocampus"),
    "brain-tumor": (("more", "lgg", "four_sequences"), "brain_tumor_small"),
    "brain-tissue": (("ibsr18",), "brain_tissue"),
}


@dataclass(frozen=True, eq=False)
class Subject:
    """One study as the package has found it, cropped to what is imaged.

    Args:
        name: of the study.
        is_held_out: whether it never trained.
        labels: automatic result.
        truth: reference label map, ``[z, y, x]``.
        images: by role.
        probabilities: of the run.
        scheme: labels and regions.
        known: regions that the reference tells.
        package: beginning of its checksum: what another one has found is another unit.
    """

    name: str
    is_held_out: bool
    labels: Volume
    truth: np.ndarray
    images: dict[str, Volume]
    probabilities: Probabilities
    scheme: LabelScheme
    known: tuple[str, ...]
    package: str


def subjects(
    task: str, count: int, packages: tuple[Path, ...] = (), *, is_development: bool = False
) -> Iterator[Subject]:
    """Give so many studies of a task, those that were held out first; or so many of those that may fit a corrector."""
    sets, recipe = SETS[task]
    module = importlib.import_module(f"training.recipes.{recipe}")
    held_out = {name for entry in vars(module).values() for name in getattr(entry, "held_out", ())}
    studies = [study for name in sets for study in find_studies(name, "train")]
    apart = [study for study in studies if study.name in held_out and not is_development]
    rest = [study for study in studies if study.name not in held_out][is_development::2]
    wanted = max(0, count - len(apart))
    step = max(1, len(rest) // max(1, wanted))
    for study in [*apart[:count], *rest[::step][:wanted]]:
        yield _subject(task, study, study.name in held_out, packages)


def _subject(task, study, is_held_out, packages):
    package = find_package(task, packages)
    path = CACHE / f"{task}-{package.sha256[:8]}-{study.name}.npz"
    case, truth = read_study(study, find_task(task))
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        result = segment(case, task, options=RunOptions(keep_probabilities=True), packages=packages)
        kept = result.probabilities
        np.savez(path, labels=result.labels.array, array=kept.array.astype(np.float16), matrix=kept.ijk_to_ras)
        np.save(path.with_suffix(".names.npy"), np.array(kept.regions))
    with np.load(path) as kept:
        labels, array, matrix = kept["labels"], kept["array"].astype(np.float32), kept["matrix"]
    names = tuple(str(name) for name in np.load(path.with_suffix(".names.npy")))
    box = nonzero_box([*(volume.array for volume in case.volumes.values()), truth.array, labels])
    grid: Grid = crop_grid(truth.grid, box)
    return Subject(
        study.name,
        is_held_out,
        Volume(np.ascontiguousarray(labels[box]), grid),
        np.ascontiguousarray(truth.array[box]),
        {role: Volume(np.ascontiguousarray(v.array[box], np.float32), grid) for role, v in case.volumes.items()},
        Probabilities(array, names, matrix),
        package.scheme,
        tuple(study.known),
        package.sha256[:8],
    )
