"""The tasks that can be chosen, which of them fit the loaded volumes, and what each preset costs. Ring 9; no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import slicer.util

from MedSegAILib.tasks.history import read_history
from MedSegAILib.tasks.outlook import dice_words, expected_dice, time_words, usual_seconds
from MedSegAILib.tasks.package import Package
from MedSegAILib.tasks.store import list_packages

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
    """Give the installed tasks, by title, with the reason where one does not fit the volumes of the scene."""
    found, _ = list_packages(packages)
    return [TaskChoice(p.task, p.title, whyNotFits(p, _scans())) for p in sorted(found, key=lambda p: p.title)]


def whyNotFits(package: Package, volumeNodes: Sequence[Any]) -> str:
    """Say why a task cannot be run on some volumes; empty when it may, or when nothing is loaded yet.

    Counts and DICOM modality only: what is in a volume is looked at when it is chosen.
    """
    if not volumeNodes:
        return ""
    fewest = min(len(subset) for subset in package.subsets) if package.subsets else len(package.inputs)
    if len(volumeNodes) < fewest:
        return f"It needs {fewest} volumes; {len(volumeNodes)} are loaded."
    wanted = {entry.modality for entry in package.inputs}
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


def _scans() -> list[Any]:
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors()
    ]
