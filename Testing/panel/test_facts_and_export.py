"""Facts before the click, the list of tasks, Copy as Python and Export by clicks (stand-in desktop, not Slicer)."""

from __future__ import annotations

import pytest
from PySide6 import QtWidgets

from MedSegAILib.tasks.package import read_package
from Testing.harness.mrml import addCase
from Testing.makers.history import one_run
from Testing.makers.phantoms import make_labels
from Testing.makers.staged_package import CASCADE_MEMBERS, cascade_manifest, write_package


@pytest.fixture
def two_tasks(tmp_path, monkeypatch):
    """A second package beside the shipped one; use it before ``desktop``."""
    write_package(tmp_path / "packages" / "staged", cascade_manifest(), CASCADE_MEMBERS)
    monkeypatch.setenv("MEDSEGAI_PACKAGES", str(tmp_path / "packages"))


@pytest.fixture
def history(checkout):
    package = read_package(checkout / "MedSegAILib" / "packages" / "brain-tumor")
    with one_run(package, "fast", 5.0):
        yield


@pytest.fixture
def nodes(desktop, tiny_case):
    loaded = addCase(tiny_case)
    desktop.settle()
    return loaded


def test_seconds_and_dice_are_told_before_the_click(history, desktop):
    box = desktop.find("presetComboBox")
    assert [box.itemText(index) for index in range(3)] == ["Fast (about 6 s)", "Balanced", "Best, takes longest"]
    assert desktop.text("outlookLabel").startswith("Time known after the first run here. Dice ")
    box.setCurrentIndex(0)
    desktop.settle()
    assert desktop.text("outlookLabel").startswith("About 6 s (1 like run here). Dice ")


def test_another_task_brings_its_own_inputs_and_back(two_tasks, desktop, nodes, clients):
    box = desktop.find("taskComboBox")
    offered = {box.itemText(index) for index in range(box.count())}
    assert offered >= {"Brain tumor (glioma, before surgery)", "Staged test"}
    box.setCurrentIndex(box.findData("staged"))
    desktop.settle()
    assert desktop.text("T1Label") == "CT:"
    assert not desktop.find("T1ceSelector").isVisible()
    desktop.choose("T1", "head_T2")
    desktop.click("segmentButton")
    job = clients[0].jobs[0]
    assert (job.task, sorted(job.case.volumes)) == ("staged", ["CT"])
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    box.setCurrentIndex(box.findData("brain-tumor"))
    desktop.settle()
    assert desktop.text("T1Label") == "T1:"
    assert desktop.chosen() == {role: f"head_{role}" for role in nodes}


def test_a_task_that_does_not_fit_is_grey_and_says_why(two_tasks, desktop, nodes):
    for node in nodes.values():
        node.SetAttribute("DICOM.Modality", "MR")
    desktop.widget.enter()
    box = desktop.find("taskComboBox")
    index = box.findData("staged")
    assert not box.model().item(index).isEnabled()
    assert box.itemData(index, 3) == "It needs CT; MR is loaded."  # 3 is Qt.ToolTipRole
    assert box.model().item(box.findData("brain-tumor")).isEnabled()


def test_the_task_cannot_be_changed_during_a_run(two_tasks, desktop, nodes):
    desktop.click("segmentButton")
    assert not desktop.find("taskComboBox").isEnabled()
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    assert desktop.find("taskComboBox").isEnabled()


def test_copy_as_python_puts_lines_on_the_clipboard_that_repeat_the_run(desktop, nodes, clients, tiny_case):
    import slicer

    desktop.find("presetComboBox").setCurrentIndex(0)
    desktop.settle()
    desktop.click("copyPythonButton")
    assert desktop.text("statusLabel") == "Copied. Paste it into the Python console."
    text = QtWidgets.QApplication.clipboard().text()
    answered = []

    from MedSegAISlicer.scene import logic

    from Testing.harness.fake_worker import FakeClient

    class Answering(FakeClient):
        def segment_async(self, case, task, options, **more):
            job = super().segment_async(case, task, options, **more)
            answered.append(job)
            job.sayResult(make_labels(case.reference_grid()).array)
            return job

    original, logic.WorkerClient = logic.WorkerClient, Answering
    try:
        exec(text, space := {"slicer": slicer})  # the point of the test
    finally:
        logic.WorkerClient = original
    (job,) = answered
    assert (job.task, job.options.preset, sorted(job.case.volumes)) == ("brain-tumor", "fast", sorted(nodes))
    assert space["segmentation"].GetScene() is desktop.scene


def test_export_writes_into_a_new_folder_each_time(desktop, nodes, clients, tiny_case, tmp_path):
    assert not desktop.find("exportCollapsibleButton").isVisible()
    desktop.click("segmentButton")
    clients[0].jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    desktop.find("exportDirectoryButton").setProperty("directory", str(tmp_path))
    desktop.click("exportButton")
    desktop.waitFor(lambda: desktop.text("statusLabel").startswith("10 files"))
    desktop.click("exportButton")
    desktop.waitFor(lambda: desktop.text("statusLabel").endswith("-2"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MedSegAI-result", "MedSegAI-result-2"]
    assert desktop.text("statusLabel") == f"10 files written to {tmp_path / 'MedSegAI-result-2'}"
    assert (tmp_path / "MedSegAI-result" / "audit.json").is_file()


def test_an_export_that_cannot_be_written_is_a_sentence(desktop, nodes, clients, tiny_case, tmp_path):
    desktop.click("segmentButton")
    clients[0].jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    (tmp_path / "file").write_text("in the way")
    desktop.find("exportDirectoryButton").setProperty("directory", str(tmp_path / "file"))
    desktop.click("exportButton")
    desktop.waitFor(lambda: "Nothing can be written" in desktop.text("statusLabel"), seconds=5)
    assert desktop.messages == []
