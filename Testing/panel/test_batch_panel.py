"""The worst-first list of a batch in the panel: chosen, listed, opened for review (stand-in for the desktop)."""

from __future__ import annotations

import shutil

import pytest
from MedSegAISlicer.scene.runner import Runner
from MedSegAISlicer.scene.statistics import inputsOf

from MedSegAILib.core.run import RunOptions
from Testing.harness.fake_worker import FakeClient
from Testing.harness.mrml import addCase
from Testing.makers.phantoms import make_labels

ROLES = ("T1", "T1ce", "T2", "FLAIR")


@pytest.fixture
def batch(desktop, tiny_case, tmp_path):
    """The output folder of a batch of one study, as a batch leaves it; images beside it."""
    from MedSegAISlicer.scene.export import exportResult
    from MedSegAISlicer.scene.files import writeText

    from MedSegAILib.io.nifti import nifti_bytes

    nodes = addCase(tiny_case)
    client = FakeClient()
    run = Runner(desktop.scene, client).start(nodes, "brain-tumor", RunOptions())
    client.jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    client.poll()
    folder = tmp_path / "out"
    exportResult(run.segmentationNode, folder / "studies" / "study-2", client)
    key = ["study,place,role,path"]
    for role, volume in tiny_case.volumes.items():
        (tmp_path / f"{role}.nii.gz").write_bytes(nifti_bytes(volume))
        key.append(f"study-2,here,{role},{tmp_path / role}.nii.gz")
    writeText(folder / ".batch" / "key.csv", "\n".join(key) + "\n")
    writeText(folder / "worst_first.csv", "rank,study,attention,reasons\n1,study-2,0.9,much in doubt\n2,study-1,0.1,\n")
    desktop.scene.Clear(0)
    desktop.settle()
    return folder


def choose(desktop, folder):
    desktop.find("batchCollapsibleButton").setProperty("collapsed", False)
    desktop.find("batchDirectoryButton").setProperty("directory", str(folder))
    desktop.settle()


def test_the_list_is_shown_worst_first_and_a_study_opens_for_review(desktop, batch):
    choose(desktop, batch)
    box = desktop.find("worstComboBox")
    assert [box.itemText(index) for index in range(box.count())] == ["study-2: much in doubt", "study-1"]
    desktop.click("openStudyButton")
    assert desktop.text("statusLabel") == "study-2 is open. Look through it under Review."
    assert [row[0] for row in desktop.rows()] == ["Whole tumor", "Tumor core", "Enhancing tumor"]
    assert set(inputsOf(desktop.logicResult())) == set(ROLES)
    assert desktop.chosen() == {role: f"study-2 {role}" for role in ROLES}


def test_images_that_moved_and_folders_without_a_list_are_sentences(desktop, batch, tmp_path):
    choose(desktop, tmp_path)
    assert "holds no worst_first.csv" in desktop.text("statusLabel")
    assert not desktop.find("openStudyButton").isEnabled()
    choose(desktop, batch)
    shutil.rmtree(batch / ".batch")
    desktop.click("openStudyButton")
    assert "not where the batch found them" in desktop.text("statusLabel")
    assert desktop.rows() == []
