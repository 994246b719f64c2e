"""The panel of the checkout with the real worker and the shipped package (stand-in desktop, not Slicer itself)."""

from __future__ import annotations

import os
import signal

import pytest
import slicer

ROLES = ("T1", "T1ce", "T2", "FLAIR")


@pytest.fixture
def real(checkout, emptyScene):
    from Testing.harness import qt_proxy
    from Testing.harness.desktop import Desktop

    opened = Desktop(checkout / "MedSegAI")
    folder = checkout / "Resources" / "SampleData" / "brain-tumor"
    for role in ROLES:
        slicer.modules.volumes.logic().AddArchetypeVolume(str(folder / f"{role}.nii.gz"), role, 0)
    opened.settle()
    yield opened
    opened.close()
    assert not qt_proxy.FAILURES, "\n".join(qt_proxy.FAILURES)


def nodeIds(scene):
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]


def idle(desktop):
    return desktop.text("segmentButton") == "Segment"


def test_load_segment_cancel_segment_with_clicks_alone(real):
    """From loaded scans to a table in one click; the second run is cancelled and leaves the first result alone."""
    real.click("segmentButton")
    real.waitFor(lambda: real.find("progressBar").value() > 0, seconds=60)
    real.waitFor(lambda: idle(real), seconds=60)
    first = real.rows()
    assert [row[0] for row in first] == ["Whole tumor", "Tumor core", "Enhancing tumor"]
    assert all(float(row[1]) > 0 for row in first)
    before = nodeIds(real.scene)
    real.find("presetComboBox").setCurrentIndex(2)
    real.click("segmentButton")
    real.waitFor(lambda: real.find("progressBar").value() > 80, seconds=60)
    real.click("segmentButton")
    real.waitFor(lambda: idle(real), seconds=20)
    assert real.text("statusLabel") == "Cancelled. Nothing was changed."
    assert nodeIds(real.scene) == before
    assert real.rows() == first


def test_the_worker_killed_in_a_run_is_told_and_the_next_click_works(real):
    before = nodeIds(real.scene)
    real.find("presetComboBox").setCurrentIndex(2)
    real.click("segmentButton")
    real.waitFor(lambda: real.find("progressBar").value() > 80, seconds=60)
    os.kill(real.widget.logic.runner.client.worker_pid, signal.SIGKILL)
    real.waitFor(lambda: idle(real), seconds=20)
    assert "worker" in real.text("statusLabel")
    assert real.messages == []
    assert nodeIds(real.scene)[: len(before)] == before
    assert real.rows() == []
    real.find("presetComboBox").setCurrentIndex(0)
    real.click("segmentButton")
    real.waitFor(lambda: idle(real), seconds=60)
    assert len(real.rows()) == 3
