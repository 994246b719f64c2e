"""The learned rule is read as it was written, and what it says is not followed to anybody's harm."""

from types import SimpleNamespace

import numpy as np
import pytest

from MedSegAILib.interaction.clues import NAMES
from MedSegAILib.interaction.learned import OWN_STAKE, RULE_FILE, STAKE, Rule, chosen, read_rule, write_rule

SHAPE = (4, 10, 10)
ALL = np.ones(SHAPE, bool)
NONE = np.zeros(SHAPE, bool)


def asked(odds, *, is_include=True, others=(), fixed=NONE, size=40000):
    mask = NONE if is_include else ALL
    local = SimpleNamespace(
        is_include=is_include,
        mask=mask,
        fixed=fixed,
        size=size,
        others=lambda wanted: [((wanted != mask) & where, count) for where, count in others],
    )
    return chosen(local, ALL, np.full(ALL.size, odds, np.float32))


def test_a_rule_is_read_as_it_was_written(tmp_path):
    chance = np.random.default_rng(0)
    first, second = chance.normal(size=(3, 5)).astype(np.float32), chance.normal(size=(5, 1)).astype(np.float32)
    offsets = np.ones(5, np.float32), np.zeros(1, np.float32)
    rule = Rule(np.zeros(3, np.float32), np.ones(3, np.float32), ((first, offsets[0]), (second, offsets[1])))
    write_rule(rule, tmp_path / "rule.npz")
    rows = chance.normal(size=(7, 3)).astype(np.float32)
    again = read_rule(tmp_path / "rule.npz")(rows)
    assert np.array_equal(again, rule(rows))
    assert again == pytest.approx((np.maximum(rows @ first + 1, 0) @ second)[:, 0], rel=1e-5)


def test_the_shipped_rule_reads_all_clues_and_is_small():
    rule = read_rule(RULE_FILE)
    assert rule.layers[0][0].shape[0] == len(NAMES) == len(rule.middle)
    assert RULE_FILE.stat().st_size < 300_000


def test_likely_voxels_turn_unlikely_and_fixed_ones_do_not():
    assert asked(3.0).all()
    assert not asked(-0.1).any()
    fixed = NONE.copy()
    fixed[0] = True
    assert np.array_equal(asked(3.0, fixed=fixed), ~fixed)


def test_a_click_into_a_region_that_is_mostly_wrong_does_not_take_all_of_it_away():
    assert asked(0.8, is_include=False, size=40000).all(), "a hundredth of a region that is else right may go"
    assert not asked(0.8, is_include=False, size=ALL.size).any(), "this is all there is of it"


def test_what_a_region_may_be_expected_to_lose_by_a_click_is_bounded():
    spoiled, wrong = 90.0, 1.0 / (1.0 + np.exp(0.2))
    for doubtful in (
        asked(0.2, others=[(ALL, round(spoiled / STAKE))]),
        asked(0.2, others=[(ALL, round(spoiled / STAKE)), (ALL, 10 * round(spoiled / STAKE))]),
        asked(0.2, size=round(spoiled / OWN_STAKE)),
    ):
        assert spoiled - 1.0 < doubtful.sum() * wrong <= spoiled
    assert asked(5.0, others=[(ALL, 40000)]).all(), "what the rule is sure of is no risk"


def test_a_region_that_does_not_change_bounds_nothing():
    assert asked(0.2, others=[(NONE, 10)]).all()
    half = NONE.copy()
    half[:2] = True
    bound = asked(0.2, others=[(half, 10)])
    assert np.array_equal(bound, ~half)
