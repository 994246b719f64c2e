"""Graphs that are not sound are refused by name."""

from __future__ import annotations

import copy

import pytest

from MedSegAILib.core.errors import PackageError
from MedSegAILib.engine.graph import check_graph, tensor_names
from MedSegAILib.engine.probe import PROBE_GRAPH

RELU = {"name": "r", "op": "relu", "inputs": ["x"]}


def graph(*nodes, output="r", **changes):
    return {"format": 1, "input": "x", "output": output, "nodes": list(nodes), **changes}


def without(key):
    damaged = copy.deepcopy(PROBE_GRAPH)
    del damaged["nodes"][0][key]
    return damaged


@pytest.mark.parametrize(
    ("damaged", "says"),
    [
        (None, "missing"),
        ({}, "missing"),
        (graph(RELU, format=2), "format is 2"),
        (graph({**RELU, "op": "warp"}), "'warp'"),
        (without("dilation"), "lacks dilation"),
        (graph({**RELU, "inputs": ["later"]}), "not in order"),
        (graph(RELU, RELU), "not in order"),
        (graph({**RELU, "op": "add"}), "1 inputs, wanted 2"),
        (graph({**RELU, "inputs": ["x", "x"]}), "2 inputs, wanted 1"),
        (graph(RELU, output="other"), "'other' is never made"),
        (graph(output="x"), "never made"),
    ],
)
def test_unsound_graph_is_refused_by_name(damaged, says):
    with pytest.raises(PackageError) as caught:
        check_graph(damaged)
    assert caught.value.code == "package.graph"
    assert says in caught.value.message


def test_sound_graph_gives_its_nodes_and_tensors():
    assert [node["op"] for node in check_graph(graph(RELU))] == ["relu"]
    assert tensor_names(PROBE_GRAPH) == ["weight"]
