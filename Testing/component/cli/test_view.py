"""``medsegai view`` up to the viewer itself: what it hands over, and what it refuses. The viewer: Testing/browser."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from MedSegAILib.cli import view
from MedSegAILib.core.errors import WorkerError
from Testing.makers.shell import CHECKOUT, in_process

SAMPLES = CHECKOUT / "Resources" / "SampleData"


@pytest.fixture
def opened(monkeypatch):
    """What the viewer was asked to open; nothing is started."""
    handed = []
    monkeypatch.setattr(view, "find_spec", lambda name: object() if name in view.NEEDS else None)
    monkeypatch.setattr(view, "serve", lambda opening, browser: handed.append((opening, browser)))
    return handed


def open_with(*arguments, code=0):
    done = in_process("view", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def roles_of(opening):
    return {image["role"]: image["name"] for image in opening["images"]}


def test_study_of_four_sequences_comes_with_roles_and_without_its_reference_mask(opened):
    open_with(SAMPLES / "brain-tumor")
    opening, browser = opened[0]
    assert browser
    assert opening["task"] == "brain-tumor"
    assert roles_of(opening) == {role: role for role in ("T1", "T1ce", "T2", "FLAIR")}
    assert opening["port"] == 0


def test_task_may_be_named(opened):
    open_with(SAMPLES / "hippocampus", "--task", "hippocampus", "--no-browser", "--port", "8123")
    opening, browser = opened[0]
    assert not browser
    assert (opening["task"], opening["port"]) == ("hippocampus", 8123)
    assert roles_of(opening) == {"T1": "T1"}


def test_one_image_file_is_a_study(opened):
    open_with(SAMPLES / "pancreas" / "CT.nii.gz")
    images = opened[0][0]["images"]
    assert [(image["name"], len(image["files"])) for image in images] == [("CT", 1)]


@pytest.mark.parametrize("name", ["work.mrb", "work.mrml"])
def test_saved_scene_is_handed_over_as_it_is(opened, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"")
    open_with(path)
    assert opened[0][0]["scene"] == str(path)


def test_result_is_opened_over_the_study_it_was_made_from(opened, tmp_path):
    for name in view.RESULT_FILES:
        (tmp_path / name).write_text(json.dumps({"task": "brain-tumor"}), encoding="utf-8")
    done = open_with(tmp_path)
    assert "without its images" in done.stderr
    open_with(tmp_path, "--study", SAMPLES / "brain-tumor")
    alone, beside = (opening for opening, _ in opened)
    assert alone["result"] == beside["result"] == str(tmp_path)
    assert "images" not in alone
    assert set(roles_of(beside)) == {"T1", "T1ce", "T2", "FLAIR"}


def test_folder_without_an_image_is_refused(opened, tmp_path):
    assert "There is no image" in open_with(tmp_path, code=3).stderr
    assert opened == []


def test_unknown_task_is_refused(opened):
    assert "error:" in open_with(SAMPLES / "brain-tumor", "--task", "nothing", code=4).stderr


def test_without_the_extra_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(view, "find_spec", lambda name: None)
    done = open_with(SAMPLES / "brain-tumor", code=6)
    assert "The browser viewer is not installed (missing: trame_slicer, slicer, vtk)." in done.stderr
    assert "pip install 'medsegai[web]'" in done.stderr


def test_viewer_that_ends_at_once_is_told(monkeypatch):
    monkeypatch.setattr(view, "VIEWER", "this")  # a module that prints and ends
    with pytest.raises(WorkerError) as told:
        view.serve({}, browser=False)
    assert told.value.code == "view.died"


def test_viewer_is_found_beside_the_library_of_a_checkout():
    assert (view.viewer_folder() / "MedSegAISlicer" / "web" / "__main__.py").is_file()


def test_help_names_the_verb_without_loading_the_viewer():
    probe = "import sys; from MedSegAILib.cli import app; print([n for n in ('trame', 'slicer') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
