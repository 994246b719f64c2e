"""``medsegai models`` and ``medsegai doctor``: true answers, exit codes, JSON."""

import json
import shutil

import pytest

from MedSegAILib.tasks import health
from Testing.makers.shell import medsegai


@pytest.fixture
def altered_package(tmp_path, tiny_package):
    folder = tmp_path / "altered"
    shutil.copytree(tiny_package, folder)
    with (folder / "graph.json").open("ab") as file:
        file.write(b" ")
    return folder


def test_list_names_the_task_and_its_inputs(tiny_package):
    done = medsegai("models", "list", packages=tiny_package)
    assert done.returncode == 0
    assert "brain-tumor" in done.stdout
    assert "T1, T1ce, T2, FLAIR" in done.stdout


def test_list_names_what_it_refuses(altered_package):
    answer = json.loads(medsegai("models", "list", "--json", packages=altered_package).stdout)
    assert [entry["details"]["file"] for entry in answer["refused"]] == ["graph.json"]


def test_info_tells_what_the_package_is_not_for(tiny_package):
    done = medsegai("models", "info", "brain-tumor", packages=tiny_package)
    assert "Anything else." in done.stdout
    assert "WT: Whole tumor = 1 + 2 + 4" in done.stdout


def test_info_as_json_is_the_manifest(tiny_package):
    answer = json.loads(medsegai("models", "info", "brain-tumor", "--json", packages=tiny_package).stdout)
    assert answer["format"] == 1
    assert answer["not_for"] == "Anything else."


@pytest.mark.parametrize("by", ["task", "folder"])
def test_verify_accepts_a_sound_package(by, tiny_package):
    which = "brain-tumor" if by == "task" else tiny_package
    done = medsegai("models", "verify", which, packages=tiny_package)
    assert done.returncode == 0
    assert "3 files match" in done.stdout


def test_verify_names_the_altered_file_and_ends_with_4(altered_package):
    done = medsegai("models", "verify", altered_package)
    assert done.returncode == 4
    assert "graph.json" in done.stderr


def test_doctor_is_content_when_a_study_can_be_segmented(tiny_package):
    done = medsegai("doctor", "--json", packages=tiny_package)
    report = json.loads(done.stdout)
    assert report["problems"] == []
    assert (done.returncode, report["ok"]) == (0, True)
    assert any(entry["backend"] == "openvino" and entry["ok"] for entry in report["devices"])


def test_doctor_names_a_refused_package_and_ends_with_6(altered_package):
    done = medsegai("doctor", packages=altered_package)
    assert done.returncode == 6
    assert "graph.json" in done.stdout


def test_doctor_names_a_missing_library(monkeypatch):
    monkeypatch.setitem(health.NEEDED, "no-such-library", "a test")
    report = health.examine()
    assert not report["ok"]
    assert any("pip install no-such-library" in problem for problem in report["problems"])


def test_doctor_names_a_full_disk(monkeypatch):
    monkeypatch.setattr(health, "LEAST_FREE_GB", 1e9)
    _, problems = health._machine()
    assert len(problems) == 1
    assert "GB left" in problems[0]
