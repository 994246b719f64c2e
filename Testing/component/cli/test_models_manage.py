"""``models install``, ``remove`` and ``export``: whole or not at all, by checksum, never a pickle."""

import json
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest

from MedSegAILib.core.errors import PackageError, UsageError
from MedSegAILib.tasks.install import install_package, remove_package, zip_package
from MedSegAILib.tasks.package import read_package, sha256
from MedSegAILib.tasks.store import find_package, user_root
from Testing.makers.shell import in_process
from Testing.makers.tiny_package import manifest, seal


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home for each test."""
    place = tmp_path / "home"
    place.mkdir()
    monkeypatch.setattr(Path, "home", lambda: place)
    return place


def changed(package, folder, version="0.0.2", **more):
    """A copy of a package with another version."""
    shutil.copytree(package, folder)
    for name in ("manifest.json", "manifest.sha256"):
        (folder / name).unlink()
    for name, content in more.items():
        (folder / name).write_bytes(content)
    seal(folder, {**manifest(), "version": version})
    return folder


def test_zip_of_a_package_installs_again_with_the_same_files(tiny_package, tmp_path):
    done = in_process("models", "export", "brain-tumor", tmp_path / "out" / "tumor.zip", packages=tiny_package)
    assert done.returncode == 0, done.stderr
    answer = json.loads(in_process("models", "install", tmp_path / "out" / "tumor.zip", "--json").stdout)
    assert (answer["change"], answer["version"]) == ("new", "0.0.1")
    installed = find_package("brain-tumor")
    assert installed.folder == user_root() / "brain-tumor"
    assert installed.checksums == read_package(tiny_package).checksums
    assert install_package(tiny_package).change == "same"
    assert [path.name for path in user_root().iterdir()] == ["brain-tumor"]


def test_zips_of_one_package_are_equal(tiny_package, tmp_path):
    package = read_package(tiny_package)
    assert (
        zip_package(package, tmp_path / "a.zip").read_bytes() == zip_package(package, tmp_path / "b.zip").read_bytes()
    )


def test_other_version_needs_to_be_asked_for(tiny_package, tmp_path):
    install_package(tiny_package)
    newer = changed(tiny_package, tmp_path / "newer")
    refused = in_process("models", "install", newer)
    assert (refused.returncode, "--replace" in refused.stderr) == (2, True)
    assert find_package("brain-tumor").version == "0.0.1"
    done = in_process("models", "install", newer, "--replace")
    assert "in place of 0.0.1" in done.stdout
    assert find_package("brain-tumor").version == "0.0.2"


@pytest.mark.parametrize("as_zip", [False, True])
def test_damaged_package_is_not_installed_and_nothing_is_left(as_zip, tiny_package, tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(tiny_package, damaged)
    (damaged / "graph.json").write_bytes(b"{}")
    source = damaged
    if as_zip:
        source = tmp_path / "damaged.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in damaged.iterdir():
                archive.write(path, path.name)
    with pytest.raises(PackageError) as caught:
        install_package(source)
    assert (caught.value.code, caught.value.details["file"]) == ("package.checksum", "graph.json")
    assert list(user_root().iterdir()) == []


def test_damaged_archive_is_refused(tiny_package, tmp_path):
    content = zip_package(read_package(tiny_package), tmp_path / "a.zip").read_bytes()
    half = len(content) // 2
    (tmp_path / "b.zip").write_bytes(content[: half - 50] + bytes(100) + content[half + 50 :])
    (tmp_path / "c.zip").write_bytes(content[:half])
    for name in ("b.zip", "c.zip"):
        with pytest.raises(PackageError) as caught:
            install_package(tmp_path / name)
        assert caught.value.code in {"install.archive", "install.source", "package.checksum"}


def test_pickle_is_refused_by_its_name_and_under_the_name_of_weights(tiny_package, tmp_path):
    named = changed(tiny_package, tmp_path / "named", **{"extra.pth": pickle.dumps({"a": 1})})
    with pytest.raises(PackageError) as caught:
        install_package(named)
    assert caught.value.code == "install.kind"
    hidden = changed(tiny_package, tmp_path / "hidden", **{"a0.safetensors": pickle.dumps({"a": 1})})
    with pytest.raises(PackageError) as caught:
        install_package(hidden)
    assert caught.value.code == "package.weights"


def test_names_with_a_path_are_refused(tiny_package, tmp_path):
    folder = changed(tiny_package, tmp_path / "evil")
    content = json.loads((folder / "manifest.json").read_bytes())
    content["files"]["../../evil.json"] = "0" * 64
    (folder / "manifest.json").write_bytes(json.dumps(content).encode())
    (folder / "manifest.sha256").write_text(f"{sha256((folder / 'manifest.json').read_bytes())}  manifest.json\n")
    with pytest.raises(PackageError) as caught:
        install_package(folder)
    assert caught.value.code == "install.kind"


def test_files_that_the_manifest_does_not_list_stay_behind(tiny_package, tmp_path):
    shutil.copytree(tiny_package, tmp_path / "more")
    (tmp_path / "more" / "run.py").write_text("raise SystemExit")
    installed = install_package(tmp_path / "more").package
    assert not (installed.folder / "run.py").exists()


def test_remove_asks_and_removes_only_what_the_user_installed(tiny_package):
    install_package(tiny_package)
    asked = in_process("models", "remove", "brain-tumor", "--json")
    assert asked.returncode == 2
    assert in_process("models", "remove", "brain-tumor", "--yes").returncode == 0
    assert list(user_root().iterdir()) == []
    with pytest.raises(UsageError) as caught:
        remove_package("brain-tumor")  # the shipped one
    assert caught.value.code == "remove.not_installed"
    assert "packages/brain-tumor" in caught.value.hint.replace("\\", "/")


def test_damaged_installed_package_can_be_removed(tiny_package):
    installed = install_package(tiny_package).package
    (installed.folder / "manifest.json").write_bytes(b"no json")
    assert remove_package("brain-tumor") == installed.folder
