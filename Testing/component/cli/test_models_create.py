"""``models create``: a draft to fill in, and a sealed package of a checkpoint that runs like any other."""

import json

import numpy as np
import pytest
import torch

from MedSegAILib.core.errors import PackageError
from MedSegAILib.networks import build
from MedSegAILib.tasks.creation import create_package
from MedSegAILib.tasks.package import read_package
from Testing.makers.shell import in_process
from Testing.makers.tiny_package import ARGUMENTS, NETWORK, manifest


@pytest.fixture
def draft(tmp_path):
    """A filled draft with the checkpoint of a training run."""
    folder = tmp_path / "draft"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest("my-task")))
    (folder / "card.md").write_text("# Mine\n\nTrained on nothing.\n")
    average = build(NETWORK, **ARGUMENTS).state_dict()
    other = {name: torch.zeros_like(tensor) for name, tensor in average.items()}
    state = {"average": {f"module.{name}": tensor for name, tensor in average.items()}, "network": other, "step": 3}
    torch.save({**state, "recipe": "mine"}, folder / "a0.pt")
    return folder


def test_template_has_to_be_filled_in(tmp_path, tiny_package):
    done = in_process("models", "create", tmp_path / "my-task", packages=tiny_package)
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "my-task" / "manifest.json").read_text())
    assert (content["task"], content["license"]) == ("my-task", "FILL IN: license")
    assert "files" not in content
    refused = in_process("models", "create", tmp_path / "package", "--from", tmp_path / "my-task")
    assert (refused.returncode, "still to be filled in" in refused.stderr) == (4, True)


def test_checkpoint_becomes_a_package_with_its_averaged_weights(draft, tmp_path):
    done = in_process("models", "create", tmp_path / "my-task", "--from", draft, "--precision", "fp32")
    assert done.returncode == 0, done.stderr
    package = read_package(tmp_path / "my-task")
    assert (package.task, sorted(package.checksums)) == ("my-task", ["a0.safetensors", "card.md", "graph.json"])
    average = torch.load(draft / "a0.pt", weights_only=True)["average"]
    for name, array in package.weights("a0.safetensors").items():
        np.testing.assert_array_equal(array, average[f"module.{name}"].numpy())


def test_weights_that_do_not_fit_are_named(draft, tmp_path):
    content = manifest("my-task")
    content["stages"][0]["ensembles"][0]["network"]["arguments"] = {"width": 3, "norm": "group1"}
    (draft / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(PackageError) as caught:
        create_package(draft, tmp_path / "package")
    assert caught.value.code == "create.weights"
    assert "shape" in caught.value.message
    assert not (tmp_path / "package").exists()


def test_pickle_with_code_is_not_executed(draft, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    torch.save({"average": Evil()}, draft / "a0.pt")
    with pytest.raises(PackageError) as caught:
        create_package(draft, tmp_path / "package")
    assert caught.value.code == "create.weights"
    assert not (tmp_path / "made").exists()
