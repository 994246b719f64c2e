"""A task and its recipe from what a folder of images and labels holds: voxel size, crop, width, normalization.

Rules are few and stand here; who wants others writes a task and a recipe as files. Nothing is read here (the facts come
from ``MedSegAILib.report.dataset``) and nothing trained. Beside the library (training).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, prod
from typing import Any

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.report.dataset import DatasetFacts, StudyFacts

from .recipes.recipe import Augmentation, CropKind, PhantomShare, Recipe
from .tasks.codes import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, YELLOW, label, region, same_regions, tissue
from .tasks.task import Card, EnsemblePlan, Json, StagePlan, Task

COLORS = (ORANGE, SKY, GREEN, VERMILION, BLUE, PURPLE, YELLOW)
WHOLE = "all"  # region of all labels together
CT_BELOW = -300.0  # MR is never so dark; air in CT is at -1000 HU
MULTIPLE = 8  # three poolings halve each axis
LEAST_SIDE = 16  # voxels of a crop
STEP_OF_SPACING = 1.05
SIDED = re.compile(r"(^|[^a-z])(left|right|l|r)([^a-z]|$)")


@dataclass(frozen=True)
class Budget:
    """What a machine can bear.

    Args:
        whole_voxels: of a working volume of median size.
        crop_voxels: of a training crop.
        width: of the network's first level.
    """

    whole_voxels: int
    crop_voxels: int
    width: int


# Two processor cores make 0.7 s a step of two crops of 64^3 at width 8 (design page "performance", section 6).
CPU = Budget(whole_voxels=112**3, crop_voxels=64**3, width=8)
GPU = Budget(whole_voxels=224**3, crop_voxels=128**3, width=24)


def plan_task(facts: DatasetFacts, name: str, budget: Budget = CPU) -> tuple[Task, Recipe]:
    """Plan a task and its recipe.

    Args:
        facts: of the set; studies with defects do not count.
        name: of task, recipe and set.
        budget: of the machine that trains.

    Raises:
        InputError: "data.nothing" when no sound study has a label.
    """
    sound = [study for study in facts.studies if study.labels and not study.defects]
    if not sound:
        raise InputError(
            "data.nothing",
            f"None of the {len(facts.studies)} studies of {facts.name} has readable images and a label above 0.",
            "Look at the defects: medsegai train --data FOLDER --check.",
        )
    roles = tuple(dict.fromkeys(role for study in sound for role, _ in study.samples))
    labels = plan_labels(facts)
    names = tuple(entry["name"] for entry in labels)
    is_ct = _is_ct(sound, roles)
    recipe = _recipe(name, names, len(roles), sound, budget)
    recipe = _with_preparation(recipe, sound, is_ct)
    return _task(facts, name, roles, labels, is_ct), recipe


def plan_labels(facts: DatasetFacts) -> list[Json]:
    """Give the manifest's labels: names of the set where it has some, else "label1" and so on."""
    terminology = tissue("85756007", "Tissue")  # the least that Slicer's tables can say of anything
    entries = []
    for number, value in enumerate(facts.values):
        title = facts.names.get(value) or f"Label {value}"
        entries.append(label(value, slug(title), title, COLORS[number % len(COLORS)], terminology))
    return entries


