"""A package as a MONAI bundle: MONAI's own tools load it, and its network gives our logits."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, load, verify_net_in_out
from monai.data import MetaTensor
from safetensors.numpy import save_file

from MedSegAILib.core.errors import PackageError
from MedSegAILib.tasks.monai_bundle import export_monai_bundle
from MedSegAILib.tasks.monai_config import inference_config
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.prepare import prepare
from Testing.makers.phantoms import make_case
from Testing.makers.tiny_package import seal

# TorchScript is what bundles hold; torch calls it deprecated, MONAI uses it.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def bundle(tiny_package, tmp_path_factory):
    return export_monai_bundle(read_package(tiny_package), tmp_path_factory.mktemp("bundles") / "tumor")


@pytest.fixture(scope="module")
def array():
    return np.random.default_rng(3).random((4, 24, 16, 32), dtype=np.float32)


def our_logits(folder, file, array):
    from MedSegAILib.networks import build

    package = read_package(folder)
    ensemble = package.stages[0].ensembles[0]
    network = build(ensemble.network, **dict(ensemble.arguments)).eval()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in package.weights(file).items()})
    with torch.inference_mode():
        return network(torch.from_numpy(array[None]))[0].numpy()


def test_bundle_has_the_files_of_the_specification(bundle):
    files = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert files == {
        "LICENSE", "configs/inference.json", "configs/metadata.json", "docs/README.md", "models/model.pt",
        "models/model.ts",
    }  # fmt: skip
    assert "Apache-2.0" in (bundle / "LICENSE").read_text()
    assert not [path for path in bundle.rglob("*.json") if "http" in path.read_text()]


def test_monai_verifies_the_network_against_the_metadata(bundle):
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(bundle / "configs" / "metadata.json"),
        config_file=str(bundle / "configs" / "inference.json"),
        bundle_root=str(bundle),
        device="cpu",
        n=2,
    )


def test_network_that_monai_loads_gives_our_logits(bundle, tiny_package, array, monkeypatch):
    monkeypatch.chdir(bundle)  # "bundle_root" of the config, as MONAI's own bundles have it
    wanted = our_logits(tiny_package, "a0.safetensors", array)
    script, _, _ = load(bundle.name, bundle_dir=str(bundle.parent), load_ts_module=True, device="cpu")
    from_state = load(bundle.name, bundle_dir=str(bundle.parent), workflow_type="inference", device="cpu")
    for network in (script, from_state):
        with torch.inference_mode():
            found = network(torch.from_numpy(array[None]))[0].numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_inference_config_runs_and_gives_our_logits(bundle, tiny_package, array):
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser["bundle_root"] = str(bundle)
    network = parser.get_parsed_content("network")
    with torch.inference_mode():
        found = parser.get_parsed_content("inferer")(torch.from_numpy(array[None]), network)[0].numpy()
    np.testing.assert_allclose(found, our_logits(tiny_package, "a0.safetensors", array), atol=1e-5)


def test_preparation_without_resampling_is_ours_to_the_voxel(tiny_package):
    package = read_package(tiny_package)
    usual = package.stages[0].ensembles[0]
    ensemble = replace(usual, prepare=tuple(step for step in usual.prepare if step["step"] != "resample"))
    parser = ConfigParser(inference_config(package, ensemble))
    case = make_case()
    # Files and their orientation need nibabel, not installed here: the case lies in the network's axes already.
    image = np.stack([volume.array for volume in case.volumes.values()])
    data = {"image": MetaTensor(torch.from_numpy(image))}
    first, second, *others = parser.get_parsed_content("preprocessing").transforms
    assert (type(first).__name__, type(second).__name__) == ("LoadImaged", "Orientationd")
    for transform in others:
        data = transform(data)
    np.testing.assert_allclose(data["image"].numpy(), prepare(case, package.roles, ensemble.prepare).array, atol=1e-5)


def test_members_are_averaged_as_our_engine_does(tiny_package, tmp_path, array):
    folder = tmp_path / "two"
    shutil.copytree(tiny_package, folder)
    weights = read_package(tiny_package).weights("a0.safetensors")
    save_file({name: (1.1 * value).astype(np.float32) for name, value in weights.items()}, folder / "a1.safetensors")
    content = json.loads((folder / "manifest.json").read_bytes())
    content["stages"][0]["ensembles"][0]["members"] = ["a0.safetensors", "a1.safetensors"]
    seal(folder, content)
    bundle = export_monai_bundle(read_package(folder), tmp_path / "bundle")
    network = torch.jit.load(str(bundle / "models" / "model.ts"))
    with torch.inference_mode(), torch.jit.optimized_execution(False):
        found = network(torch.from_numpy(array[None]))[0].sigmoid().numpy()
    logits = [our_logits(folder, f"a{number}.safetensors", array) for number in (0, 1)]
    np.testing.assert_allclose(found, np.mean([1 / (1 + np.exp(-value)) for value in logits], axis=0), atol=1e-5)


def test_package_of_two_ensembles_is_refused(tiny_package, tmp_path):
    content = json.loads((tiny_package / "manifest.json").read_bytes())
    folder = tmp_path / "two"
    folder.mkdir()
    for name in ("graph.json", "a0.safetensors", "card.md"):
        (folder / name).write_bytes((tiny_package / name).read_bytes())
    ensembles = content["stages"][0]["ensembles"]
    content["stages"][0]["ensembles"] = [ensembles[0], {**ensembles[0], "name": "B"}]
    content["stages"][0]["merge"] = {"rule": "mean"}
    seal(folder, content)
    with pytest.raises(PackageError) as caught:
        export_monai_bundle(read_package(folder), tmp_path / "bundle")
    assert caught.value.code == "monai.ensembles"
    assert not (tmp_path / "bundle").exists()
