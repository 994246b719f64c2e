"""Prepared studies on disk and in memory: what the network sees, at the working grid, and the regions there.

The steps are run by ``MedSegAILib.tasks.prepare``, as inference does, so both see the same voxels. Files lie under
``.cache`` (ignored by git: they hold voxels of patients). Beside the library (training).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.volume import Volume
from MedSegAILib.image.resample import resample
from MedSegAILib.tasks.prepare import prepare

from .boxes import stage_box
from .datasets import SETS, Study, find_studies, read_study, refuse_test, region_masks
from .phantoms import draw_phantom
from .phantoms.sources import sources
from .recipes.recipe import PhantomShare, Recipe
from .tasks import find_task

CACHE_FOLDER = Path(__file__).resolve().parents[1] / ".cache" / "training"
CACHE_FORMAT = 2  # raise it when the content of the files changes


@dataclass(frozen=True, eq=False)
class Sample:
    """A prepared study.

    Args:
        set_name: key of ``datasets.SETS``, or "phantom".
        name: of the study.
        image: [c, z, y, x] float16, only the inputs of ``roles``.
        target: [k, z, y, x] uint8, 1 inside the region; order of the recipe's channels.
        roles: inputs that are there, in channel order.
        known: by region, whether the target tells it.
    """

    set_name: str
    name: str
    image: npt.NDArray[np.float16]
    target: npt.NDArray[np.uint8]
    roles: tuple[str, ...]
    known: tuple[bool, ...]


def prepare_sample(
    labeled: tuple[Case, Volume], known: tuple[str, ...], recipe: Recipe, set_name: str, copy: int = 0
) -> Sample:
    """Bring a case and its label map to the working grid.

    Regions are averaged over the extent of a working voxel and set where half of it or more belongs to them; labels
    that exclude each other go to the one with the largest share.

    Args:
        labeled: the case and its label map.
        known: regions that the label map tells.
        recipe: its preparation and box.
        set_name: where the study comes from.
        copy: number of the shifted box.
    """
    case, labels = labeled
    task = find_task(recipe.task)
    box = stage_box(case, labels, recipe, copy)
    prepared = prepare(case, task.roles, recipe.prepare, box)
    roles = tuple(role for role in task.roles if role in case.volumes)
    image = prepared.array[[task.roles.index(role) for role in roles]]
    masks = region_masks(labels.array, task, recipe.channels).astype(np.float32)
    shares = resample(masks, labels.grid, prepared.trail.working_grid)
    return Sample(
        set_name,
        case.name,
        image.astype(np.float16),
        _winners(shares) if recipe.activation == "softmax" else (shares >= 0.5).astype(np.uint8),
        roles,
        tuple(name in known for name in recipe.channels),
    )


def _winners(shares: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    whole = np.concatenate([1.0 - shares.sum(axis=0, keepdims=True), shares])
    return (whole.argmax(axis=0)[None] == np.arange(1, len(whole))[:, None, None, None]).astype(np.uint8)


def load_sample(study: Study, recipe: Recipe, copy: int = 0) -> Sample:
    """Give a study's sample from the cache, or make it and keep it."""
    sizes = {role: path.stat().st_size for role, path in study.files.items()}
    # Two folders of somebody's own may have one name.
    place = [str(study.reference)] if Path(SETS[study.set_name].folder).is_absolute() else []
    return _cached(
        f"{study.set_name}-{study.name}-{copy}",
        [_look_of(recipe), sizes, study.known, *place],
        lambda: prepare_sample(read_study(study, find_task(recipe.task)), study.known, recipe, study.set_name, copy),
    )


def load_phantom(seed: int, kind: str, recipe: Recipe, copy: int = 0) -> Sample:
    """Give the sample of a phantom; its look is part of the key, so a changed generator makes new files."""
    return _cached(
        f"phantom-{recipe.task}-{seed}-{kind}-{copy}",
        [_look_of(recipe), sources(recipe.task)],
        lambda: prepare_sample(draw_phantom(recipe.task, seed, kind), recipe.channels, recipe, "phantom", copy),
    )


def _look_of(recipe: Recipe) -> list[str]:
    """Give what decides how a study looks to the recipe's network."""
    return [str(part) for part in (recipe.prepare, recipe.channels, recipe.activation, recipe.box, recipe.box_shift_mm)]


def load_training(recipe: Recipe) -> tuple[list[Sample], list[Sample]]:
    """Load everything a recipe trains on, and the held-out train studies that only monitor.

    Raises:
        UsageError: "training.test_study" should a test study have got into the list.
    """
    training: list[Sample] = []
    monitoring: list[Sample] = []
    copies = range(recipe.box_copies)
    for set_name in (name for name in recipe.set_names if name != "phantom"):
        studies = find_studies(set_name, "train")
        refuse_test(studies)
        for study in (one for one in studies if one.name not in recipe.left_out):
            if study.name in recipe.held_out:
                monitoring.append(load_sample(study, recipe))
            else:
                training.extend(load_sample(study, recipe, copy) for copy in copies)
    return training + load_phantoms(recipe.phantoms, recipe), monitoring


def load_phantoms(share: PhantomShare, recipe: Recipe) -> list[Sample]:
    """Load the phantoms of a recipe; the first ``with_skull`` are of the kind "head", the others of the usual kind."""
    return [
        load_phantom(share.first_seed + i, "head" if i < share.with_skull else "", recipe, copy)
        for i in range(share.count)
        for copy in range(recipe.box_copies)
    ]


def _cached(name: str, source: object, make: Callable[[], Sample]) -> Sample:
    key = hashlib.sha256(json.dumps([CACHE_FORMAT, source], sort_keys=True).encode()).hexdigest()[:12]
    path = CACHE_FOLDER / f"{name}-{key}.npz"
    if not path.is_file():
        sample = make()
        CACHE_FOLDER.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("wb") as stream:
            np.savez(
                stream,
                image=sample.image,
                target=np.packbits(sample.target),
                shape=sample.target.shape,
                roles=sample.roles,
                known=sample.known,
                names=(sample.set_name, sample.name),
            )
        part.replace(path)
    with np.load(path) as data:
        shape = tuple(data["shape"].tolist())
        target = np.unpackbits(data["target"], count=int(np.prod(shape))).reshape(shape)
        return Sample(
            str(data["names"][0]),
            str(data["names"][1]),
            data["image"],
            target,
            tuple(str(role) for role in data["roles"]),
            tuple(data["known"].tolist()),
        )
