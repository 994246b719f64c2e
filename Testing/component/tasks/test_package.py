import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from MedSegAILib.core.errors import PackageError
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.store import find_package, list_packages
from Testing.makers.tiny_package import make_tiny_package, manifest, seal


@pytest.fixture
def package_folder(tiny_package, tmp_path) -> Path:
    return Path(shutil.copytree(tiny_package, tmp_path / "brain-tumor"))


def refusal(folder: Path) -> PackageError:
    with pytest.raises(PackageError) as caught:
        read_package(folder)
    assert caught.value.hint
    return caught.value


def reseal(folder: Path, change) -> None:
    content = manifest()
    change(content)
    seal(folder, content)


def test_package_tells_its_task_roles_and_weights(package_folder):
    package = read_package(package_folder)
    assert package.task == "brain-tumor"
    assert package.roles == ("T1", "T1ce", "T2", "FLAIR")
    assert [region.name for region in package.scheme.regions] == ["WT", "TC", "ET"]
    weights = package.weights("a0.safetensors")
    assert all(tensor.dtype == np.float32 for tensor in weights.values())
    assert "encoder1.ConvBnRelu1.conv.weight" in weights


@pytest.mark.parametrize("name", ["a0.safetensors", "graph.json", "card.md", "manifest.json"])
def test_one_changed_byte_is_refused_by_the_name_of_the_file(package_folder, name):
    content = bytearray((package_folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (package_folder / name).write_bytes(bytes(content))
    error = refusal(package_folder)
    assert error.code == "package.checksum"
    assert error.message.startswith(name)


@pytest.mark.parametrize("name", ["a0.safetensors", "graph.json", "card.md"])
def test_missing_file_is_named(package_folder, name):
    (package_folder / name).unlink()
    assert refusal(package_folder).message == f"{name} of package brain-tumor is missing."


def test_missing_checksum_of_the_manifest_is_refused(package_folder):
    (package_folder / "manifest.sha256").unlink()
    assert refusal(package_folder).code == "package.checksum"


def test_folder_without_manifest_is_no_package(tmp_path):
    assert refusal(tmp_path).code == "package.missing"


def test_package_of_a_later_format_says_so(package_folder):
    reseal(package_folder, lambda content: content.update(format=2))
    assert refusal(package_folder).code == "package.format"


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("labels"),
        lambda content: content.update(title=""),
        lambda content: content.update(subsets=[["CT"]]),
        lambda content: content.update(reference=["T1"]),
        lambda content: content["stages"][0].update(ensembles=[]),
        lambda content: content["stages"][0]["ensembles"][0].update(members=[]),
        lambda content: content["stages"][0]["ensembles"][0].update(members=["../outside.safetensors"]),
        lambda content: content["stages"][0]["ensembles"][0].update(channels=["XX"]),
        lambda content: content["regions"][0].update(labels=[3]),
    ],
)
def test_unsound_manifest_is_refused(package_folder, change):
    reseal(package_folder, change)
    assert refusal(package_folder).code in {"package.manifest", "labels.scheme"}


def with_own_network(folder: Path, content: dict, **changes) -> dict:
    """A second member, a copy of the first, that names a network of its own."""
    for name, copy in (("a0.safetensors", "a1.safetensors"), ("graph.json", "graph-other.json")):
        shutil.copyfile(folder / name, folder / copy)
    ensemble = content["stages"][0]["ensembles"][0]
    own = {**ensemble["network"], "graph": "graph-other.json", **changes}
    ensemble["members"] = ["a0.safetensors", {"file": "a1.safetensors", "network": own}]
    return content


def test_member_may_name_a_network_of_its_own(package_folder):
    seal(package_folder, with_own_network(package_folder, manifest(), arguments={"width": 2, "norm": "instance"}))
    package = read_package(package_folder)
    ensemble = package.stages[0].ensembles[0]
    assert ensemble.members == ("a0.safetensors", "a1.safetensors")
    usual, own = ensemble.by_network()
    assert (usual[0].graph, usual[1]) == ("graph.json", ("a0.safetensors",))
    assert (own[0].arguments["norm"], own[1]) == ("instance", ("a1.safetensors",))
    assert package.graph(own[0])["nodes"]


def test_members_of_one_network_stay_together(package_folder):
    content = with_own_network(package_folder, manifest())
    shutil.copyfile(package_folder / "a0.safetensors", package_folder / "a2.safetensors")
    content["stages"][0]["ensembles"][0]["members"].append("a2.safetensors")
    seal(package_folder, content)
    groups = read_package(package_folder).stages[0].ensembles[0].by_network()
    assert [files for _, files in groups] == [("a0.safetensors", "a2.safetensors"), ("a1.safetensors",)]


@pytest.mark.parametrize(
    "change",
    [
        lambda members: members[1]["network"].update(graph="../graph.json"),
        lambda members: members[1]["network"].update(graph="graph-none.json"),
        lambda members: members[1]["network"].pop("arguments"),
        lambda members: members[1].pop("file"),
        lambda members: members[1].update(file="a0.safetensors"),
    ],
)
def test_unsound_network_of_a_member_is_refused(package_folder, change):
    content = with_own_network(package_folder, manifest())
    change(content["stages"][0]["ensembles"][0]["members"])
    seal(package_folder, content)
    assert refusal(package_folder).code == "package.manifest"


def test_weights_that_are_no_safetensors_are_refused(package_folder):
    (package_folder / "a0.safetensors").write_bytes(b"not weights")
    reseal(package_folder, lambda content: None)
    with pytest.raises(PackageError) as caught:
        read_package(package_folder).weights("a0.safetensors")
    assert caught.value.code == "package.weights"


def test_first_place_that_has_the_task_wins(package_folder, tmp_path):
    later = make_tiny_package(tmp_path / "later" / "brain-tumor", seed=5)
    found = find_package("brain-tumor", [package_folder.parent, later.parent])
    assert found.folder == package_folder


def test_unknown_task_lists_what_is_installed(package_folder):
    with pytest.raises(PackageError) as caught:
        find_package("liver", [package_folder])
    assert caught.value.code == "package.unknown"
    assert "brain-tumor" in caught.value.hint


def test_altered_package_never_gives_way_to_another_one_in_silence(package_folder, tmp_path):
    make_tiny_package(tmp_path / "later" / "brain-tumor")
    (package_folder / "graph.json").write_text("{}")
    with pytest.raises(PackageError) as caught:
        find_package("brain-tumor", [package_folder.parent, tmp_path / "later"])
    assert caught.value.details == {"file": "graph.json"}


def test_list_gives_sound_packages_and_reasons_of_the_others(package_folder, tmp_path, monkeypatch):
    broken = make_tiny_package(tmp_path / "broken", task="broken")
    (broken / "card.md").write_text("changed")
    monkeypatch.setenv("MEDSEGAI_PACKAGES", str(broken))
    packages, refused = list_packages([package_folder])
    assert package_folder in [package.folder for package in packages]
    assert [error.details["file"] for error in refused] == ["card.md"]


def test_shipped_packages_are_sound_and_small():
    from MedSegAILib.tasks.store import SHIPPED

    for folder in SHIPPED.iterdir():
        package = read_package(folder)
        assert folder.name == package.task
        assert json.loads((folder / "manifest.json").read_text())["expected"]
        limit_mib = 6 if package.task == "brain-tumor" else 1.5
        assert sum(file.stat().st_size for file in folder.iterdir()) <= limit_mib * 2**20
