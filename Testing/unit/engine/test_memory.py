"""The estimate of memory and the refusal by name."""

from __future__ import annotations

import pytest

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.memory import Work, available_bytes, estimate_bytes, plan_memory, steps_down
from MedSegAILib.engine.slices import Slices
from MedSegAILib.engine.windows import Windows

BOX = (4, 144, 176, 144)


# Peak of the process minus its start, MB; one forward, two threads, openvino 2026.4.1 and torch 2.13.0, 2026-11-21.
@pytest.mark.parametrize(
    ("backend", "width", "shape", "measured_mb"),
    [
        ("openvino", 8, (4, 96, 96, 96), 237),
        ("openvino", 16, (4, 96, 96, 96), 360),
        ("openvino", 8, BOX, 656),
        ("torch", 8, (4, 96, 96, 96), 538),
        ("torch", 16, (4, 96, 96, 96), 625),
    ],
)
def test_estimate_is_within_a_third_of_what_was_measured(backend, width, shape, measured_mb):
    work = work_of(backend, width, shape)
    assert measured_mb / 1.34 <= estimate_bytes(work) / 2**20 <= measured_mb * 1.34


def work_of(backend="openvino", width=8, shape=BOX, **more):
    network = NetworkSpec("brats2020.EquiUnet", {"width": width})
    return Work(network, backend, shape, 3, 10_080 * width**2 * 4, **more)


def test_enough_memory_takes_the_whole_box():
    plan = plan_memory(work_of(), budget_bytes=2 << 30)
    assert (plan.windows, plan.note) == (None, "")
    assert plan.needed_bytes == estimate_bytes(work_of())
    assert plan.to_json() == {"needed_mb": plan.needed_bytes >> 20}
    assert available_bytes() > 0


def test_votes_need_one_sum_more():
    more = estimate_bytes(work_of(has_votes=True)) - estimate_bytes(work_of())
    assert more == 3 * 144 * 176 * 144 * 4


@pytest.mark.parametrize("budget_mb", [600, 400, 300])
def test_too_little_memory_takes_the_largest_windows_that_fit(budget_mb):
    plan = plan_memory(work_of(), budget_bytes=budget_mb << 20)
    assert plan.needed_bytes <= budget_mb << 20
    depth, height, width = plan.windows.size_zyx
    assert depth % 16 == height % 16 == width % 16 == 0, "the network has three poolings and was given multiples of 16"
    assert "144 x 176 x 144" in plan.note
    assert f"{depth} x {height} x {width}" in plan.note
    assert plan.to_json()["windows"]["size"] == [depth, height, width]
    assert plan.to_json()["budget_mb"] == budget_mb


def test_windows_of_a_package_are_made_smaller_too():
    wanted = Windows((128, 128, 128), 0.25, "flat")
    assert plan_memory(work_of(), wanted, 2 << 30).windows == wanted
    plan = plan_memory(work_of(width=48), wanted, 600 << 20)
    assert max(plan.windows.size_zyx) < 128
    assert (plan.windows.overlap, plan.windows.weights) == (0.25, "flat")
    assert "instead of windows of 128 x 128 x 128" in plan.note


def test_slab_is_made_smaller_within_its_slices_which_are_channels():
    wanted = Slices((64, 48, 64), slices=64, gives="slab")
    smaller = list(steps_down(work_of(shape=(1, 128, 64, 64)), wanted))
    assert smaller
    assert [windows.size_zyx[0] for windows in smaller] == [64] * len(smaller)
    assert len(set(smaller)) == len(smaller)
    assert wanted not in smaller


def test_no_window_that_fits_is_refused_with_both_values():
    with pytest.raises(ResourceError) as caught:
        plan_memory(work_of(width=48), budget_bytes=100 << 20)
    assert caught.value.code == "memory.not_enough"
    assert "0.1 GiB" in caught.value.message
    assert "144 x 176 x 144" in caught.value.message
    assert caught.value.details["available_bytes"] == 100 << 20
    assert caught.value.details["needed_bytes"] == estimate_bytes(work_of(width=48))
