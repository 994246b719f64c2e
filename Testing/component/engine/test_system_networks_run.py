"""The networks of the four other systems run through both backends as torch computes them in float64."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from torch import nn

from MedSegAILib.engine.backend import BACKENDS, Device, NetworkSpec, load_backend
from MedSegAILib.engine.graph import tensor_names
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.networks import build

FLAT, SOLID = (1, 32, 48), (1, 16, 32, 16)
CASES = [
    ("pancreas.Unet2d", {"width": 2}, FLAT),
    ("pancreas.Unet2d", {"width": 8, "gate": "se", "deep_heads": True}, FLAT),
    ("pancreas.Unet2d", {"width": 2, "gate": "spatial"}, FLAT),
    ("pancreas.EncoderUnet", {"width": 16, "encoder": "resnet34"}, (1, 64, 128)),
    ("pancreas.EncoderUnet", {"width": 16, "encoder": "densenet121"}, (1, 64, 64)),
    ("pancreas.EncoderUnet", {"width": 8, "encoder": "resnet34", "axes": 3}, (1, 64, 64, 64)),
    ("pancreas.Unet3d", {"width": 2}, (1, 32, 32, 48)),
    ("pancreas.Unet3d", {"width": 2, "gate": "se", "shared_residual": True}, (1, 32, 32, 48)),
    ("pancreas.Unet3d", {"width": 2, "gate": "spatial_published"}, (1, 32, 32, 48)),
    ("pancreas.Fpn3d", {"width": 2}, (1, 32, 32, 48)),
    ("tissue.Unet", {"width": 2}, FLAT),
    ("tissue.Unet", {"width": 2, "axes": 3, "norm": "instance"}, (1, 32, 32, 48)),
    ("tissue.ResUnet", {"width": 2}, FLAT),
    ("tissue.ResUnet", {"width": 2, "residual": "sum"}, FLAT),
    ("tissue.DenseUnet", {"width": 2, "norm": "none"}, FLAT),
    ("prostate.Unet3d", {"width": 2}, SOLID),
    ("prostate.Tiramisu", {"layers": [2, 3, 2, 2, 2], "growth": 3}, SOLID),
    ("multiscale.MultiScale", {"width": 2}, SOLID),
    ("multiscale.MultiScale", {"width": 2, "skips": "sum", "norm": "batch"}, SOLID),
    ("multiscale.MultiScale", {"width": 2, "skips": "none", "combined": False}, SOLID),
]
PROBABILITY_TOLERANCE = 1e-4


def as_trained(name, arguments):
    """Fresh weights, then numbers as training leaves them: norms that scale and shift, statistics of images."""
    torch.manual_seed(7)
    module = build(name, **arguments).eval()
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Conv3d)):
            nn.init.kaiming_normal_(layer.weight)  # some start so small that agreement would say nothing
        elif isinstance(layer, (nn.BatchNorm2d, nn.BatchNorm3d)):
            nn.init.uniform_(layer.running_mean, -0.3, 0.3)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
        if isinstance(layer, (nn.BatchNorm2d, nn.BatchNorm3d, nn.InstanceNorm2d, nn.InstanceNorm3d)) and layer.affine:
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.3, 0.3)
    return module


def run(network, array):
    """Networks of two dimensions take slices."""
    return network.run(array[None])[0] if array.ndim == 3 else network.run(array)


@pytest.mark.parametrize(("name", "arguments", "shape"), CASES, ids=lambda value: str(value))
def test_both_backends_agree_with_float64_torch_also_for_other_weights_and_turned_looks(name, arguments, shape):
    module = as_trained(name, arguments)
    graph = json.loads(json.dumps(trace_graph(module)))
    # Half a package's truth: only what the graph names is stored, counters of batches and deep heads are not.
    state = {key: tensor.numpy() for key, tensor in module.state_dict().items()}
    weights = {key: state[key] for key in tensor_names(graph)}
    array = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    with torch.inference_mode():
        wanted = copy.deepcopy(module).double()(torch.from_numpy(array)[None].double())
    wanted = (wanted[0] if isinstance(wanted, tuple) else wanted)[0].numpy()
    mean, spread = float(wanted.mean()), float(wanted.std())
    assert np.unique(wanted.round(4)).size > 300  # otherwise agreement would say nothing

    def probability(logits):
        return 1.0 / (1.0 + np.exp(-(logits.astype(np.float64) - mean) / spread))  # of logits made to vary around 0

    others = {key: value[::-1].copy() for key, value in weights.items()}  # another member; variances stay positive
    turned = {}
    for backend in BACKENDS:
        network = load_backend(backend).load(NetworkSpec(name, arguments, graph), others, shape, Device(), 1)
        network.refill(weights)
        found = run(network, array)
        turned[backend] = run(network, array.swapaxes(-2, -1))
        network.close()
        np.testing.assert_allclose(
            probability(found), probability(wanted), rtol=0, atol=PROBABILITY_TOLERANCE, err_msg=backend
        )
    assert np.abs(turned["torch"].swapaxes(-2, -1) - wanted).max() > 1e-3 * spread  # a look of its own
    found, wanted = (probability(turned[backend]) for backend in ("openvino", "torch"))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=PROBABILITY_TOLERANCE)
