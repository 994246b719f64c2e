"""The estimate of memory and the refusal by name."""

from __future__ import annotations

import pytest

from MedSegAILib.core.errors import ResourceError
from MedSegAILib.engine.backend import NetworkSpec
from MedSegAILib.engine.memory import available_bytes, check_memory, estimate_bytes

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
    network = NetworkSpec("brats2020.EquiUnet", {"width": width})
    estimate_mb = estimate_bytes(network, backend, shape, 3, 10_080 * width**2 * 4) / 2**20
    assert measured_mb / 1.34 <= estimate_mb <= measured_mb * 1.34


def test_too_little_memory_is_refused_with_both_values():
    with pytest.raises(ResourceError) as caught:
        check_memory(3 << 30, BOX, available=1 << 30)
    assert caught.value.code == "memory.not_enough"
    assert "3.0 GiB" in caught.value.message
    assert "1.0 GiB" in caught.value.message
    assert "144 x 176 x 144" in caught.value.message
    assert caught.value.details == {"needed_bytes": 3 << 30, "available_bytes": 1 << 30}


def test_enough_memory_passes():
    check_memory(1 << 30, BOX, available=1 << 30)
    assert available_bytes() > 0
