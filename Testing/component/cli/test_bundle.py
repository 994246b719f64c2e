"""The offline bundle: made, checked, installed and repaired without network; what is wrong is named."""

import json
import subprocess
from pathlib import Path

import pytest

from MedSegAILib.core.errors import UsageError
from MedSegAILib.tasks.bundle import create_bundle
from MedSegAILib.tasks.store import find_package, user_root
from Testing.makers.shell import in_process
from Testing.makers.wheels import make_wheel


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home for each test."""
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setattr(Path, "home", lambda: place)
    return place


@pytest.fixture
def bundle(tiny_package, tmp_path):
    make_wheel(tmp_path / "wheels")
    done = in_process(
        "bundle", "create", tmp_path / "bundle", "--task", "brain-tumor", "--wheels", tmp_path / "wheels",
        packages=tiny_package,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return tmp_path / "bundle"


def test_bundle_lists_its_parts_with_licenses_and_no_address(bundle):
    listed = json.loads((bundle / "bundle.json").read_text())
    assert [(entry["task"], entry["license"]) for entry in listed["packages"]] == [("brain-tumor", "Apache-2.0")]
    assert [(entry["name"], entry["license"]) for entry in listed["wheels"]] == [("tinylib", "MIT")]
    assert "| library tinylib | 1.2 | MIT |" in (bundle / "LICENSES.md").read_text()
    for path in bundle.iterdir():
        assert path.is_dir() or "http" not in path.read_text()


def test_tool_of_the_system_checks_it_too(bundle):
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "bundle.sha256"], cwd=bundle, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert "5 files match" in in_process("bundle", "check", bundle).stdout


def test_install_gives_a_task_that_is_found(bundle, tmp_path):
    done = in_process("bundle", "install", bundle, "--libraries", tmp_path / "libraries")
    assert done.stdout.splitlines() == ["installed package brain-tumor 0.0.1", "installed library tinylib 1.2"]
    assert find_package("brain-tumor").folder == user_root() / "brain-tumor"
    assert (tmp_path / "libraries" / "tinylib" / "__init__.py").is_file()
    again = in_process("bundle", "install", bundle, "--libraries", tmp_path / "libraries")
    assert again.stdout.splitlines() == ["unchanged package brain-tumor 0.0.1", "unchanged library tinylib 1.2"]


def test_damaged_bundle_is_named_and_installs_nothing(bundle):
    (bundle / "stray.txt").write_text("x")
    file = bundle / "packages" / "brain-tumor-0.0.1.zip"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    done = in_process("bundle", "check", bundle)
    assert done.returncode == 4
    assert "packages/brain-tumor-0.0.1.zip is altered" in done.stderr
    assert "stray.txt is not listed" in done.stderr
    file.unlink()
    refused = in_process("bundle", "install", bundle)
    assert (refused.returncode, "is missing, and 1 more" in refused.stderr) == (4, True)
    assert not user_root().exists()


def test_altered_list_is_not_trusted(bundle):
    (bundle / "bundle.json").write_text((bundle / "bundle.json").read_text().replace("Apache-2.0", "none"))
    done = in_process("bundle", "check", bundle)
    assert (done.returncode, "cannot be trusted" in done.stderr) == (4, True)


def test_repair_names_the_damaged_files_and_mends_them(bundle, tmp_path):
    libraries = tmp_path / "libraries"
    assert in_process("bundle", "install", bundle, "--libraries", libraries).returncode == 0
    (user_root() / "brain-tumor" / "graph.json").write_text("{}")
    (user_root() / "brain-tumor" / "card.md").unlink()
    (libraries / "tinylib" / "__init__.py").write_text("broken")
    assert in_process("models", "verify", user_root() / "brain-tumor").returncode == 4
    done = in_process("bundle", "repair", bundle, "--libraries", libraries)
    assert done.stdout.splitlines() == [
        "repaired package brain-tumor 0.0.1: card.md, graph.json",
        "repaired library tinylib 1.2: tinylib/__init__.py",
    ]
    assert in_process("models", "verify", user_root() / "brain-tumor").returncode == 0
    assert (libraries / "tinylib" / "__init__.py").read_text() == "VERSION = '1.2'\n"
    again = in_process("bundle", "repair", bundle, "--libraries", libraries)
    assert again.stdout.splitlines() == ["unchanged package brain-tumor 0.0.1", "unchanged library tinylib 1.2"]


def test_repair_installs_a_package_that_is_gone(bundle):
    done = in_process("bundle", "repair", bundle)
    assert done.stdout.splitlines() == ["installed package brain-tumor 0.0.1"]


def test_bundle_of_nothing_is_refused(tmp_path):
    with pytest.raises(UsageError) as caught:
        create_bundle(tmp_path / "bundle", [])
    assert caught.value.code == "bundle.empty"
    assert not (tmp_path / "bundle").exists()
