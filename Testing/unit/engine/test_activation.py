"""Activations against their definition in float64, at ends where a plain formula overflows."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAILib.engine.activation import ACTIVATIONS


def logits():
    values = np.linspace(-200, 200, 3 * 2 * 5 * 7, dtype=np.float32)
    return np.random.default_rng(0).permutation(values).reshape(3, 2, 5, 7)


def test_sigmoid_is_exact_in_float32_and_does_not_overflow():
    wanted = 0.5 * (1 + np.tanh(logits().astype(np.float64) / 2))
    found = ACTIVATIONS["sigmoid"](logits())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-7)


def test_softmax_sums_to_one_and_follows_its_definition():
    small = logits() / 40
    exponents = np.exp(small.astype(np.float64))
    np.testing.assert_allclose(ACTIVATIONS["softmax"](small), exponents / exponents.sum(axis=0), rtol=0, atol=1e-6)
    np.testing.assert_allclose(ACTIVATIONS["softmax"](logits()).sum(axis=0), 1, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_works_in_place(name):
    array = logits()
    assert ACTIVATIONS[name](array) is array
