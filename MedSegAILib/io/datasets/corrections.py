"""Corrected studies: images, mask before, mask after, and the prompts that led from one to the other. Ring 1 (io).

A folder for each study: ``<role>.nii.gz``, ``seg.nii.gz`` (after, the reference), ``seg_before.nii.gz``, and
``prompts.json``. What trains on references alone reads it like any labeled set; a learned corrector also gets the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.prompts import Prompt, prompt_from_json, prompt_to_json
from MedSegAILib.core.volume import Volume
from MedSegAILib.io.atomic import write_files
from MedSegAILib.io.nifti import nifti_bytes

from .listing import LabeledStudy, images_in

AFTER, BEFORE, PROMPTS = "seg", "seg_before", "prompts.json"


@dataclass(frozen=True)
class CorrectedStudy:
    """A study with its correction.

    Args:
        study: images and the mask after, as every layout lists them.
        before: file of the mask before.
        prompts: region and prompt, in the order in which they were given, RAS mm.
        facts: what else was written: task, package.
    """

    study: LabeledStudy
    before: Path
    prompts: tuple[tuple[str, Prompt], ...]
    facts: Mapping[str, Any]


def can_read(root: Path) -> bool:
    """Tell whether some subfolder holds the prompts and both masks."""
    return any((place / PROMPTS).is_file() and {AFTER, BEFORE} <= set(images_in(place)) for place in _folders(root))


def read(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List the studies; the mask after is the reference. ``roles`` empty takes every image."""
    return [one.study for one in corrected_studies(root, roles)]


def corrected_studies(root: Path, roles: tuple[str, ...] = ()) -> list[CorrectedStudy]:
    """List the studies with their masks before and their prompts.

    Raises:
        InputError: "data.prompts" when the prompts of a study cannot be read.
    """
    found = []
    for place in _folders(root):
        images = images_in(place)
        if not (place / PROMPTS).is_file() or not {AFTER, BEFORE} <= set(images):
            continue
        after, before = images.pop(AFTER), images.pop(BEFORE)
        given = {role: images[role] for role in roles or tuple(images) if role in images}
        prompts, facts = _read_prompts(place)
        found.append(CorrectedStudy(LabeledStudy(place.name, given, after), before, prompts, facts))
    return found


def write_corrected_study(
    folder: Path,
    images: Mapping[str, Volume],
    masks: tuple[Volume, Volume],
    prompts: Sequence[tuple[str, Prompt]],
    facts: Mapping[str, Any],
) -> tuple[Path, ...]:
    """Write a study, all files or none.

    Args:
        folder: of the study; its name is the study's.
        images: by role.
        masks: label maps before and after.
        prompts: region and prompt, RAS mm.
        facts: JSON-able; no names, no paths.

    Raises:
        ResourceError: "output.disk_full", "output.not_writable".
    """
    entries = [{"region": region, "prompt": prompt_to_json(prompt)} for region, prompt in prompts]
    text = json.dumps({"prompts": entries, "facts": dict(facts)}, indent=1, sort_keys=True)
    contents = {f"{role}.nii.gz": nifti_bytes(volume) for role, volume in images.items()}
    contents[f"{BEFORE}.nii.gz"], contents[f"{AFTER}.nii.gz"] = map(nifti_bytes, masks)
    contents[PROMPTS] = (text + "\n").encode()
    return tuple(write_files(folder, contents).values())


def _read_prompts(place: Path) -> tuple[tuple[tuple[str, Prompt], ...], dict[str, Any]]:
    try:
        data = json.loads((place / PROMPTS).read_text(encoding="utf-8"))
        prompts = tuple((str(entry["region"]), prompt_from_json(entry["prompt"])) for entry in data["prompts"])
        return prompts, dict(data["facts"])
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise InputError(
            "data.prompts",
            f"The prompts of study {place.name} cannot be read ({type(error).__name__}).",
            "Export the corrections again.",
        ) from error


def _folders(root: Path) -> list[Path]:
    return sorted(child for child in root.iterdir() if child.is_dir() and not child.name.startswith("."))
