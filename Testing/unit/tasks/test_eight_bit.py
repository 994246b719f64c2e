"""Kernels of eight bits: small, close to what they were, and the same for every reader."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.tasks.eight_bit import narrowed, widened


def weights() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(3)
    kernel = (
        generator.standard_normal((8, 16, 3, 3, 3)).astype(np.float32)
        * np.linspace(0.01, 5.0, 8)[:, None, None, None, None]
    )
    return {
        "conv.weight": kernel.astype(np.float32),
        "norm.weight": np.ones(8, np.float32),
        "small.weight": kernel[:2, :2],
    }


def test_a_weight_is_off_by_half_a_step_of_its_output_at_most() -> None:
    before = weights()
    file = narrowed(before)
    after = widened(file)
    step = file["conv.weight.scale"].reshape(-1, 1, 1, 1, 1)
    assert (np.abs(after["conv.weight"] - before["conv.weight"]) <= 0.501 * step).all()
    assert list(after) == list(before)
    assert {array.dtype for array in after.values()} == {np.dtype(np.float32)}


def test_kernels_take_one_byte_a_weight_and_small_tensors_stay_in_half_precision() -> None:
    file = narrowed(weights())
    assert file["conv.weight"].dtype == np.int8
    assert file["norm.weight"].dtype == file["small.weight"].dtype == np.float16


def test_a_kernel_of_zeros_stays_zero() -> None:
    assert not widened(narrowed({"w": np.zeros((4, 512), np.float32)}))["w"].any()


def test_a_tensor_that_is_called_scale_and_belongs_to_no_kernel_is_kept() -> None:
    assert list(widened({"norm.scale": np.ones(3, np.float16)})) == ["norm.scale"]


def test_a_kernel_without_its_factors_is_refused() -> None:
    with pytest.raises(KeyError, match=r"w\.scale"):
        widened({"w": np.ones((4, 512), np.int8)})
