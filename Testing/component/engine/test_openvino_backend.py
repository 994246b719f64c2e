"""What only the OpenVINO backend promises: no torch, threads as asked, float32, statistics that hold."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

from MedSegAILib.core.errors import PackageError, ResourceError
from MedSegAILib.engine.backend import Device, NetworkSpec, load_backend
from MedSegAILib.engine.openvino_backend import OpenVinoBackend
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.engine.turning import treats_yx_alike
from MedSegAILib.networks import build
from Testing.makers.brats2020_fixture import fixture_input, fixture_weights, state_arrays, state_shapes

CHILD = """
import json, sys
import numpy as np
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.device import choose
from MedSegAILib.engine.predict import Job, predict
from MedSegAILib.engine.views import VIEW_SETS
from Testing.makers.brats2020_fixture import fixture_input, fixture_weights

with open(sys.argv[1]) as file:
    stored = json.load(file)
spec = NetworkSpec("brats2020.AttEquiUnet", {"width": 8}, stored["graph"])
weights = fixture_weights(stored["shapes"])
plan = choose(RunOptions(device="cpu", threads=1))
job = Job([lambda: weights], spec, plan, VIEW_SETS["flip_x"])
mean = predict(fixture_input((16, 24, 32)), job, lambda done, total: None, Cancel()).probabilities
print(json.dumps({"mean": float(mean.mean()), "heavy": sorted({"torch", "monai", "SimpleITK"} & set(sys.modules))}))
"""


def graph_of(op, **attributes):
    return {
        "format": 1,
        "input": "x",
        "output": "y",
        "nodes": [{"name": "y", "op": op, "inputs": ["x"], "weight": "w", "bias": "b", "eps": 1e-5, **attributes}],
    }


def run_norm(array, channels):
    weights = {"w": np.full(channels, 2.0, np.float32), "b": np.full(channels, 0.5, np.float32)}
    backend = load_backend("openvino")
    found = []
    for graph in (graph_of("group_norm", groups=channels // 2), graph_of("instance_norm")):
        loaded = backend.load(NetworkSpec("n", {}, graph), weights, array.shape, Device(), 1)
        found.append(loaded.run(array))
    return found


def normalized(array, groups):
    values = array.astype(np.float64).reshape(groups, -1)
    centered = (values - values.mean(axis=1, keepdims=True)) / np.sqrt(values.var(axis=1, keepdims=True) + 1e-5)
    return (2 * centered + 0.5).reshape(array.shape)


@pytest.mark.parametrize("weights", ["fixture", "kaiming"])
@pytest.mark.parametrize("name", ["EquiUnet", "AttEquiUnet", "Unet"])
def test_probabilities_agree_with_torch_on_an_odd_box(name, weights):
    torch.manual_seed(2)
    module = build(f"brats2020.{name}", width=8).eval()
    if weights == "fixture":
        tensors = fixture_weights(state_shapes(module))
        module.load_state_dict({key: torch.from_numpy(value) for key, value in tensors.items()})
    array = fixture_input((72, 88, 72))
    with torch.inference_mode():
        wanted = torch.sigmoid(module(torch.from_numpy(array)[None]))[0].numpy()
    spec = NetworkSpec(f"brats2020.{name}", {"width": 8}, trace_graph(module))
    loaded = load_backend("openvino").load(spec, state_arrays(module), array.shape, Device(), 2)
    found = 0.5 * (1 + np.tanh(loaded.run(array).astype(np.float64) / 2))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)
    assert np.mean((found > 0.5) != (wanted > 0.5)) < 1e-4


def test_predicting_loads_no_torch(tmp_path):
    module = build("brats2020.AttEquiUnet", width=8)
    stored = tmp_path / "network.json"
    stored.write_text(json.dumps({"graph": trace_graph(module), "shapes": state_shapes(module)}))
    done = subprocess.run([sys.executable, "-c", CHILD, str(stored)], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["heavy"] == []
    assert 0.1 < answer["mean"] < 0.9


@pytest.mark.parametrize("shape", [(4, 24, 40, 56), (4, 7, 11, 13), (4, 9, 10, 22), (4, 64, 64, 64)])
def test_norms_hold_for_sizes_that_blocks_do_not_divide(shape):
    array = np.random.default_rng(0).gamma(1.0, 3.0, shape).astype(np.float32)
    group, instance = run_norm(array, 4)
    # A float32 near 24, the largest here, has steps of 2e-6; how many of them a sum is off depends on the processor.
    np.testing.assert_allclose(group, normalized(array, 2), rtol=2e-6, atol=2e-5)
    np.testing.assert_allclose(instance, normalized(array, 4), rtol=2e-6, atol=2e-5)


def test_norms_hold_for_a_mean_ten_times_the_deviation():
    # One-pass variance loses digits as (mean / deviation)^2.
    array = np.random.default_rng(0).normal(-10.0, 1.0, (4, 32, 32, 32)).astype(np.float32)
    group, instance = run_norm(array, 4)
    np.testing.assert_allclose(group, normalized(array, 2), rtol=0, atol=2e-4)
    np.testing.assert_allclose(instance, normalized(array, 4), rtol=0, atol=2e-4)


def test_constant_channel_becomes_its_bias():
    for value in (0.0, 1000.1):
        for found in run_norm(np.full((4, 16, 16, 24), value, np.float32), 4):
            assert np.isfinite(found).all()
            if value == 0:
                np.testing.assert_array_equal(found, np.float32(0.5))


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_and_float32_reach_the_compiled_network(threads):
    module = build("brats2020.EquiUnet", width=8)
    spec = NetworkSpec("brats2020.EquiUnet", {"width": 8}, trace_graph(module))
    weights = fixture_weights(state_shapes(module))
    loaded = load_backend("openvino").load(spec, weights, (4, 16, 16, 16), Device(), threads)
    assert loaded._model.compiled.get_property("INFERENCE_NUM_THREADS") == threads
    assert loaded._model.compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("name", ["EquiUnet", "AttEquiUnet"])
def test_either_width_of_vectors_gives_the_network_also_for_turned_looks_and_other_weights(lanes, name):
    """Vectors of 16 values bring pairs of voxels, vectors of 8 do not; this machine runs both."""
    spec, members = members_of(name)
    array = fixture_input((16, 40, 64))
    turned = np.rot90(array, 1, axes=(2, 3))
    loaded = OpenVinoBackend(lanes).load(spec, members[0][1], array.shape, Device(), 2)
    paired = [node for node in loaded._model.compiled.get_runtime_model().get_ops() if "Split" in node.friendly_name]
    assert name != "EquiUnet" or bool(paired) == (lanes == 16)
    for module, weights in (*members, members[0]):
        loaded.refill(weights)
        for look in (turned, array, turned):
            with torch.inference_mode():
                wanted = module(torch.from_numpy(np.ascontiguousarray(look))[None])[0].numpy()
            assert wanted.std() > 0.1  # otherwise agreement would say nothing
            np.testing.assert_allclose(loaded.run(look), wanted, rtol=0, atol=2e-4)


def members_of(name):
    members = []
    for seed in (3, 4):
        torch.manual_seed(seed)
        module = build(f"brats2020.{name}", width=8).eval()
        members.append((module, state_arrays(module)))
    return NetworkSpec(f"brats2020.{name}", {"width": 8}, trace_graph(members[0][0])), members


def test_network_that_treats_y_and_x_unlike_takes_turned_looks_too():
    graph = graph_of("conv", stride=[1, 2, 1], padding=[1, 1, 1], dilation=[1, 1, 1])
    assert not treats_yx_alike(graph, 3)
    rng = np.random.default_rng(5)
    weights = {"w": rng.normal(size=(3, 2, 3, 3, 3)).astype(np.float32), "b": np.ones(3, np.float32)}
    array = rng.normal(size=(2, 8, 16, 12)).astype(np.float32)
    loaded = load_backend("openvino").load(NetworkSpec("n", {}, graph), weights, array.shape, Device(), 1)
    for look in (array, array.swapaxes(2, 3)):
        tensors = [torch.from_numpy(np.ascontiguousarray(value)) for value in (look, weights["w"], weights["b"])]
        wanted = functional.conv3d(*tensors, stride=(1, 2, 1), padding=1).numpy()
        np.testing.assert_allclose(loaded.run(look), wanted, rtol=0, atol=1e-5)


def test_refilling_names_a_tensor_that_is_missing_or_misshapen():
    spec, members = members_of("EquiUnet")
    weights = members[0][1]
    loaded = load_backend("openvino").load(spec, weights, (4, 16, 16, 16), Device(), 1)
    for damaged in ({}, {**weights, "outconv.bias": np.zeros(4, np.float32)}):
        with pytest.raises(PackageError) as caught:
            loaded.refill(damaged)
        assert caught.value.code == "package.weights"


def test_batch_norm_whose_tensors_differ_in_length_is_refused_by_name():
    graph = graph_of("batch_norm", mean="m", variance="v")
    weights = {name: np.ones(count, np.float32) for name, count in (("w", 4), ("b", 4), ("m", 4), ("v", 3))}
    with pytest.raises(PackageError) as caught:
        load_backend("openvino").load(NetworkSpec("n", {}, graph), weights, (4, 8, 8, 8), Device(), 1)
    assert caught.value.code == "package.weights"
    assert "variance [3]" in caught.value.message


def test_package_without_a_graph_is_refused():
    with pytest.raises(PackageError) as caught:
        load_backend("openvino").load(NetworkSpec("brats2020.EquiUnet"), {}, (4, 16, 16, 16), Device(), 1)
    assert caught.value.code == "package.graph"


def test_gpu_is_refused():
    with pytest.raises(ResourceError) as caught:
        load_backend("openvino").load(NetworkSpec("n"), {}, (4, 16, 16, 16), Device("cuda:0"), 1)
    assert caught.value.code == "device.precision"


def test_image_of_another_number_of_channels_is_refused_by_name():
    module = build("brats2020.EquiUnet", width=8)
    spec = NetworkSpec("brats2020.EquiUnet", {"width": 8}, trace_graph(module))
    weights = fixture_weights(state_shapes(module))
    with pytest.raises(PackageError) as caught:
        load_backend("openvino").load(spec, weights, (3, 16, 16, 16), Device(), 1)
    assert caught.value.code == "package.weights"
    assert "encoder1" in caught.value.message
