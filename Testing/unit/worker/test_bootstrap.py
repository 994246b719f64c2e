"""What the worker is started with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from MedSegAILib.core.errors import SetupError
from MedSegAILib.worker import bootstrap
from MedSegAILib.worker.bootstrap import LIBRARY_ROOT, default_python, plan_launch, put_site_first, real_interpreter


def test_the_library_comes_first_then_the_private_folder_then_what_was_there(tmp_path):
    launch = plan_launch(site=tmp_path, environment={"PYTHONPATH": "/of/slicer"})
    assert launch.environment["PYTHONPATH"].split(os.pathsep) == [str(LIBRARY_ROOT), str(tmp_path), "/of/slicer"]
    assert (LIBRARY_ROOT / "MedSegAILib" / "version.py").is_file()
    assert launch.command == (sys.executable, "-m", "MedSegAILib.worker.server")


def test_the_private_folder_is_the_setting_then_the_variable_then_home(tmp_path):
    assert plan_launch(site=tmp_path, environment={"MEDSEGAI_SITE": "/x"}).environment["MEDSEGAI_SITE"] == str(tmp_path)
    assert plan_launch(environment={"MEDSEGAI_SITE": "/x"}).environment["MEDSEGAI_SITE"] == str(Path("/x"))
    assert plan_launch(environment={}).environment["MEDSEGAI_SITE"] == str(Path.home() / ".MedSegAI" / "site")


def test_proxies_and_thread_settings_of_the_user_pass_unchanged():
    given = {"HTTPS_PROXY": "http://proxy:1", "OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": "ACTIVE"}
    assert given.items() <= plan_launch(environment=given).environment.items()


def test_text_is_utf8_and_nothing_of_the_user_or_a_startup_file_mixes_in():
    child = plan_launch(environment={"PYTHONSTARTUP": "/x.py", "PYTHONINSPECT": "1"}).environment
    assert (child["PYTHONUTF8"], child["PYTHONNOUSERSITE"], child["PYTHONDONTWRITEBYTECODE"]) == ("1", "1", "1")
    assert not {"PYTHONSTARTUP", "PYTHONINSPECT"} & child.keys()


def test_another_python_does_not_get_the_paths_of_this_one(tmp_path):
    given = {"PYTHONHOME": "/slicer/lib/Python", "PYTHONPATH": "/slicer/site-packages"}
    own = plan_launch(environment=given, site=tmp_path).environment
    other = plan_launch(Path("/opt/python3"), environment=given, site=tmp_path).environment
    assert own["PYTHONHOME"] == "/slicer/lib/Python"
    assert "PYTHONHOME" not in other
    assert other["PYTHONPATH"].split(os.pathsep) == [str(LIBRARY_ROOT), str(tmp_path)]


def test_the_interpreter_behind_the_launcher_of_slicer_is_taken(tmp_path):
    launcher, real = tmp_path / "PythonSlicer", tmp_path / "python-real"
    launcher.touch()
    assert real_interpreter(launcher) == launcher
    real.touch()
    assert real_interpreter(launcher) == real
    assert real_interpreter(tmp_path / "python3") == tmp_path / "python3"


def test_inside_slicer_its_python_is_found_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "SlicerApp-real"))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: str(tmp_path / name))
    assert default_python() == tmp_path / "PythonSlicer"
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(SetupError) as caught:
        plan_launch()
    assert caught.value.code == "setup.python"


def test_the_private_folder_wins_in_the_worker(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_SITE", str(tmp_path))
    monkeypatch.setattr(sys, "path", ["/of/slicer", str(tmp_path)])
    put_site_first()
    assert sys.path == [str(tmp_path), "/of/slicer"]
    monkeypatch.setenv("MEDSEGAI_SITE", str(tmp_path / "none"))
    put_site_first()
    assert sys.path == [str(tmp_path), "/of/slicer"]
