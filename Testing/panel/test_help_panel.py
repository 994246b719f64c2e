"""The section "Help" by clicks: the doctor, and a bundle that is shown before it is installed, and repaired."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAILib.tasks.bundle import create_bundle


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def bundle(tmp_path):
    create_bundle(tmp_path / "bundle", ["brain-tumor"])
    return tmp_path / "bundle"


def opened(desktop):
    desktop.find("helpCollapsibleButton").setProperty("collapsed", False)
    desktop.settle()


def said(desktop):
    desktop.waitFor(lambda: desktop.text("helpLabel") not in ("", "Looking\u2026"), seconds=60)
    return desktop.text("helpLabel")


def test_it_is_closed_at_first_and_asks_nothing(desktop):
    assert not desktop.find("doctorButton").isVisible()
    assert desktop.text("helpLabel") == ""


def test_a_bundle_is_shown_with_sizes_and_licenses_before_it_can_be_installed(desktop, bundle, home):
    opened(desktop)
    desktop.find("bundleDirectoryButton").setProperty("directory", str(bundle))
    assert not desktop.find("bundleInstallButton").isEnabled()
    desktop.click("bundleLookButton")
    text = said(desktop)
    assert text.startswith("package brain-tumor")
    assert " MB, license " in text
    assert "Slicer's own are not touched" in text
    assert not (home / ".MedSegAI").exists()
    desktop.click("bundleInstallButton")
    desktop.waitFor(lambda: ": installed" in desktop.text("helpLabel"), seconds=30)
    installed = home / ".MedSegAI" / "packages" / "brain-tumor"
    assert installed.is_dir()
    (weights,) = list(installed.glob("*.safetensors"))[:1]
    weights.write_bytes(b"broken")
    desktop.click("bundleRepairButton")
    desktop.waitFor(lambda: "repaired" in desktop.text("helpLabel"), seconds=30)
    assert weights.name in desktop.text("helpLabel")
    assert weights.stat().st_size > 100


def test_a_folder_that_is_no_bundle_is_a_sentence(desktop, tmp_path):
    opened(desktop)
    desktop.find("bundleDirectoryButton").setProperty("directory", str(tmp_path))
    desktop.click("bundleLookButton")
    assert "bundle" in said(desktop)
    assert not desktop.find("bundleInstallButton").isEnabled()
    assert desktop.messages == []


def test_the_doctor_says_first_whether_a_study_can_be_segmented(desktop):
    opened(desktop)
    desktop.click("doctorButton")
    lines = said(desktop).splitlines()
    assert lines[0] == "A study can be segmented here."
    assert any(line.startswith("openvino on ") and line.endswith("runs") for line in lines)
