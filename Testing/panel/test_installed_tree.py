"""The tree that Slicer would install, read-only, runs the whole journey without the checkout (stand-in desktop)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from Testing.harness import installed_tree


@pytest.fixture
def tree(tmp_path):
    built = installed_tree.build(tmp_path / "installed")
    yield built
    installed_tree.unlock(built)


def test_the_installed_module_segments_the_sample_through_the_real_worker(tree, tmp_path, checkout):
    support = tmp_path / "support"
    shutil.copytree(
        checkout / "Testing" / "harness", support / "Testing" / "harness", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(checkout / "Resources" / "SampleData" / "brain-tumor", tmp_path / "sample")
    before = installed_tree.fingerprint(tree)
    command = [sys.executable, "-I", "-B", str(support / "Testing" / "harness" / "installed_journey.py")]
    arguments = [str(tree), str(support), str(tmp_path / "sample"), str(checkout)]
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=dict(os.environ),
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["failures"] == []
    assert told["messages"] == []
    assert told["status"].startswith("Done in "), told["status"]
    assert [row[0] for row in told["rows"]] == ["Whole tumor", "Tumor core", "Enhancing tumor"]
    assert all(float(row[1]) > 0 for row in told["rows"])
    assert told["segmentations"] == 1
    assert told["foreign"] == []
    assert told["heavy"] == []
    assert installed_tree.fingerprint(tree) == before


def test_exactly_one_python_file_lies_in_the_flat_folder(tree):
    assert [path.name for path in tree.glob("*.py")] == ["MedSegAI.py"]


def test_the_names_in_the_shared_folder_are_ours_alone(tree):
    names = sorted(path.name for path in tree.iterdir())
    assert names == ["MedSegAI.py", "MedSegAILib", "MedSegAISlicer", "Resources"]
