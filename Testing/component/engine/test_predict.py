"""The loop over members and views against a direct computation; progress, cancel, refusals."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace

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
from MedSegAILib.engine.windows import Windows
from MedSegAILib.networks import build
from Testing.makers.brats2020_fixture import fixture_input, state_arrays

SHAPE = (8, 16, 24)
LEVELS = (0.4, 0.6, 0.5)  # above which a look votes, by region


def member(seed):
    torch.manual_seed(seed)
    return build("brats2020.EquiUnet", width=4).eval()


MEMBERS = (member(1), member(2))
SPEC = NetworkSpec("brats2020.EquiUnet", {"width": 4}, trace_graph(MEMBERS[0]))


def job(backend="openvino", views="identity", members=MEMBERS, activation="sigmoid", **more):
    readers = [lambda module=module: state_arrays(module) for module in members]
    chosen = VIEW_SETS[views] if isinstance(views, str) else views
    return predict.Job(readers, SPEC, Plan(backend, threads=2), chosen, activation, **more)


def predicted(wanted, array=None, report=lambda done, total: None, cancel=None):
    return predict.predict(fixture_input(SHAPE) if array is None else array, wanted, report, cancel or Cancel())


def run(*arguments, **more):
    return predicted(*arguments, **more).probabilities


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


def test_network_is_made_ready_once_for_all_members_and_turned_looks(counting):
    run(job(views="brats2020"))
    assert counting.shapes == [(4, 8, 16, 24)]
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
    assert steps == []


def test_votes_leave_the_mean_as_it_is_to_the_bit_and_are_shares_of_the_passes():
    plain = predicted(job(views="brats2020"))
    found = predicted(job(views="brats2020", vote_above=LEVELS))
    np.testing.assert_array_equal(found.probabilities, plain.probabilities)
    assert plain.votes is None
    tensor = torch.from_numpy(fixture_input(SHAPE))
    wanted = np.zeros((3, *SHAPE))
    for module, view in itertools.product(MEMBERS, VIEW_SETS["brats2020"]):
        seen = probabilities(module, torch.from_numpy(np.ascontiguousarray(view.apply(tensor.numpy())))).numpy()
        wanted += view.weight / 32 * (view.invert(seen) > np.reshape(LEVELS, (3, 1, 1, 1)))
    # A voxel whose probability is its level to rounding may fall on either side in two engines.
    assert np.mean(np.abs(found.votes - wanted) > 1e-5) < 1e-3
    assert 0 < found.votes.mean() < 1
    assert np.mean((found.votes > 1e-6) & (found.votes < 1 - 1e-6)) > 0.01, "the members should differ somewhere"


WINDOWED = (32, 48, 40)


@functools.cache
def in_windows(weights):
    """Both members in two views, cut by hand with torch: the mean of what each window says, by its weight."""
    windows = Windows((16, 32, 24), 0.5, weights)
    array = fixture_input(WINDOWED)
    total = np.zeros((3, *WINDOWED))
    for module, flipped in itertools.product(MEMBERS, (False, True)):
        look = array[..., ::-1] if flipped else array
        one = np.zeros_like(total)
        for box, shares in windows.lay(WINDOWED):
            piece = torch.from_numpy(np.ascontiguousarray(look[(slice(None), *box)]))
            one[(slice(None), *box)] += probabilities(module, piece).numpy() * shares
        total += (one[..., ::-1] if flipped else one) / 4
    return windows, total


@pytest.mark.parametrize("weights", ["gaussian", "flat"])
def test_windows_of_a_package_equal_a_sum_by_hand(weights):
    windows, wanted = in_windows(weights)
    steps = []
    found = predicted(
        job(views="flip_x", windows=windows),
        fixture_input(WINDOWED),
        lambda done, total: steps.append((done, total)),
    )
    np.testing.assert_allclose(found.probabilities, wanted, rtol=0, atol=2e-5)
    assert found.fallbacks == ()
    assert found.forward_count == 4 * windows.count(WINDOWED) == 4 * 18
    assert steps == [(done, 72) for done in range(73)]


def test_windows_of_turned_views_are_turned_along():
    # By torch, which runs a turned look as it lies: OpenVINO turns the kernels, and adds in another order then.
    of_one = functools.partial(job, "torch", members=MEMBERS[:1])
    windows = Windows((8, 16, 8), 0.0, "flat")
    array = fixture_input(SHAPE)
    by_turns = [replace(view, weight=1.0) for view in VIEW_SETS["brats2020"][:2]]
    both = run(of_one(tuple(by_turns), windows=windows), array)
    single = [run(of_one((view,), windows=windows), array) for view in by_turns]
    np.testing.assert_allclose(both, (single[0] + single[1]) / 2, rtol=0, atol=1e-6)
    turned = np.rot90(array, 1, axes=(2, 3))
    back = run(of_one(windows=windows.turned(swaps_yx=True)), np.ascontiguousarray(turned))
    np.testing.assert_allclose(single[1], np.rot90(back, -1, axes=(2, 3)), rtol=0, atol=1e-6)


def test_windows_as_large_as_the_box_are_the_box():
    whole = run(job())
    np.testing.assert_allclose(run(job(windows=Windows((64, 64, 64)))), whole, rtol=0, atol=1e-6)


def test_too_small_a_budget_steps_down_to_windows_and_says_so():
    array = fixture_input((64, 64, 96))
    whole = predicted(job(members=MEMBERS[:1]), array)
    needed = whole.memory.needed_bytes
    found = predicted(job(members=MEMBERS[:1], memory_bytes=needed - (8 << 20)), array)
    assert found.memory.windows is not None
    assert found.memory.needed_bytes <= needed - (8 << 20)
    assert len(found.fallbacks) == 1
    assert "windows of" in found.fallbacks[0]
    assert "instead of the whole box of 64 x 64 x 96" in found.fallbacks[0]
    assert found.forward_count > whole.forward_count
    # Norms see a window only, so the two differ; random weights, so this is a bound and not a promise.
    assert np.abs(found.probabilities - whole.probabilities).mean() < 0.05


class SmallGpu:
    """The real torch backend on the CPU under the name of a GPU that takes no more than so many voxels."""

    def __init__(self, most_voxels):
        self.real, self.most_voxels, self.shapes = load_backend("torch"), most_voxels, []

    def load(self, network, weights, shape_czyx, device, threads):
        loaded = self.real.load(network, weights, shape_czyx, replace(device, name="cpu"), threads)
        self.shapes.append(shape_czyx)
        run_on_cpu = loaded.forward

        def run_or_refuse(look):
            if look[0].numel() > self.most_voxels:
                raise ResourceError("gpu.memory", "The GPU has too little memory.", "Choose the device cpu.")
            return run_on_cpu(look)

        loaded.forward = run_or_refuse
        return loaded


def on_gpu(monkeypatch, most_voxels):
    gpu = SmallGpu(most_voxels)
    monkeypatch.setattr(predict, "load_backend", lambda name: gpu if name == "torch" else load_backend(name))
    wanted = job("torch", members=MEMBERS[:1])
    return predicted(replace(wanted, plan=Plan("torch", "cuda:0", "fp32", 2)), fixture_input((32, 64, 64))), gpu


def test_gpu_that_runs_out_of_memory_steps_down_to_windows(monkeypatch):
    found, gpu = on_gpu(monkeypatch, 32 * 32 * 64)
    assert [shape[1:] for shape in gpu.shapes] == [(32, 64, 64), (32, 32, 64)]
    assert found.plan.device == "cuda:0"
    assert found.fallbacks == ("Computed in windows of 32 x 32 x 64 voxels: cuda:0 had too little memory for more.",)


def test_gpu_that_is_too_small_for_any_window_steps_down_to_the_cpu(monkeypatch):
    found, _ = on_gpu(monkeypatch, 10)
    assert (found.plan.device, found.plan.backend) == ("cpu", "openvino")
    assert found.fallbacks[-2].startswith("Kept the sums on the CPU")
    assert found.fallbacks[-1].startswith("Ran on the CPU instead of cuda:0")
    whole = run(job(members=MEMBERS[:1]), fixture_input((32, 64, 64)))
    np.testing.assert_array_equal(found.probabilities, whole)


@pytest.mark.parametrize("windows", [None, Windows((8, 16, 8), 0.5)], ids=["whole", "windows"])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_sums_of_a_gpu_are_those_of_numpy(monkeypatch, windows, activation):
    gpu = SmallGpu(10**6)
    monkeypatch.setattr(predict, "load_backend", lambda name: gpu)
    turned = replace(VIEW_SETS["brats2020"][-1], flips="zy", quarter_turns=3)
    more = {"windows": windows, "vote_above": LEVELS, "activation": activation, "members": MEMBERS[:1]}
    wanted = job("torch", (*VIEW_SETS["brats2020"][1:3], turned), **more)
    by_numpy = predicted(wanted)
    by_torch = predicted(replace(wanted, plan=Plan("torch", "cuda:0", "fp32", 2)))
    np.testing.assert_allclose(by_torch.probabilities, by_numpy.probabilities, rtol=0, atol=1e-6)
    # A voxel at its level to rounding may fall on either side.
    assert np.mean(np.abs(by_torch.votes - by_numpy.votes) > 1e-5) < 1e-3
    assert by_torch.plan.device == "cuda:0"


def test_sums_of_windows_that_are_normalized_by_themselves_stay_in_the_memory_of_the_machine(monkeypatch):
    wanted = job("torch", members=MEMBERS[:1], windows=Windows((16, 32, 32), each="zscore"))
    on_device = replace(wanted, plan=Plan("torch", "cuda:0", "fp32", 2))
    assert replace(on_device, windows=None).has_sums_on_gpu
    assert not on_device.has_sums_on_gpu
    array = fixture_input((16, 32, 48))
    by_cpu = predicted(wanted, array)
    for most_voxels in (10**6, 10):
        gpu = SmallGpu(most_voxels)
        monkeypatch.setattr(
            predict, "load_backend", lambda name, gpu=gpu: gpu if name == "torch" else load_backend(name)
        )
        found = predicted(on_device, array)
        assert not any("sums" in sentence for sentence in found.fallbacks)
        assert found.plan.device == ("cuda:0" if most_voxels > 10 else "cpu")
        np.testing.assert_allclose(found.probabilities, by_cpu.probabilities, rtol=0, atol=1e-4)


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
