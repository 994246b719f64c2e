"""The panel by clicks, on real MRML, in the stand-in for the desktop (not Slicer itself)."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.core.errors import ResourceError
from Testing.harness.mrml import addCase, addVolume, fingerprint
from Testing.makers.phantoms import make_case, make_labels


@pytest.fixture
def nodes(desktop, tiny_case):
    loaded = addCase(tiny_case)
    desktop.settle()
    return loaded


def labels(tiny_case):
    return make_labels(tiny_case.reference_grid()).array


def finish(desktop, job, array, notices=()):
    job.sayResult(array, notices)
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")


def test_the_module_tells_slicer_what_it_is(desktop):
    assert desktop.parent.title == "MedSegAI"
    assert desktop.parent.categories == ["Segmentation"]
    assert "Research use only" in desktop.parent.helpText
    assert desktop.parent.icon is not None


def test_the_opened_panel_opens_no_dialog_and_says_what_to_do(desktop):
    assert desktop.messages == []
    assert desktop.find("taskComboBox").currentText().startswith("Brain tumor")
    assert desktop.text("statusLabel").startswith("No volume is chosen yet. Choose T1, T1ce, T2 and FLAIR")
    assert not desktop.find("segmentButton").isEnabled()
    assert desktop.find("segmentButton").toolTip() == desktop.text("statusLabel")
    assert not desktop.find("progressBar").isVisible()
    assert desktop.rows() == []
    assert desktop.text("researchUseLabel") == "Research use only. Not for clinical decisions."


def test_loaded_scans_fill_the_selectors_by_their_names(desktop, nodes):
    assert desktop.chosen() == {role: f"head_{role}" for role in nodes}
    assert desktop.text("statusLabel") == "Ready. Press Segment."
    assert desktop.find("segmentButton").isEnabled()


def test_a_selector_says_why_it_holds_its_volume_or_none(desktop, nodes):
    assert desktop.find("T1ceSelector").toolTip().endswith("Its name says T1ce.")
    desktop.scene.RemoveNode(nodes["T2"])
    for name in ("first t2", "second t2"):
        addVolume(np.zeros((8, 8, 8), np.int16), np.eye(4), name)
    desktop.settle()
    assert desktop.chosen()["T2"] == "None"
    assert "It is not certain which image is T2: first t2" in desktop.find("T2Selector").toolTip()


def test_one_click_from_loaded_scans_to_a_table_of_regions(desktop, nodes, clients, tiny_case):
    before = {role: fingerprint(node) for role, node in nodes.items()}
    desktop.click("segmentButton")
    assert desktop.text("segmentButton") == "Cancel"
    assert desktop.find("progressBar").isVisible()
    assert not desktop.find("T1Selector").isEnabled()
    assert not desktop.find("presetComboBox").isEnabled()
    job = clients[0].jobs[0]
    assert (job.task, job.options.preset, set(job.case.volumes)) == ("brain-tumor", "balanced", set(nodes))
    job.sayProgress("predict", 1, 2)
    desktop.waitFor(lambda: desktop.find("progressBar").value() > 400)
    assert "%" in desktop.find("progressBar").text()
    finish(desktop, job, labels(tiny_case))
    names = [row[0] for row in desktop.rows()]
    assert names == ["Whole tumor", "Tumor core", "Enhancing tumor"]
    wanted_ml = np.isin(labels(tiny_case), (1, 2, 4)).sum() * 0.008
    assert float(desktop.rows()[0][1]) == pytest.approx(wanted_ml, abs=0.051)
    assert desktop.text("statusLabel").startswith("Done in ")
    assert not desktop.find("progressBar").isVisible()
    assert desktop.find("T1Selector").isEnabled()
    assert {role: fingerprint(node) for role, node in nodes.items()} == before
    assert desktop.messages == []


def test_cancel_leaves_the_scene_as_it_was_and_the_next_run_works(desktop, nodes, clients, tiny_case):
    count = desktop.scene.GetNumberOfNodes()
    desktop.click("segmentButton")
    desktop.click("segmentButton")
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment", seconds=2)
    assert desktop.text("statusLabel") == "Cancelled. Nothing was changed."
    assert clients[0].cancelled == clients[0].jobs
    assert desktop.scene.GetNumberOfNodes() == count
    desktop.click("segmentButton")
    finish(desktop, clients[0].jobs[1], labels(tiny_case))
    assert len(desktop.rows()) == 3


def test_the_button_cannot_be_pressed_twice_while_it_stops(desktop, nodes, clients, monkeypatch):
    desktop.click("segmentButton")
    monkeypatch.setattr(type(clients[0].jobs[0]), "cancel", lambda self: None)
    desktop.click("segmentButton")
    assert not desktop.find("segmentButton").isEnabled()
    assert desktop.text("statusLabel") == "Stopping…"


def test_a_failure_of_the_worker_is_a_sentence_and_not_a_box(desktop, nodes, clients):
    desktop.click("segmentButton")
    clients[0].jobs[0].sayError(ResourceError("memory.gpu", "The GPU is full.", "Choose the CPU."))
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    assert desktop.text("statusLabel") == "The GPU is full. Choose the CPU."
    assert desktop.messages == []
    assert desktop.find("segmentButton").isEnabled()


def test_a_missing_sequence_is_told_before_the_click(desktop, nodes):
    desktop.choose("T1ce", "None")
    desktop.choose("FLAIR", "None")
    assert not desktop.find("segmentButton").isEnabled()
    assert desktop.text("statusLabel").startswith("The model was not trained for T1 and T2 alone. Choose ")


def test_one_volume_for_two_sequences_is_told_before_the_click(desktop, nodes):
    desktop.choose("T2", "head_T1")
    assert not desktop.find("segmentButton").isEnabled()
    assert "T1 and T2 are the same volume." in desktop.text("statusLabel")
    desktop.choose("T2", "head_T2")
    assert desktop.find("segmentButton").isEnabled()


def test_a_click_that_cannot_be_followed_opens_one_box_with_the_next_step(desktop, nodes, clients):
    flat = addVolume(np.zeros((1, 8, 8), np.int16), np.eye(4), "scout")
    desktop.settle()
    desktop.choose("T1ce", flat.GetName())
    desktop.click("segmentButton")
    sentence = "T1ce is a single slice (8 x 8 x 1 voxels). Load the whole series as one volume."
    assert desktop.messages == [("error", sentence)]
    assert desktop.text("statusLabel") == sentence
    assert desktop.text("segmentButton") == "Segment"
    assert clients[0].jobs == []


def test_a_removed_volume_leaves_its_place_empty_and_not_to_the_neighbor(desktop, nodes):
    desktop.scene.RemoveNode(nodes["T2"])
    desktop.settle()
    assert desktop.chosen() == {"T1": "head_T1", "T1ce": "head_T1ce", "T2": "None", "FLAIR": "head_FLAIR"}


def test_none_chosen_by_hand_is_not_filled_again(desktop, nodes):
    desktop.choose("T1", "None")
    addVolume(np.zeros((8, 8, 8), np.int16), np.eye(4), "another")
    desktop.settle()
    assert desktop.chosen()["T1"] == "None"


def test_two_volumes_of_one_name_are_told_apart_at_the_click(desktop, nodes, clients):
    """The selector sends no signal when the text stays the same; the panel must look, not listen."""
    twin = addVolume(np.full((40, 40, 40), 7, np.float32), np.diag([2.0, 2, 2, 1]), "head_T1")
    desktop.settle()
    selector = desktop.find("T1Selector")
    selector.setCurrentNode(twin)
    desktop.click("segmentButton")
    assert float(clients[0].jobs[0].case.volumes["T1"].array.max()) == 7.0


def test_the_scene_closed_during_a_run_ends_it_and_starts_anew(desktop, nodes, clients, tiny_case):
    desktop.click("segmentButton")
    job = clients[0].jobs[0]
    desktop.scene.Clear(0)
    desktop.settle()
    assert desktop.text("segmentButton") == "Segment"
    assert not desktop.find("segmentButton").isEnabled()
    assert desktop.chosen() == dict.fromkeys(("T1", "T1ce", "T2", "FLAIR"), "None")
    assert clients[0].cancelled == [job]
    addCase(make_case(seed=9), "other")
    desktop.settle()
    assert desktop.chosen()["T1"] == "other_T1"
    job.sayResult(labels(tiny_case))  # too late: it is heard in the next run and must not land in its scene
    desktop.click("segmentButton")
    desktop.waitFor(lambda: not clients[0].is_busy, seconds=2)
    assert desktop.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    finish(desktop, clients[0].jobs[1], labels(tiny_case))
    assert len(desktop.rows()) == 3


def test_the_table_follows_the_result_out_of_the_scene(desktop, nodes, clients, tiny_case):
    desktop.click("segmentButton")
    finish(desktop, clients[0].jobs[0], labels(tiny_case))
    result = desktop.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    desktop.scene.RemoveNode(result)
    desktop.settle()
    assert desktop.rows() == []


def test_an_empty_region_is_said_in_words(desktop, nodes, clients, tiny_case):
    array = labels(tiny_case)
    array[array == 4] = 1
    desktop.click("segmentButton")
    finish(desktop, clients[0].jobs[0], array)
    assert desktop.rows()[2] == ["Enhancing tumor", "0.0"]
    assert desktop.text("statementsLabel") == "No enhancing tumor was found."


def test_the_preset_is_remembered_in_the_scene_and_used(desktop, nodes, clients):
    desktop.find("presetComboBox").setCurrentIndex(0)
    desktop.settle()
    desktop.widget.exit()
    desktop.widget.enter()
    desktop.click("segmentButton")
    assert clients[0].jobs[0].options.preset == "fast"


def test_a_run_goes_on_while_the_user_is_in_another_module(desktop, nodes, clients, tiny_case):
    desktop.click("segmentButton")
    desktop.widget.exit()
    finish(desktop, clients[0].jobs[0], labels(tiny_case))
    desktop.widget.enter()
    assert len(desktop.rows()) == 3


def test_cleanup_leaves_no_observer_and_ends_the_worker(desktop, nodes, clients):
    desktop.click("segmentButton")
    panel = desktop.widget.panel
    assert panel.Observations
    desktop.widget.cleanup()
    assert panel.Observations == []
    assert clients[0].isClosed
    desktop.scene.Clear(0)
    addCase(make_case(seed=4))
    desktop.settle()


def test_a_defect_in_a_slot_is_told_and_ends_the_run(desktop, nodes, clients, tiny_case, monkeypatch, caplog):
    desktop.click("segmentButton")
    monkeypatch.setattr(desktop.widget.panel.review, "show", lambda node: 1 / 0)
    clients[0].jobs[0].sayResult(labels(tiny_case))
    desktop.waitFor(lambda: desktop.text("segmentButton") == "Segment")
    assert "ZeroDivisionError" in desktop.text("statusLabel")
    assert "Traceback" in caplog.text


def test_a_saved_scene_brings_choices_and_result_back(desktop, nodes, clients, tiny_case, tmp_path):
    desktop.find("presetComboBox").setCurrentIndex(2)
    desktop.choose("T1", "None")
    desktop.choose("T2", "None")
    desktop.click("segmentButton")
    finish(desktop, clients[0].jobs[0], labels(tiny_case))
    rows = desktop.rows()
    path = str(tmp_path / "scene.mrb")
    assert desktop.scene.WriteToMRB(path)
    desktop.scene.Clear(0)
    desktop.settle()
    assert desktop.rows() == []
    assert desktop.scene.ReadFromMRB(path)
    desktop.settle()
    assert desktop.rows() == rows
    assert desktop.find("presetComboBox").currentIndex() == 2
    assert desktop.chosen() == {"T1": "None", "T1ce": "head_T1ce", "T2": "None", "FLAIR": "head_FLAIR"}
    assert "Passport" in str(desktop.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode").GetAttributeNames())


@pytest.mark.parametrize("width", [260, 420, 900])
def test_nothing_is_cut_off_in_a_narrow_or_wide_panel(desktop, nodes, clients, tiny_case, width):
    desktop.click("segmentButton")
    finish(desktop, clients[0].jobs[0], labels(tiny_case))
    desktop.root.resize(width, 700)
    desktop.settle()
    assert desktop.root.width() <= max(width, 300)
    for name in ("segmentButton", "statusLabel", "regionTable", "researchUseLabel", "FLAIRSelector"):
        widget = desktop.find(name)
        right = widget.mapTo(desktop.root, widget.rect().bottomRight()).x()
        assert right <= desktop.root.width(), name


def test_each_input_has_a_light_with_its_reason_and_a_fix_where_one_click_cures_it(desktop, nodes):
    assert [desktop.text(f"{role}Light") != "" for role in nodes] == [True] * 4
    assert all("\N{CHECK MARK}" in desktop.text(f"{role}Light") for role in nodes)
    assert not desktop.find("T1ceFixButton").isVisible()
    desktop.choose("T1ce", "head_T1")
    assert "\N{MULTIPLICATION X}" in desktop.text("T1ceLight")
    assert desktop.find("T1ceLight").toolTip() == "The same volume is chosen for T1."
    desktop.click("T1ceFixButton")
    assert (desktop.chosen()["T1"], desktop.chosen()["T1ce"]) == ("head_T1", "head_T1ce")  # found anew by name
    assert not desktop.find("T1ceFixButton").isVisible()
    assert "\N{CHECK MARK}" in desktop.text("T1Light")
