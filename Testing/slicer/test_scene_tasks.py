"""Which tasks fit what is loaded, and what a preset costs and is worth, before any click."""

from __future__ import annotations

import pytest
from MedSegAISlicer.scene.tasks import presetOutlooks, taskChoices, whyNotFits

from MedSegAILib.tasks.package import read_package
from Testing.harness.mrml import addCase
from Testing.makers.history import one_run


@pytest.fixture
def package(checkout):
    return read_package(checkout / "MedSegAILib" / "packages" / "brain-tumor")


@pytest.fixture
def history(package):
    """The history of this machine; taken away again."""
    with one_run(package, "balanced", 7.0):
        yield


def test_a_task_fits_what_is_loaded_or_says_why_not(scene, tiny_case, package):
    assert "brain-tumor" in [choice.task for choice in taskChoices()]
    assert whyNotFits(package.manifest, []) == ""
    assert whyNotFits({**package.manifest, "subsets": []}, [object()]) == "It needs 4 volumes; loaded: 1."
    nodes = addCase(tiny_case)
    assert taskChoices()[0].whyNot == ""
    for node in nodes.values():
        node.SetAttribute("DICOM.Modality", "CT")
    assert taskChoices()[0].whyNot == "It needs MR; CT is loaded."
    nodes["T1"].SetAttribute("DICOM.Modality", "MR")
    assert taskChoices()[0].whyNot == ""


def test_seconds_and_dice_are_told_before_the_click_and_nothing_is_guessed(package, history):
    outlooks = {outlook.preset: outlook for outlook in presetOutlooks(package, ("fast", "balanced"))}
    assert outlooks["balanced"].seconds == 8.0
    assert outlooks["balanced"].words.startswith("About 8 s (1 like run here). Dice ")
    assert outlooks["fast"].seconds is None
    assert outlooks["fast"].words.startswith("Time known after the first run here. Dice ")
