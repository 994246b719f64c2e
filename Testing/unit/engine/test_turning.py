"""Which graphs may run on turned looks with turned kernels; the numbers are compared in the backend's tests."""

from __future__ import annotations

import pytest

from MedSegAILib.engine.graph import VOCABULARY
from MedSegAILib.engine.turning import RULES, treats_yx_alike

CONV = {"op": "conv", "weight": "w", "bias": None, "stride": [1, 1, 1], "padding": [1, 1, 1], "dilation": [1, 1, 1]}
FLAT_CONV = {**CONV, "stride": [1, 1], "padding": [1, 1], "dilation": [1, 1]}
UP = {"op": "conv_transpose", "weight": "w", "bias": None}
UP_ALIKE = {**UP, "stride": [1, 2, 2], "padding": [0, 1, 1], "output_padding": [0, 1, 1]}
POOL = {"op": "max_pool", "kernel": [1, 2, 2], "stride": [1, 2, 2], "padding": [0, 0, 0]}
LINEAR = {"op": "linear", "weight": "w", "bias": None}


def mean(*axes, keep=True):
    return {"op": "mean", "axes": list(axes), "keep": keep}


def pad(before, after):
    return {"op": "pad", "before": before, "after": after}


def cat(axis):
    return {"op": "cat", "axis": axis}


def reshape(*shape):
    return {"op": "reshape", "shape": list(shape)}


def chain(*nodes):
    """A graph of one step after the other; words with two inputs take the image of the graph too."""
    listed = []
    for place, node in enumerate(nodes):
        before = [f"n{place - 1}" if place else "x"]
        inputs = [*before, "x"] if node["op"] in ("add", "mul") else before
        listed.append({**node, "name": f"n{place}", "inputs": inputs})
    return {"format": 1, "input": "x", "output": listed[-1]["name"], "nodes": listed}


def test_every_word_has_a_rule():
    assert set(RULES) == set(VOCABULARY)


@pytest.mark.parametrize(
    ("nodes", "axes"),
    [
        ([CONV, UP_ALIKE, POOL], 3),
        ([{**CONV, "stride": [2, 1, 1]}], 3),
        ([FLAT_CONV, pad([1, 1], [0, 0])], 2),
        ([pad([3, 1, 1], [0, 0, 0])], 3),
        ([{"op": "upsample_nearest", "factor": 2}], 2),
        ([mean(2, 3, 4), {"op": "mul"}], 3),
        ([mean(2, 3, 4), {"op": "flatten"}, LINEAR, {"op": "relu"}, reshape(1, -1, 1, 1, 1), {"op": "mul"}], 3),
        ([mean(2, 3, keep=False), LINEAR, {"op": "sigmoid"}, reshape(1, 4, 1, 1), {"op": "mul"}], 2),
        ([mean(1), {"op": "mul"}], 3),
        ([mean(-2, -1)], 3),
        ([mean(2)], 3),
        ([cat(1)], 2),
        ([cat(2)], 3),
    ],
)
def test_graph_with_y_and_x_alike_may_be_turned(nodes, axes):
    assert treats_yx_alike(chain(*nodes), axes)


@pytest.mark.parametrize(
    ("nodes", "axes"),
    [
        ([{**CONV, "stride": [1, 2, 1]}], 3),
        ([{**FLAT_CONV, "dilation": [2, 1]}], 2),
        ([{**UP_ALIKE, "output_padding": [0, 1, 0]}], 3),
        ([{**POOL, "kernel": [1, 1, 2]}], 3),
        ([pad([1, 0], [0, 0])], 2),
        ([pad([0, 0, 0], [0, 0, 1])], 3),
        ([pad([1], [1])], 2),
        ([mean(3)], 3),
        ([mean(2)], 2),
        ([mean(-1)], 3),
        ([mean(2, keep=False)], 3),
        ([cat(2)], 2),
        ([cat(3)], 3),
        ([cat(-1)], 3),
        ([{"op": "flatten"}], 3),
        ([LINEAR], 3),
        ([mean(2, 3, 4, keep=False), {"op": "mul"}], 3),
        ([reshape(1, 4, 8, -1)], 2),
        ([mean(2, 3, 4), reshape(1, 1, 2, 2, 1)], 3),
    ],
)
def test_graph_that_treats_y_and_x_unlike_or_as_nobody_knows_is_built_anew(nodes, axes):
    assert not treats_yx_alike(chain(*nodes), axes)


def test_word_without_a_rule_counts_as_unlike(monkeypatch):
    monkeypatch.delitem(RULES, "elu")
    assert not treats_yx_alike(chain({"op": "elu", "alpha": 1.0}), 3)