def slug(text: str) -> str:
    """Give a short name of lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "task"


def working_spacing_zyx_mm(studies: Sequence[StudyFacts], whole_voxels: int) -> tuple[float, float, float]:
    """Give the median spacing, its finest axes made coarser until a study of median extent fits the budget."""
    spacings = np.array([study.upright_spacing_zyx_mm for study in studies])
    extents = np.array([study.upright_shape_zyx for study in studies]) * spacings
    spacing, extent = np.median(spacings, axis=0), np.median(extents, axis=0)
    least = spacing.min()
    while np.prod(extent / np.maximum(spacing, least)) > whole_voxels:
        least *= STEP_OF_SPACING
    z, y, x = (round(float(value), 2) for value in np.maximum(spacing, least))
    return z, y, x


def crop_size_zyx(shape_zyx: Sequence[float], crop_voxels: int) -> tuple[int, int, int]:
    """Give a crop that holds a study of this shape, its longest sides cut until it fits the budget."""
    sides = [max(LEAST_SIDE, ceil(count / MULTIPLE) * MULTIPLE) for count in shape_zyx]
    while prod(sides) > crop_voxels:
        longest = sides.index(max(sides))
        sides[longest] -= MULTIPLE
    return sides[0], sides[1], sides[2]


def _recipe(name: str, names: tuple[str, ...], inputs: int, studies: Sequence[StudyFacts], budget: Budget) -> Recipe:
    """Give what does not depend on intensities."""
    spacing = working_spacing_zyx_mm(studies, budget.whole_voxels)
    shapes = np.array([np.array(s.upright_shape_zyx) * s.upright_spacing_zyx_mm / spacing for s in studies])
    is_single = len(names) == 1
    network = {"width": budget.width, "norm": "instance", "in_channels": inputs, "out_channels": len(names)}
    if not is_single:
        network["out_channels"] = len(names) + 1
    return Recipe(
        name=name,
        task=name,
        channels=names,
        network="brats2020.Unet",
        arguments=network,
        prepare=({"step": "orient", "axes": "LPS"},
                 {"step": "resample", "spacing_mm": list(spacing), "multiple": MULTIPLE, "around": "all"}),
        crops=(CropKind(2, crop_size_zyx(np.median(shapes, axis=0), budget.crop_voxels), {name: 1.0}),),
        activation="sigmoid" if is_single else "softmax",
        loss="brats2020" if is_single else "cross_entropy_dice",
        phantoms=PhantomShare(count=0, with_skull=0),
        start_logit=-3.0,
        learning_rate=3e-3,
        warmup_steps=20,  # of perhaps two hundred: ten minutes of a busy core
        steps=2000,
        average_decay=0.99,
    )  # fmt: skip


def _with_preparation(recipe: Recipe, studies: Sequence[StudyFacts], is_ct: bool) -> Recipe:
    """Add what depends on intensities: normalization, and how far training may leave it."""
    sides_differ = any(SIDED.search(name) for name in recipe.channels)
    flips = (0.0, 0.0, 0.0 if sides_differ else 0.5)
    augmentation = Augmentation(flip_chances_zyx=flips, gamma=0.3, gain=0.0, bias_chance=0.3, noise_size=0.03,
                                drop_chance=0.0, lowest=-4.0, highest=6.0)  # fmt: skip
    step: Mapping[str, Any] = {"step": "zscore_nonzero" if _has_empty_background(studies) else "zscore"}
    if is_ct:
        inside = np.concatenate([sample for s in studies for (_, value), sample in s.samples.items() if value])
        low, high = (round(float(value)) for value in np.percentile(inside, [0.5, 99.5]))
        step = {"step": "window_map", "low": low, "high": max(high, low + 1), "to": [0.0, 1.0]}
        # Hounsfield units are the same everywhere; a coil is no part of a CT.
        augmentation = replace(augmentation, lowest=0.0, highest=1.0, gamma=0.15, bias_chance=0.0)
        orient, resample = recipe.prepare
        recipe = replace(recipe, prepare=(orient, {**resample, "fill": "min"}))
    return replace(recipe, prepare=(*recipe.prepare, step), augmentation=augmentation)


def _task(facts: DatasetFacts, name: str, roles: Sequence[str], labels: list[Json], is_ct: bool) -> Task:
    names = [entry["name"] for entry in labels]
    many = len(labels) > 1
    regions = same_regions(labels)
    if many:
        whole = region(WHOLE, "All labels", [entry["value"] for entry in labels], BLUE, labels[0]["terminology"])
        regions = [whole, *regions]
    decide: tuple[Json, ...] = (
        ({"step": "argmax", "labels": {entry["name"]: entry["value"] for entry in labels}},)
        if many
        else ({"step": "threshold", "above": 0.5}, {"step": "paint", "order": [[names[0], labels[0]["value"]]]})
    )
    modality = "CT" if is_ct else "MR"
    return Task(
        table={
            "task": name,
            "title": f"{', '.join(entry['title'] for entry in labels[:4])} ({facts.name})",
            "license": "not stated",
            "intended_use": "Research. Made from a folder of images and labels by one command.",
            "not_for": "Clinical decisions; images unlike those of the folder that trained it.",
            "anatomy": "as in the folder that trained it",
            "inputs": [{"role": role, "title": role, "modality": modality} for role in roles],
            "subsets": [list(roles)],
            "reference": list(roles),
            "labels": labels,
            "regions": regions,
            "presets": {preset: {"views": "identity"} for preset in ("fast", "balanced", "best")},
        },
        stages=(StagePlan(name, (EnsemblePlan("U-Net", (name,)),), decide),),
        main_region=WHOLE if many else names[0],
        measured_on=((name, "held_out"),),
        card=_card(facts, name, roles, labels, modality),
        travels=False,
    )


def _card(facts: DatasetFacts, name: str, roles: Sequence[str], labels: list[Json], modality: str) -> Card:
    told = ", ".join(f"{entry['value']} ({entry['title']})" for entry in labels)
    return Card(
        takes=f"{', '.join(roles)} ({modality}), as in the folder {facts.name}.",
        gives=f"Labels {told}.",
        is_what="A plain 3D U-Net; voxel size, crop, width and normalization were planned from the folder.",
        limits=(
            "It was made by one command and looked at by nobody: look at the pictures of best, average and worst.",
            "Other scanners, protocols and ages than those of the folder were not measured.",
        ),
        learned_on={name: f"studies of the folder {facts.name}"},
    )


def _is_ct(studies: Sequence[StudyFacts], roles: Sequence[str]) -> bool:
    lows = [min(float(sample.min()) for (role, _), sample in s.samples.items() if role == roles[0]) for s in studies]
    return float(np.median(lows)) < CT_BELOW


def _has_empty_background(studies: Sequence[StudyFacts]) -> bool:
    """Tell whether most voxels without a label are exactly 0, as in stripped brains."""
    shares = [float((sample == 0).mean()) for s in studies for (_, value), sample in s.samples.items() if not value]
    return bool(shares) and float(np.median(shares)) > 0.2
