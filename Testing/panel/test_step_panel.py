"""Regions and labels in step, by clicks, on real MRML, in the stand-in for the desktop (not Slicer itself)."""

from __future__ import annotations

import numpy as np
import pytest
from MedSegAISlicer.scene.label_view import labelsNodeOf
from MedSegAISlicer.scene.segmentations import maskFromSegment

from Testing.harness.edits import contents, paint
from Testing.harness.mrml import addCase
from Testing.makers.phantoms import make_labels


@pytest.fixture
def nodes(desktop, tiny_case):
    loaded = addCase(tiny_case)
    desktop.settle()
    return loaded


@pytest.fixture
def labels(tiny_case):
    return make_labels(tiny_case.reference_grid()).array


@pytest.fixture
def shown(desktop, nodes, clients, labels):
    desktop.click("segmentButton")
    clients[0].jobs[0].sayResult(labels)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    return desktop.logicResult()


def edema(labels):
    z, y, x = np.argwhere(labels == 2)[0]
    return (slice(z, z + 1), slice(y, y + 1), slice(x, x + 1))


def test_enhancing_tumor_in_edema_is_offered_to_the_core_and_given_by_a_click(desktop, shown, nodes, labels):
    assert not desktop.find("inStepButton").isVisible()
    paint(shown, "ET", nodes["T1"], edema(labels))
    desktop.waitFor(lambda: desktop.find("inStepButton").isVisible(), seconds=3)
    assert desktop.text("offerLabel") == "To stay in step with your edit of Enhancing tumor: Tumor core +0.01 mL."
    before = contents(shown, nodes["T1"])
    assert not maskFromSegment(shown, "TC", nodes["T1"])[edema(labels)].any()
    desktop.click("inStepButton")
    assert maskFromSegment(shown, "TC", nodes["T1"])[edema(labels)].all()
    assert contents(shown, nodes["T1"])["ET"] == before["ET"]
    assert not desktop.find("inStepButton").isVisible()
    assert desktop.text("statusLabel") == "In step with Enhancing tumor: Tumor core +0.01 mL."


def test_an_edit_that_leaves_all_in_step_offers_nothing(desktop, shown, nodes):
    paint(shown, "WT", nodes["T1"], (slice(0, 2), slice(0, 2), slice(0, 2)))
    desktop.waitFor(lambda: desktop.states()[0] == "Edited", seconds=3)
    assert not desktop.find("inStepButton").isVisible()


def test_labels_are_shown_edited_and_followed_by_the_regions(desktop, shown, nodes, labels):
    desktop.click("labelsButton")
    view = labelsNodeOf(shown)
    assert desktop.text("labelsButton") == "Show as regions"
    assert (view.GetDisplayNode().GetVisibility(), shown.GetDisplayNode().GetVisibility()) == (1, 0)
    paint(view, "ET", nodes["T1"], edema(labels))
    desktop.waitFor(lambda: desktop.find("inStepButton").isVisible(), seconds=3)
    desktop.click("inStepButton")
    assert maskFromSegment(shown, "TC", nodes["T1"])[edema(labels)].all()
    desktop.click("labelsButton")
    assert (view.GetDisplayNode().GetVisibility(), shown.GetDisplayNode().GetVisibility()) == (0, 1)
    desktop.click("labelsButton")
    assert labelsNodeOf(shown) is view
