"""The tasks that can be chosen, which of them fit the loaded volumes, and what each preset costs. Ring 9; no Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import slicer.util

from MedSegAILib.tasks.history import read_history
from MedSegAILib.tasks.outlook import dice_words, expected_dice, time_words, usual_seconds
from MedSegAILib.tasks.package import MANIFEST, Package
from MedSegAILib.tasks.store import package_folders

from .roles import dicomTags


@dataclass(frozen=True)
class TaskChoice:
    """A task of the list: name, title for people, and why it does not fit what is loaded; empty when it does."""

    task: str
    title: str
    whyNot: str = ""


@dataclass(frozen=True)
class PresetOutlook:
    """What a preset costs and is worth: seconds (None before the first run here), words for people."""

    preset: str
    seconds: float | None
    words: str


def taskChoices(packages: Sequence[Path] = ()) -> list[TaskChoice]:
    """Give the installed tasks, by title, with the reason where one does not fit the volumes of the scene.

    Only the manifests are read here: checking gigabytes of weights would hold up the opening of the panel. A package
    is checked when its task is chosen.
    """
    manifests: dict[str, Mapping[str, Any]] = {}
    for folder in package_folders(packages):
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            manifests.setdefault(str(manifest["task"]), {"title": manifest["task"], **manifest})
        except (OSError, ValueError, KeyError, TypeError):
            continue  # told by its own error when someone asks for the task
    scans = _scans()
    choices = [TaskChoice(task, str(found["title"]), whyNotFits(found, scans)) for task, found in manifests.items()]
    return sorted(choices, key=lambda choice: choice.title)


def whyNotFits(manifest: Mapping[str, Any], volumeNodes: Sequence[Any]) -> str:
    """Say why a task cannot be run on some volumes; empty when it may, or when nothing is loaded yet.

    Counts and DICOM modality only: what is in a volume is looked at when it is chosen.
    """
    inputs = [entry for entry in manifest.get("inputs", ()) if isinstance(entry, Mapping)]
    if not volumeNodes or not inputs:
        return ""
    sizes = [len(subset) for subset in manifest.get("subsets", ())]
    fewest = min(sizes, default=len(inputs))
    if len(volumeNodes) < fewest:
        return f"It needs {fewest} volumes; loaded: {len(volumeNodes)}."
    wanted = {str(entry.get("modality")) for entry in inputs}
    loaded = [dicomTags(node).get("Modality", "") for node in volumeNodes]
    if all(modality and modality not in wanted for modality in loaded):
        return f"It needs {' or '.join(sorted(wanted))}; {' and '.join(sorted(set(loaded)))} is loaded."
    return ""


def presetOutlooks(package: Package, presets: Sequence[str]) -> list[PresetOutlook]:
    """Give what each preset costs here and is worth, before any click."""
    history = read_history()
    outlooks = []
    for preset in presets:
        seconds, count = usual_seconds(package, preset, history)
        runs = f"{count} like run{'s' if count > 1 else ''} here"
        time = f"About {time_words(seconds)} ({runs})" if seconds is not None else "Time known after the first run here"
        outlooks.append(PresetOutlook(preset, seconds, f"{time}. {dice_words(expected_dice(package, preset))}."))
    return outlooks


def cardWords(package: Package) -> str:
    """Say what a model is, may be used under and is not for, in a few sentences; the whole card lies beside it."""
    card = {name: str(package.manifest[name]).rstrip(".") for name in ("license", "trained_on", "not_for")}
    return (
        f"{package.task} {package.version}, license {card['license']}. Not for: {card['not_for']}. "
        f"Trained on: {card['trained_on']}."
    )


def _scans() -> list[Any]:
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors()
    ]
