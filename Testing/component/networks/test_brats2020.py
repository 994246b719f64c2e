"""The BraTS 2020 networks against the published classes' outputs, counts, names and initialization."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from MedSegAILib.core.errors import SetupError, UsageError
from MedSegAILib.networks import NETWORKS, build
from MedSegAILib.networks.brats2020 import group_count
from Testing.makers.brats2020_fixture import CASES, SAMPLES, fixture_input, fixture_weights, state_shapes

HEADS = ("bottom", "bottom_2", "decoder3", "decoder2")
STAGES = ("encoder1", "encoder2", "encoder3", "encoder4", "bottom", "bottom_2", "decoder3", "decoder2", "decoder1")
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-6}
STAGE_TOLERANCE = {torch.float32: 5e-4, torch.float64: 1e-6}  # single peaks of hidden stages; the page's tolerance


@pytest.fixture(scope="module")
def samples():
    with np.load(Path(__file__).with_name("brats2020_forward_samples.npz")) as stored:
        return dict(stored)


def run_case(tag, dtype, deep_heads=True):
    name, width, norm, shape = CASES[tag]
    network = build(f"brats2020.{name}", width=width, norm=norm, deep_heads=deep_heads).eval()
    weights = fixture_weights(state_shapes(network))
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})
    network = network.to(dtype)
    stages = {}
    for stage in STAGES:
        getattr(network, stage).register_forward_hook(
            lambda _m, _i, out, stage=stage: stages.update(
                {stage: (out.mean(), out.std(correction=0), out.amin(), out.amax())}
            )
        )
    with torch.inference_mode():
        return network(torch.from_numpy(fixture_input(shape))[None].to(dtype)), stages


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("tag", CASES)
def test_forward_agrees_with_the_published_class(tag, dtype, samples):
    (main, heads), stages = run_case(tag, dtype)
    for key, output in zip(("main", *(f"deep_{head}" for head in HEADS)), (main, *heads), strict=True):
        np.testing.assert_allclose(
            output.numpy()[SAMPLES], samples[f"{tag}__{key}_s357"], rtol=0, atol=TOLERANCE[dtype], err_msg=key
        )
    found = [[float(value) for value in stages[stage]] for stage in STAGES]
    np.testing.assert_allclose(found, samples[f"{tag}__stage_stats"], rtol=0, atol=STAGE_TOLERANCE[dtype])


@pytest.mark.shared
@pytest.mark.parametrize("tag", ["equi_w8_group", "att_w8_group"])
def test_forward_agrees_at_every_voxel(tag, shared_dir):
    with np.load(shared_dir / "reference" / "brats2020_forward_width8.npz") as stored:
        wanted = stored[f"{tag}__main"]
    (main, _), _ = run_case(tag, torch.float64)
    np.testing.assert_allclose(main.numpy(), wanted, rtol=0, atol=1e-6)


def test_fixture_rule_gives_its_own_check_values():
    network = build("brats2020.EquiUnet", width=8, deep_heads=True)
    weights = fixture_weights(state_shapes(network))
    assert sum(float(value.sum(dtype=np.float64)) for value in weights.values()) == pytest.approx(487.818521, abs=1e-5)
    assert fixture_input((32, 32, 32)).sum(dtype=np.float64) == pytest.approx(68950.6308, abs=1e-3)


def test_main_output_is_the_same_without_heads():
    name, width, norm, shape = CASES["equi_w8_group"]
    torch.manual_seed(0)
    with_heads = build(f"brats2020.{name}", width=width, norm=norm, deep_heads=True).eval()
    without = build(f"brats2020.{name}", width=width, norm=norm).eval()
    without.load_state_dict({k: v for k, v in with_heads.state_dict().items() if not k.startswith("deep")})
    image = torch.from_numpy(fixture_input(shape))[None]
    with torch.inference_mode():
        torch.testing.assert_close(without(image), with_heads(image)[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "width", "deep_heads", "wanted", "tensor_count"),
    [
        ("Unet", 48, True, 19_169_991, 61),
        ("Unet", 48, False, 19_167_819, 53),
        ("Unet", 8, True, 533_891, 61),
        ("Unet", 8, False, 533_519, 53),
        ("Unet", 16, True, 2_132_215, 61),
        ("EquiUnet", 48, True, 23_154_735, 61),
        ("EquiUnet", 48, False, 23_152_563, 53),
        ("EquiUnet", 8, True, 645_055, 61),
        ("EquiUnet", 8, False, 644_683, 53),
        ("EquiUnet", 16, True, 2_575_727, 61),
        ("AttEquiUnet", 48, True, 23_207_760, 103),
        ("AttEquiUnet", 48, False, 23_205_588, 95),
        ("AttEquiUnet", 8, True, 650_724, 103),
        ("AttEquiUnet", 8, False, 650_352, 95),
        ("AttEquiUnet", 16, True, 2_585_594, 103),
    ],
)
def test_parameter_counts_are_the_published_ones(name, width, deep_heads, wanted, tensor_count):
    """The rule: elements of all parameters that require a gradient; there are no buffers. Norms count the same."""
    with torch.device("meta"):
        networks = [
            build(f"brats2020.{name}", width=width, norm=norm, deep_heads=deep_heads) for norm in ("group", "instance")
        ]
    for network in networks:
        assert sum(p.numel() for p in network.parameters() if p.requires_grad) == wanted
        assert len(network.state_dict()) == tensor_count
        assert not list(network.buffers())


@pytest.mark.shared
def test_tensor_names_shapes_and_order_are_those_of_a_checkpoint(shared_dir):
    table = json.loads((shared_dir / "reference" / "brats2020_checkpoint_tensors.json").read_text())
    checked = 0
    for entry in table["networks"]:
        for norm in entry["norm_layer"]:
            name = entry["arch"].replace("Att_", "Att")
            with torch.device("meta"):
                network = build(f"brats2020.{name}", width=entry["width"], norm=norm, deep_heads=True)
            assert [[key, list(shape)] for key, shape in state_shapes(network).items()] == entry["tensors"]
            checked += 1
    assert checked == 16


@pytest.mark.parametrize(
    ("channels", "groups"),
    [(1, 1), (4, 4), (8, 8), (12, 12), (16, 16), (48, 16), (96, 16), (20, 5), (24, 3), (36, 9), (40, 5), (56, 7)],
)
def test_group_rule_is_the_published_one(channels, groups):
    assert group_count(channels) == groups


def test_group_norm_takes_another_number_of_groups():
    network = build("brats2020.EquiUnet", width=8, norm="group4")
    norms = [layer for layer in network.modules() if isinstance(layer, nn.GroupNorm)]
    assert len(norms) == 17
    assert {layer.num_groups for layer in norms} == {4}


@pytest.mark.parametrize("name", [name for name in NETWORKS if name.startswith("brats2020.")])
def test_initialization_follows_the_published_rules(name):
    torch.manual_seed(0)
    network = build(name, width=16, deep_heads=True)
    for path, layer in network.named_modules():
        if isinstance(layer, nn.Conv3d):
            fan_out = layer.out_channels * int(np.prod(layer.kernel_size))
            sd = (2 / fan_out) ** 0.5
            if layer.weight.numel() > 1000:
                assert layer.weight.std().item() == pytest.approx(sd, rel=0.15), path
            fan_in = layer.in_channels * int(np.prod(layer.kernel_size))
            if layer.bias is not None:
                assert layer.bias.abs().max() <= fan_in**-0.5, path
                assert layer.bias.abs().max() > 0, path
        elif isinstance(layer, nn.GroupNorm):
            assert layer.eps == 1e-5
            assert torch.equal(layer.weight, torch.ones_like(layer.weight)), path
            assert torch.equal(layer.bias, torch.zeros_like(layer.bias)), path
        elif isinstance(layer, nn.Linear):
            assert layer.weight.abs().max() <= layer.in_features**-0.5, path


@pytest.mark.parametrize("norm", ["batch", "group0", "group-1", "groupx", ""])
def test_unknown_norm_is_refused(norm):
    with pytest.raises(UsageError) as caught:
        build("brats2020.EquiUnet", width=8, norm=norm)
    assert caught.value.code == "network.norm"


def test_attention_without_norm_is_refused():
    with pytest.raises(UsageError) as caught:
        build("brats2020.AttEquiUnet", width=8, norm="none")
    assert caught.value.code == "network.norm"


def test_unknown_network_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        build("brats2020.Nothing")
    assert caught.value.code == "network.name"
    assert "brats2020.EquiUnet" in caught.value.hint


def test_unknown_argument_is_a_usage_error():
    with pytest.raises(UsageError) as caught:
        build("brats2020.EquiUnet", depth=7)
    assert caught.value.code == "network.arguments"


def test_listing_networks_does_not_load_torch():
    code = "import sys, MedSegAILib.networks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_missing_torch_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "MedSegAILib.networks.brats2020", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SetupError) as caught:
        build("brats2020.EquiUnet")
    assert caught.value.code == "setup.torch_missing"


def test_training_reaches_every_parameter():
    torch.manual_seed(0)
    network = build("brats2020.AttEquiUnet", width=16, deep_heads=True)
    main, heads = network(torch.rand(1, 4, 16, 16, 16))
    sum(output.square().mean() for output in (main, *heads)).backward()
    missing = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert missing == []
