"""From logits to probabilities, in place. Ring 1 (verbs)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .backend import FloatArray


def _sigmoid(logits: FloatArray) -> FloatArray:
    # 1 / (1 + exp(-x)) written so that no logit overflows.
    np.multiply(logits, np.float32(0.5), out=logits)
    np.tanh(logits, out=logits)
    np.multiply(logits, np.float32(0.5), out=logits)
    np.add(logits, np.float32(0.5), out=logits)
    return logits


def _softmax(logits: FloatArray) -> FloatArray:
    np.subtract(logits, logits.max(axis=0), out=logits)
    np.exp(logits, out=logits)
    np.divide(logits, logits.sum(axis=0), out=logits)
    return logits


ACTIVATIONS: dict[str, Callable[[FloatArray], FloatArray]] = {"sigmoid": _sigmoid, "softmax": _softmax}
