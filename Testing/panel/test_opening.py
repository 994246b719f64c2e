"""The module opens where nothing heavy is installed, quickly, and with a package that cannot be used."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
import time

import pytest

BARE = """
    import importlib.abc, json, sys, time
    HEAVY = {"torch", "openvino", "SimpleITK", "scipy", "monai", "pydicom", "matplotlib", "safetensors", "psutil"}

    class Absent(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in HEAVY:
                raise ModuleNotFoundError(name)

    sys.meta_path.insert(0, Absent())
    sys.path[:0] = [CHECKOUT, CHECKOUT + "/MedSegAI"]
    from pathlib import Path
    from Testing.harness import desktop as harness
    harness.mrml.boot()
    harness.application()
    begun = time.process_time()
    opened = harness.Desktop(Path(CHECKOUT) / "MedSegAI")
    seconds = time.process_time() - begun
    told = {"status": opened.text("statusLabel"), "messages": opened.messages, "seconds": seconds}
    opened.close()
    print(json.dumps(told))
"""


def test_it_opens_without_any_library_that_slicer_lacks_and_in_less_than_a_second(checkout, tmp_path):
    script = f"CHECKOUT = {str(checkout)!r}\n" + textwrap.dedent(BARE)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["status"].startswith("No volume is chosen yet.")
    assert told["messages"] == []
    assert told["seconds"] < 1.0


@pytest.fixture
def broken_package(tiny_package, tmp_path, monkeypatch):
    folder = tmp_path / "packages" / "brain-tumor"
    shutil.copytree(tiny_package, folder)
    weights = next(folder.glob("*.safetensors"))
    weights.chmod(0o644)
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    monkeypatch.setenv("MEDSEGAI_PACKAGES", str(folder.parent))
    return weights.name


def test_an_altered_package_still_draws_the_panel_and_names_the_file(broken_package, desktop):
    assert broken_package in desktop.text("statusLabel")
    assert not desktop.find("segmentButton").isEnabled()
    assert desktop.messages == []


def test_opening_starts_no_process(desktop, clients):
    assert clients == []


def test_the_logic_is_there_for_scripts_without_a_panel(desktop):
    logic = desktop.module.MedSegAILogic()
    assert logic.package().task == "brain-tumor"
    assert not logic.isBusy
    logic.close()


def test_the_panel_can_be_reloaded_many_times_and_stays_quick(clients, emptyScene, checkout):
    from Testing.harness.desktop import Desktop

    begun = time.process_time()
    for _ in range(5):
        Desktop(checkout / "MedSegAI").close()
    assert time.process_time() - begun < 5
