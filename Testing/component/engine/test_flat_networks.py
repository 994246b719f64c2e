"""Networks of two dimensions through both backends."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from MedSegAILib.engine.backend import Device, NetworkSpec, load_backend
from MedSegAILib.engine.torch_backend import TorchNetwork
from MedSegAILib.engine.trace import trace_graph


def flat_network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 2, 1)).eval()


def test_both_backends_give_the_same_logits_for_a_stack_of_slices():
    module = flat_network()
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    slices = np.random.default_rng(0).normal(size=(5, 3, 16, 24)).astype(np.float32)
    ours = TorchNetwork(module, Device(), is_flat=True).run(slices)
    spec = NetworkSpec("flat", {}, trace_graph(module))
    theirs = load_backend("openvino").load(spec, weights, (3, 16, 24), Device(), 1).run(slices)
    assert ours.shape == theirs.shape == (5, 2, 8, 12)
    assert np.abs(ours - theirs).max() < 1e-5


def test_torch_loads_a_flat_network_by_its_name(monkeypatch):
    """A stand-in for the 2D families: what is tested is the backend's side of it."""
    from MedSegAILib.engine import torch_backend

    module = flat_network()
    monkeypatch.setattr(torch_backend, "build", lambda name, **arguments: flat_network())
    weights = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    loaded = load_backend("torch").load(NetworkSpec("flat"), weights, (3, 16, 16), Device(), 0)
    slices = np.ones((2, 3, 16, 16), np.float32)
    assert loaded.run(slices).shape == (2, 2, 8, 8)
