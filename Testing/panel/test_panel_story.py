"""The whole story by clicks, in a normal and a narrow panel: nothing of the user changes, the audit tells it all.

The worker is played by the test; with the real one the journey is ``test_panel_journey``.
"""

from __future__ import annotations

import json

import pytest
from MedSegAISlicer.scene.load import openScene, saveScene

from MedSegAILib.core.doubt import Doubt, Place
from Testing.harness.edits import contents, paint
from Testing.harness.mrml import addCase, fingerprint
from Testing.makers.phantoms import make_labels

DOUBT = Doubt((Place("TC", "thin_bridge", (3.0, -4.0, 5.0), 2.5),), {"TC": 2.5}, pass_count=2)
BOX = (slice(2, 5), slice(2, 5), slice(2, 5))


@pytest.mark.parametrize("width", [420, 300])
def test_from_loaded_scans_to_an_audit_file(desktop, clients, tiny_case, tmp_path, width):
    nodes = addCase(tiny_case)
    desktop.root.resize(width, 700)
    desktop.settle()
    before = {role: fingerprint(node) for role, node in nodes.items()}
    labels = make_labels(tiny_case.reference_grid()).array

    def answer(say):
        say(clients[0].jobs[-1])
        desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=5)

    # One click and nothing typed from loaded scans to a result in the views.
    desktop.click("segmentButton")
    answer(lambda job: job.sayProvisional(labels) or job.sayResult(labels, doubt=DOUBT))
    result = desktop.logicResult()
    assert desktop.find("regionTable").isVisible()
    # A second run is cancelled and leaves no trace.
    shown = contents(result, nodes["T1"])
    desktop.click("segmentButton")
    clients[0].jobs[-1].sayProvisional(labels)
    desktop.waitFor(lambda: desktop.text("statusLabel").startswith("Provisional"), seconds=5)
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=5)
    assert (desktop.logicResult(), contents(result, nodes["T1"])) == (result, shown)
    # Hide and show, look, paint, undo, paint, accept, lock.
    desktop.tick(1)
    desktop.tick(1)
    desktop.click("nextPlaceButton")
    assert "thin bridge" in desktop.text("placeLabel")
    paint(result, "TC", nodes["T1"], BOX)
    desktop.waitFor(lambda: desktop.states()[1] == "Edited", seconds=3)
    desktop.click("undoButton")
    assert contents(result, nodes["T1"]) == shown
    paint(result, "TC", nodes["T1"], BOX)
    desktop.waitFor(lambda: desktop.states()[1] == "Edited", seconds=3)
    assert not desktop.find("redoButton").isEnabled()
    drawn = contents(result, nodes["T1"])["TC"]
    desktop.find("readerLineEdit").setText("AB")
    desktop.click("acceptButton")
    desktop.tick(0, column=4)
    # The re-run keeps the edit.
    desktop.click("segmentButton")
    answer(lambda job: job.sayResult(labels, doubt=DOUBT))
    second = desktop.logicResult()
    assert second is not result
    assert contents(second, nodes["T1"])["TC"] == drawn
    # Files, and the story in them.
    desktop.find("exportDirectoryButton").setProperty("directory", str(tmp_path))
    desktop.click("exportButton")
    desktop.waitFor(lambda: "files written" in desktop.text("statusLabel"), seconds=20)
    audit = json.loads((tmp_path / "MedSegAI-result" / "audit.json").read_text(encoding="utf-8"))
    assert {line["region"]: line["state"] for line in audit["regions"]}["TC"] == "accepted"
    assert [line["what"].split(":")[0] for line in audit["story"]] == [f"kept from {result.GetName()}"] * 2
    desktop.find("versionComboBox").setCurrentIndex(0)
    desktop.click("exportButton")
    desktop.waitFor(lambda: desktop.text("statusLabel").endswith("-2"), seconds=20)
    story = json.loads((tmp_path / "MedSegAI-result-2" / "audit.json").read_text(encoding="utf-8"))["story"]
    assert [line["what"].split(":")[0] for line in story] == ["by hand", "undone", "by hand", "accepted", "locked"]
    assert story[3]["reader"] == "AB"
    assert {role: fingerprint(node) for role, node in nodes.items()} == before
    # Saved, closed, opened again: table, states, versions.
    rows, states, first = desktop.rows(), desktop.states(), result.GetName()
    path = saveScene(desktop.scene, tmp_path / "scene.mrb")
    openScene(desktop.scene, path)
    desktop.settle()
    assert (desktop.logicResult().GetName(), desktop.rows(), desktop.states()) == (first, rows, states)
    assert desktop.find("versionComboBox").count() == 2
    assert desktop.chosen() == {role: f"head_{role}" for role in nodes}
    assert desktop.messages == []
