"""The loop over members and views against a direct computation; progress, cancel, refusals."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest
import torch

from MedSegAILib.core.errors import Cancelled, InputError, PackageError, ResourceError
from MedSegAILib.core.run import Cancel
from MedSegAILib.engine import memory, predict
from MedSegAILib.engine.backend import BACKENDS, NetworkSpec, load_backend
from MedSegAILib.engine.device import Plan
from MedSegAILib.engine.trace import trace_graph
from MedSegAILib.engine.views import VIEW_SETS, View
from MedSegAILib.networks import build
from Testing.makers.brats2020_fixture import fixture_input, state_arrays

SHAPE = (8, 16, 24)


def member(seed):
    torch.manual_seed(seed)
    return build("brats2020.EquiUnet", width=4).eval()


MEMBERS = (member(1), member(2))
SPEC = NetworkSpec("brats2020.EquiUnet", {"width": 4}, trace_graph(MEMBERS[0]))


def job(backend="openvino", views="identity", members=MEMBERS, activation="sigmoid"):
    readers = [lambda module=module: state_arrays(module) for module in members]
    chosen = VIEW_SETS[views] if isinstance(views, str) else views
    return predict.Job(readers, SPEC, Plan(backend, threads=2), chosen, activation)


def run(wanted, array=None, report=lambda done, total: None, cancel=None):
    return predict.predict(fixture_input(SHAPE) if array is None else array, wanted, report, cancel or Cancel())


def probabilities(module, tensor):
    with torch.inference_mode():
        return torch.sigmoid(module(tensor[None])[0])


@functools.cache
def published_mean():
    """Both members, the published list of sixteen, each turned back correctly."""
    tensor = torch.from_numpy(fixture_input(SHAPE))
    total = torch.zeros(3, *SHAPE)
    for module, axis, turns in itertools.product(MEMBERS, (None, 1, 2, 3), range(4)):
        axes = [] if axis is None else [axis]
        look = torch.rot90(torch.flip(tensor, axes), turns, (2, 3))
        back = torch.flip(torch.rot90(probabilities(module, look), -turns, (2, 3)), axes)
        total += back / 32
    return total.numpy()


class Counting:
    """A real backend that counts how often it makes a network ready, and how many are open."""

    def __init__(self, name):
        self.real = load_backend(name)
        self.shapes, self.open = [], 0

    def load(self, network, weights, shape_czyx, device, threads):
        loaded = self.real.load(network, weights, shape_czyx, device, threads)
        self.shapes.append(shape_czyx)
        self.open += 1
        assert self.open == 1  # one set of weights, one shape at a time
        close = loaded.close

        def closing():
            self.open -= 1
            close()

        loaded.close = closing
        return loaded


@pytest.fixture
def counting(monkeypatch):
    backend = Counting("openvino")
    monkeypatch.setattr(predict, "load_backend", lambda name: backend)
    return backend


@pytest.mark.parametrize("backend", BACKENDS)
def test_twelve_views_of_two_members_equal_the_published_mean_of_sixteen(backend):
    array = fixture_input(SHAPE)
    before = array.copy()
    found = run(job(backend, "brats2020"), array)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, published_mean(), rtol=0, atol=2e-5)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_twelve_weighted_views_give_the_probabilities_of_the_sixteen_listed(backend):
    """One engine for both lists, so that only the lists differ: 1e-5."""
    sixteen = tuple(
        View(f"{flips}{turns}", flips, turns) for flips, turns in itertools.product(("", "z", "y", "x"), range(4))
    )
    listed = run(job(backend, sixteen, MEMBERS[:1]))
    assert listed.std() > 1e-2  # otherwise agreement would say nothing
    np.testing.assert_allclose(run(job(backend, "brats2020", MEMBERS[:1])), listed, rtol=0, atol=1e-5)


def test_one_view_of_one_member_is_the_plain_network():
    array = fixture_input(SHAPE)
    wanted = probabilities(MEMBERS[0], torch.from_numpy(array)).numpy()
    np.testing.assert_allclose(run(job(members=MEMBERS[:1])), wanted, rtol=0, atol=2e-5)


def test_weights_of_views_are_relative():
    heavy = (View("identity", weight=6.0), View("flip_z", "z", weight=2.0))
    single = [run(job(views=(View("v", view.flips),), members=MEMBERS[:1])) for view in heavy]
    found = run(job(views=heavy, members=MEMBERS[:1]))
    np.testing.assert_allclose(found, 0.75 * single[0] + 0.25 * single[1], rtol=0, atol=1e-6)


def test_softmax_sums_to_one():
    found = run(job(views="flip_x", activation="softmax"))
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=0, atol=1e-6)


def test_progress_counts_every_forward():
    steps = []
    run(job(views="flip_x"), report=lambda done, total: steps.append((done, total)))
    assert steps == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_network_is_made_ready_once_for_each_shape_of_each_member(counting):
    run(job(views="brats2020"))
    assert counting.shapes == [(4, 8, 16, 24), (4, 8, 24, 16)] * 2
    assert counting.open == 0


def test_cancel_stops_before_the_next_forward_and_gives_memory_back(counting):
    cancel, steps = Cancel(), []

    def report(done, total):
        steps.append(done)
        if done == 2:
            cancel.set()

    with pytest.raises(Cancelled) as caught:
        run(job(views="flips"), report=report, cancel=cancel)
    assert caught.value.code == "run.cancelled"
    assert steps == [0, 1, 2]
    assert counting.open == 0


def test_cancel_before_the_start_reads_no_weights():
    def refuse():
        raise AssertionError("weights were read")

    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        run(predict.Job([refuse], SPEC, Plan("openvino"), VIEW_SETS["identity"]), cancel=cancel)


def test_too_little_memory_is_refused_before_the_first_forward(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10 << 20)
    steps = []
    with pytest.raises(ResourceError) as caught:
        run(job(), report=lambda done, total: steps.append(done))
    assert caught.value.code == "memory.not_enough"
    assert steps == [0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_input_that_is_no_number_is_refused(value):
    array = fixture_input(SHAPE)
    array[0, 3, 3, 3] = value
    with pytest.raises(InputError) as caught:
        run(job(), array)
    assert caught.value.code == "input.not_finite"


def test_weight_that_is_no_number_is_refused_by_name():
    weights = {**state_arrays(MEMBERS[0]), "outconv.bias": np.full(3, np.nan, np.float32)}
    wanted = predict.Job([lambda: weights], SPEC, Plan("openvino"), VIEW_SETS["identity"])
    with pytest.raises(PackageError) as caught:
        run(wanted)
    assert caught.value.code == "package.weights"
    assert "outconv.bias" in caught.value.message


def test_overflow_in_the_network_is_refused():
    weights = state_arrays(MEMBERS[0])
    weights["decoder1.ConvBnRelu2.conv.weight"][:] = 3e38
    wanted = predict.Job([lambda: weights], SPEC, Plan("torch"), VIEW_SETS["identity"])
    with pytest.raises(ResourceError) as caught:
        run(wanted)
    assert caught.value.code == "engine.not_finite"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"members": ()}, "package.members"),
        ({"views": ()}, "package.views"),
        ({"activation": "cube"}, "package.activation"),
    ],
)
def test_empty_or_unknown_parts_of_a_job_are_refused(changes, code):
    with pytest.raises(PackageError) as caught:
        job(**changes)
    assert caught.value.code == code
