"""Tracing: names, deep heads left out, other layers (2D) through the same words, unknown ones refused by name."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from MedSegAILib.core.errors import UsageError
from MedSegAILib.engine.backend import Device, NetworkSpec, load_backend
from MedSegAILib.engine.graph import VOCABULARY, tensor_names
from MedSegAILib.engine.openvino_model import BUILDERS
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.networks import NETWORKS, build
from Testing.makers.brats2020_fixture import state_arrays


class Doubled(nn.Module):
    """Every word that the three networks do not use, and a tensor that enters one step twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, stride=(1, 2)), nn.InstanceNorm2d(4, affine=True))
        self.rest = nn.Sequential(nn.ReLU(), nn.MaxPool2d(3, 2, padding=1), nn.Dropout(0.5), nn.Identity())
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.last = nn.Sequential(nn.Conv2d(8, 2, 1), nn.ELU(0.7), nn.AvgPool2d(3, 1, padding=1), nn.Sigmoid())

    def forward(self, x):
        y = self.rest(self.first(x))
        y = torch.cat((y + y, y * y), 1)
        y = y * y.mean((2, 3), keepdim=True).relu()
        return self.last(self.up(y))


def loaded(module, shape):
    graph = json.loads(json.dumps(trace_graph(module)))
    return load_backend("openvino").load(NetworkSpec("n", {}, graph), state_arrays(module), shape, Device(), 1)


@pytest.mark.parametrize("name", [name for name in NETWORKS if name.startswith("brats2020.")])
def test_graph_uses_every_tensor_but_those_of_the_deep_heads(name):
    module = build(name, width=8, deep_heads=True)
    graph = trace_graph(module)
    wanted = [key for key in module.state_dict() if not key.startswith("deep")]
    assert sorted(tensor_names(graph)) == sorted(wanted)
    assert graph == trace_graph(build(name, width=8))
    assert len(json.dumps(graph)) < 40_000


def test_graph_is_the_same_for_every_width_but_for_the_norm():
    narrow, wide = (trace_graph(build("brats2020.EquiUnet", width=width, norm="none")) for width in (8, 48))
    assert narrow == wide


def test_two_dimensional_network_runs_by_the_same_words():
    torch.manual_seed(0)
    module = Doubled().eval()
    array = np.random.default_rng(0).normal(size=(3, 16, 24)).astype(np.float32)
    network = loaded(module, array.shape)
    for look in (array, array.swapaxes(1, 2), array):  # it steps along x only: compiled anew for turned looks
        with torch.inference_mode():
            wanted = module(torch.from_numpy(look)[None])[0].numpy()
        np.testing.assert_allclose(network.run(look[None])[0], wanted, rtol=0, atol=1e-5)


def test_every_word_has_a_builder():
    assert set(BUILDERS) == set(VOCABULARY)


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (nn.Sequential(nn.Conv3d(1, 1, 1), nn.Hardtanh()), "layer 1 (Hardtanh)"),
        (nn.Sequential(nn.Conv3d(2, 2, 3, groups=2)), "grouped"),
        (nn.Sequential(nn.Conv3d(2, 2, 3, padding_mode="reflect")), "specially padded"),
        (nn.Sequential(nn.MaxPool3d(2, ceil_mode=True)), "rounds up"),
        (nn.Sequential(nn.Upsample(scale_factor=2, mode="bicubic")), "neither linear nor nearest"),
        (nn.Sequential(nn.Upsample(size=8, mode="nearest")), "to a fixed size"),
        (nn.Sequential(nn.InstanceNorm3d(2, track_running_stats=True)), "running statistics"),
        (nn.Sequential(nn.BatchNorm3d(2, track_running_stats=False)), "without running statistics"),
        (nn.Sequential(nn.ConvTranspose3d(2, 2, 3, groups=2)), "grouped or dilated"),
        (nn.Sequential(nn.AvgPool3d(2, ceil_mode=True)), "rounds up"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_layer_without_a_word_is_refused_by_name(module, says):
    with pytest.raises(UsageError) as caught:
        trace_graph(module)
    assert caught.value.code == "network.untraceable"
    assert says in caught.value.message


class Calls(nn.Module):
    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, x):
        return self.call(x)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: x + 1, "with a number"),
        (torch.exp, "exp"),
        (lambda x: x.mean(), "over all axes"),
        (lambda x: nn.functional.pad(x, (1, 1), mode="reflect"), "other values than zeros"),
        (lambda x: nn.functional.pad(x, (-1, 1)), "that cuts"),
        (lambda x: x.reshape(x.shape[0], -1), "getattr"),
    ],
    ids=["number", "unknown", "all_axes", "pad_mode", "pad_cut", "shape"],
)
def test_call_without_a_word_is_refused_by_name(call, says):
    with pytest.raises(UsageError) as caught:
        trace_graph(Calls(call))
    assert caught.value.code == "network.untraceable"
    assert says in caught.value.message
