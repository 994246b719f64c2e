"""The suite that every backend passes; a new one is a line in BACKENDS."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from MedSegAILib.core.errors import PackageError, ResourceError, SetupError, UsageError
from MedSegAILib.engine.backend import BACKENDS, Device, NetworkSpec, load_backend
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.networks import build
from Testing.makers.brats2020_fixture import fixture_input, state_arrays

CPU = Device()
NAMES = ("EquiUnet", "AttEquiUnet", "Unet")
PROBABILITY_TOLERANCE = 1e-4


@functools.cache
def network(name, norm, width=8):
    torch.manual_seed(1)
    module = build(f"brats2020.{name}", width=width, norm=norm, deep_heads=True).eval()
    graph = json.loads(json.dumps(trace_graph(module)))
    arguments = {"width": width, "norm": norm, "deep_heads": True}
    return module, NetworkSpec(f"brats2020.{name}", arguments, graph), state_arrays(module)


def sigmoid(logits):
    return 0.5 * (1 + np.tanh(logits.astype(np.float64) / 2))


def run(backend, spec, weights, array):
    loaded = load_backend(backend).load(spec, weights, array.shape, CPU, 2)
    logits = loaded.run(array)
    loaded.close()
    return logits


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


@pytest.mark.parametrize(("name", "norm"), [*itertools.product(NAMES, ("group", "instance")), ("EquiUnet", "group4")])
def test_probabilities_agree_with_float64_torch(backend, name, norm):
    module, spec, weights = network(name, norm)
    for shape in ((24, 40, 32), (8, 16, 56)):
        array = fixture_input(shape)
        with torch.inference_mode():
            wanted = copy.deepcopy(module).double()(torch.from_numpy(array)[None].double())[0][0].numpy()
        found = run(backend, spec, weights, array)
        assert found.shape == (3, *shape)
        assert found.dtype == np.float32
        assert wanted.std() > 0.1  # otherwise agreement would say nothing
        np.testing.assert_allclose(sigmoid(found), sigmoid(wanted), rtol=0, atol=PROBABILITY_TOLERANCE)


def test_no_norm_agrees(backend):
    module, spec, weights = network("EquiUnet", "none")
    array = fixture_input((16, 24, 16))
    with torch.inference_mode():
        wanted = module(torch.from_numpy(array)[None])[0][0].numpy()
    np.testing.assert_allclose(run(backend, spec, weights, array), wanted, rtol=1e-4, atol=1e-4)


def test_result_is_the_callers_own_and_repeats(backend):
    _, spec, weights = network("EquiUnet", "group")
    array = fixture_input((16, 16, 24))
    before = array.copy()
    loaded = load_backend(backend).load(spec, weights, array.shape, CPU, 2)
    first = loaded.run(array)
    kept = first.copy()
    first[:] = -1
    second = loaded.run(array)
    loaded.run(np.zeros_like(array))
    np.testing.assert_array_equal(second, kept)
    np.testing.assert_array_equal(array, before)


def test_array_that_is_no_contiguous_float32_is_taken(backend):
    _, spec, weights = network("EquiUnet", "group")
    array = fixture_input((16, 24, 16))
    turned = np.asfortranarray(array.astype(np.float64))
    np.testing.assert_array_equal(run(backend, spec, weights, turned), run(backend, spec, weights, array))


def test_turned_looks_and_other_weights_are_taken_by_a_loaded_network(backend):
    _, spec, weights = network("EquiUnet", "group")
    others = {name: value[::-1].copy() for name, value in weights.items()}
    array = fixture_input((16, 24, 16))
    turned = array.swapaxes(2, 3)
    loaded = load_backend(backend).load(spec, weights, array.shape, CPU, 2)
    for tensors in (weights, others):
        loaded.refill(tensors)
        for look in (array, turned):
            np.testing.assert_allclose(loaded.run(look), run(backend, spec, tensors, look), rtol=0, atol=1e-4)


def test_missing_tensor_is_named(backend):
    _, spec, weights = network("EquiUnet", "group")
    damaged = {name: value for name, value in weights.items() if name != "decoder2.ConvBnRelu1.conv.weight"}
    with pytest.raises(PackageError) as caught:
        load_backend(backend).load(spec, damaged, (4, 16, 16, 16), CPU, 1)
    assert caught.value.code == "package.weights"
    assert "decoder2.ConvBnRelu1.conv.weight" in caught.value.message


def test_misshapen_tensor_is_refused(backend):
    _, spec, weights = network("EquiUnet", "group")
    damaged = {**weights, "bottom_2.conv.weight": weights["bottom_2.conv.weight"][:, :-1]}
    with pytest.raises(PackageError) as caught:
        load_backend(backend).load(spec, damaged, (4, 16, 16, 16), CPU, 1)
    assert caught.value.code == "package.weights"
    assert "bottom_2" in caught.value.message


@pytest.mark.parametrize("shape", [(3, 16, 16, 16), (4, 20, 16, 16)], ids=["channels", "no_multiple_of_8"])
@pytest.mark.parametrize("name", NAMES)
def test_shape_that_does_not_suit_the_network_is_refused(backend, name, shape):
    _, spec, weights = network(name, "group")
    with pytest.raises(PackageError) as caught:
        load_backend(backend).load(spec, weights, shape, CPU, 1)
    assert caught.value.code == "package.weights"


@pytest.mark.parametrize("precision", ["bf16", "fp16", "int3"])
def test_half_precision_on_the_cpu_is_refused(backend, precision):
    _, spec, weights = network("EquiUnet", "group")
    with pytest.raises(ResourceError) as caught:
        load_backend(backend).load(spec, weights, (4, 16, 16, 16), Device("cpu", precision), 1)
    assert caught.value.code == "device.precision"


def test_probe_passes_on_the_cpu(backend):
    loaded = load_backend(backend)
    assert loaded.name == backend
    cpu = loaded.devices()[-1]
    assert cpu.device == CPU
    assert cpu.title
    loaded.probe(CPU)


def test_missing_library_is_a_setup_error(backend):
    code = (
        "import sys\n"
        f"sys.modules[{backend!r}] = None\n"
        "from MedSegAILib.core.errors import SetupError\n"
        "from MedSegAILib.engine.backend import load_backend\n"
        "try:\n"
        f"    load_backend({backend!r})\n"
        "except SetupError as error:\n"
        "    print(error.code, '|', error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"setup.{backend}_missing | Install {backend}, or choose another backend."


def test_unknown_backend_names_the_known_ones():
    with pytest.raises(UsageError) as caught:
        load_backend("abacus")
    assert "openvino" in caught.value.hint


def test_setup_error_is_what_a_broken_shared_library_gives(monkeypatch):
    monkeypatch.setitem(BACKENDS, "openvino", "no_such_file:Nothing")
    with pytest.raises(SetupError) as caught:
        load_backend("openvino")
    assert caught.value.code == "setup.openvino_missing"


@pytest.mark.gpu
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("fp16", 1e-2), ("bf16", 3e-2)])
def test_gpu_agrees_with_float32_on_the_cpu(precision, tolerance):
    _, spec, weights = network("EquiUnet", "group")
    array = fixture_input((24, 40, 32))
    loaded = load_backend("torch").load(spec, weights, array.shape, Device("cuda:0", precision), 1)
    wanted = run("torch", spec, weights, array)
    np.testing.assert_allclose(sigmoid(loaded.run(array)), sigmoid(wanted), rtol=0, atol=tolerance)
    load_backend("torch").probe(Device("cuda:0", precision))
