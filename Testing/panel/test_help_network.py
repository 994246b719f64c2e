"""Libraries from the network by clicks: shown with sizes first, fetched by real pip; a folder plays the index."""

from __future__ import annotations

import os

import pytest

from MedSegAILib.tasks import libraries
from MedSegAILib.tasks.libraries import Library
from Testing.makers.wheels import make_wheel


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder with one wheel, which pip takes for its index; no network, no settings of this machine."""
    folder = tmp_path / "index"
    make_wheel(folder, "tinylib", "1.2")
    for name, value in {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "MEDSEGAI_SITE": str(tmp_path / "site"),
    }.items():
        monkeypatch.setenv(name, value)
    table = (Library("tinylib", ">=1,<2", 1.5, "MIT", "tests"), Library("numpy", ">=2", 20.0, "BSD-3-Clause", "arrays"))
    monkeypatch.setattr(libraries, "LIBRARIES", table)
    return folder


def said(desktop, words):
    desktop.waitFor(lambda: words in desktop.text("helpLabel"), seconds=60)
    return desktop.text("helpLabel")


def opened(desktop):
    desktop.find("helpCollapsibleButton").setProperty("collapsed", False)
    desktop.settle()


def test_what_is_missing_is_shown_with_sizes_and_fetched_only_after_a_click(desktop, index, tmp_path):
    opened(desktop)
    assert not desktop.find("librariesInstallButton").isEnabled()
    desktop.click("librariesLookButton")
    text = said(desktop, "tinylib")
    assert "library tinylib >=1,<2: 1.5 MB, license MIT" in text
    assert "numpy" not in text  # it is there, and what is there is not touched
    assert f"Libraries go to {tmp_path / 'site'}; Slicer's own are not touched." in text
    assert not (tmp_path / "site").exists()
    desktop.click("librariesInstallButton")
    said(desktop, "library tinylib 1.2: installed")
    assert (tmp_path / "site" / "tinylib" / "__init__.py").is_file()
    assert not desktop.find("librariesInstallButton").isEnabled()


def test_a_failed_download_is_one_sentence_with_a_next_step_and_leaves_nothing(desktop, index, tmp_path):
    opened(desktop)
    desktop.click("librariesLookButton")
    said(desktop, "tinylib")
    next(index.glob("*.whl")).unlink()
    desktop.click("librariesInstallButton")
    text = said(desktop, "could not be fetched")
    assert text.endswith("Check the network and the proxy, or install an offline bundle.")
    assert not (tmp_path / "site").exists()
