"""Merging of ensembles; Table 1 of the BraTS 2020 paper in all 16 cells."""

import itertools

import numpy as np
import pytest

from MedSegAILib.core.errors import PackageError
from MedSegAILib.tasks.merge import merge, probabilities_of, voting_shares

STEPS = ({"step": "threshold", "above": 0.5}, {"step": "paint", "order": [["WT", 2], ["TC", 1], ["ET", 4]]})
TABLE_1 = {
    "rule": "label_table",
    "columns": "A",
    "rows": "B",
    "values": [0, 1, 2, 4],
    "cells": [[0, 1, 0, 4], [0, 1, 2, 4], [2, 1, 2, 4], [0, 1, 2, 4]],
}
REGIONS_OF = {0: (), 1: ("WT", "TC"), 2: ("WT",), 4: ("WT", "TC", "ET")}


def regions(labels) -> dict:
    """Probabilities that decide to the given labels."""
    return {
        name: np.array([[[0.9 if name in REGIONS_OF[value] else 0.1 for value in labels]]])
        for name in ("ET", "TC", "WT")
    }


def test_table_1_holds_in_all_16_cells():
    ours, theirs = zip(*itertools.product([0, 1, 2, 4], repeat=2), strict=True)
    merged = merge({"A": regions(ours), "B": regions(theirs)}, STEPS, TABLE_1).ravel()
    for a, b, label in zip(ours, theirs, merged, strict=True):
        # The rule in words: core and enhancing tumor of A stand; edema needs B to see no background, and the
        # background of A gives way to B's edema only.
        expected = a if a in (1, 4) else (2 if b == 2 else 0) if a == 0 else (0 if b == 0 else 2)
        assert label == expected, (a, b)


def test_mean_averages_before_the_decision():
    sure, unsure = {"WT": np.full((1, 1, 1), 0.9)}, {"WT": np.full((1, 1, 1), 0.2)}
    steps = ({"step": "threshold", "above": 0.5}, {"step": "paint", "order": [["WT", 1]]})
    assert merge({"A": sure, "B": unsure}, steps, {"rule": "mean"}).item() == 1
    assert merge({"A": unsure, "B": unsure}, steps, {"rule": "mean"}).item() == 0


def test_an_ensemble_may_count_less_and_in_some_regions_only():
    found = {"A": regions([0, 4]), "B": regions([2, 2])}
    rule = {"rule": "mean", "weights": {"WT": {"A": 1, "B": 3}, "TC": {"A": 1}, "ET": {"A": 1}}}
    mean = probabilities_of(found, rule)
    np.testing.assert_allclose(mean["WT"], [[[0.7, 0.9]]], atol=1e-6)
    np.testing.assert_allclose(mean["ET"], found["A"]["ET"], atol=1e-6)
    assert merge(found, STEPS, rule).tolist() == [[[2, 4]]]
    assert merge(found, STEPS, {**rule, "weights": {"WT": {"A": 3, "B": 1}}}).tolist() == [[[0, 2]]]


def test_how_much_say_an_ensemble_has_in_a_region_is_told_by_the_weights_else_by_its_passes():
    rule = {"rule": "mean", "weights": {"WT": {"A": 1, "B": 3}, "TC": {"A": 1}, "ET": {"A": 0, "B": 2}}}
    passes = {"A": 4, "B": 12}
    assert voting_shares(passes, "WT", rule) == {"A": 0.25, "B": 0.75}
    assert voting_shares({"A": 6, "B": 2}, "WT", rule) == {"A": 0.25, "B": 0.75}
    assert voting_shares(passes, "TC", rule) == {"A": 1.0}
    assert voting_shares(passes, "ET", rule) == {"B": 1.0}
    assert voting_shares({"A": 6, "B": 2}, "TC", TABLE_1) == {"A": 0.75, "B": 0.25}
    assert voting_shares({"A": 2}, "TC", {}) == {"A": 1.0}


@pytest.mark.parametrize("weights", [{"XX": {"A": 1}}, {"WT": {"C": 1}}, {"WT": {}}, {"WT": {"A": 0}}, {"WT": 2}])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(PackageError) as caught:
        merge({"A": regions([0]), "B": regions([2])}, STEPS, {"rule": "mean", "weights": weights})
    assert caught.value.code == "package.step"


def test_single_ensemble_needs_no_rule():
    assert merge({"A": regions([4])}, STEPS, {}).item() == 4


@pytest.mark.parametrize("rule", [{}, {"rule": "magic"}, {"rule": "mean", "weights": [1, 2]}, {**TABLE_1, "rows": "C"}])
def test_unknown_rule_is_refused(rule):
    with pytest.raises(PackageError) as caught:
        merge({"A": regions([4]), "B": regions([4])}, STEPS, rule)
    assert caught.value.code == "package.step"
