"""The whole story of a task of two stages by clicks, with the real worker, in a normal and a narrow panel.

The networks are thresholds, so every number is known; the desktop is the stand-in, not Slicer itself.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from MedSegAISlicer.scene.load import openScene, saveScene
from MedSegAISlicer.scene.stage_boxes import boxNodes

from Testing.harness.edits import contents, paint
from Testing.harness.mrml import addVolume, fingerprint
from Testing.makers.abdomen import make_abdomen
from Testing.makers.phantoms import centers_ras_mm
from Testing.makers.staged_package import CASCADE_MEMBERS, cascade_manifest, write_package

APART_RAS_MM = (6.0, 6.0, -1.0)  # in the organ, beside the tumor
STROKE = (slice(2, 5), slice(2, 5), slice(2, 5))


@pytest.fixture
def real(checkout, emptyScene, tmp_path, monkeypatch):
    """The opened module with its real worker, and the package of two stages."""
    from Testing.harness import qt_proxy
    from Testing.harness.desktop import Desktop

    write_package(tmp_path / "packages" / "staged", cascade_manifest(), CASCADE_MEMBERS)
    monkeypatch.setenv("MEDSEGAI_PACKAGES", str(tmp_path / "packages"))
    opened = Desktop(checkout / "MedSegAI")
    yield opened
    opened.close()
    assert not qt_proxy.FAILURES, "\n".join(qt_proxy.FAILURES)


def segmented(desktop):
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=60)


@pytest.mark.parametrize("width", [420, 300])
def test_a_cascade_from_a_loaded_scan_to_the_reloaded_scene(real, tmp_path, width):
    case, truth = make_abdomen()
    labels, voxels = np.array(truth.array), np.array(case.volumes["CT"].array)
    apart = np.linalg.norm(centers_ras_mm(truth.grid) - np.array(APART_RAS_MM), axis=-1) <= 4.5
    voxels[apart], labels[apart] = 200, 2
    scan = addVolume(voxels, truth.grid.ijk_to_ras, "abdomen CT")
    before = fingerprint(scan)
    real.root.resize(width, 700)
    real.find("taskComboBox").setCurrentIndex(real.find("taskComboBox").findData("staged"))
    real.settle()
    assert real.chosen()["T1"] == "abdomen CT"  # the row of the only input

    real.click("segmentButton")
    real.click("segmentButton")
    real.waitFor(lambda: real.text("segmentButton") == "Segment", seconds=20)
    assert real.text("statusLabel") == "Cancelled. Nothing was changed."
    assert real.rows() == []
    segmented(real)
    result = real.logicResult()
    wanted = {"Pancreas": labels == 1, "Tumor": labels == 2, "Organ": labels > 0}
    assert {line[0]: float(line[1]) for line in real.rows()} == {
        name: round(float(mask.sum()) * truth.grid.voxel_volume_ml, 1) for name, mask in wanted.items()
    }
    shown = contents(result, scan)
    row = [line[0] for line in real.rows()].index("Tumor")
    real.tick(row)
    real.tick(row)
    real.click("nextPlaceButton")
    assert "an island apart from the rest" in real.text("placeLabel")
    paint(result, "tumor", scan, STROKE)
    real.waitFor(lambda: real.states()[row] == "Edited", seconds=3)
    real.click("undoButton")
    assert contents(result, scan) == shown
    real.find("regionTable").selectRow(row)
    real.find("readerLineEdit").setText("AB")
    real.click("acceptButton")
    assert real.states()[row] == "Accepted"

    boxNodes(result)["tumor"].SetSize(60.0, 60.0, 60.0)
    real.click("rerunBoxButton")
    real.waitFor(lambda: real.text("segmentButton") == "Segment", seconds=60)
    second = real.logicResult()
    assert second is not result
    assert contents(second, scan) == shown

    real.find("exportDirectoryButton").setProperty("directory", str(tmp_path))
    real.click("exportButton")
    real.waitFor(lambda: "files written" in real.text("statusLabel"), seconds=30)
    stages = json.loads((tmp_path / "MedSegAI-result" / "passport.json").read_text(encoding="utf-8"))["stages"]
    assert stages[0]["kept"]  # the first one cost nothing
    real.find("versionComboBox").setCurrentIndex(0)
    real.click("exportButton")
    real.waitFor(lambda: real.text("statusLabel").endswith("-2"), seconds=30)
    story = json.loads((tmp_path / "MedSegAI-result-2" / "audit.json").read_text(encoding="utf-8"))["story"]
    assert [line["what"].split(":")[0] for line in story] == ["by hand", "undone", "accepted"]

    rows, states = real.rows(), real.states()
    assert fingerprint(scan) == before
    openScene(real.scene, saveScene(real.scene, tmp_path / "scene.mrb"))
    real.settle()
    assert (real.rows(), real.states()) == (rows, states)
    assert real.find("versionComboBox").count() == 2
    assert sorted(boxNodes(real.logicResult())) == ["organ", "tumor"]
