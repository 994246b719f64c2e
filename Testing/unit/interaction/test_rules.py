"""Exclusive labels stay exclusive, nested regions nested, locked regions as they are: whatever is wanted."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp

from MedSegAILib.core.volume import Grid
from MedSegAILib.interaction.evidence import Evidence
from MedSegAILib.interaction.rules import CHANGE, changeable, changed_ml, others_changed, relabel
from Testing.makers.wrong_heads import SCHEME

VALUES = (0, 1, 2, 4)
SHAPE = (2, 3, 4)
LABELS = stnp.arrays(np.uint8, SHAPE, elements=st.sampled_from(VALUES))
MASKS = stnp.arrays(bool, SHAPE)
REGIONS = st.sampled_from([region.name for region in SCHEME.regions])


def evidence(scores, *, is_from_run=True):
    scores = np.asarray(scores, np.float32)
    return Evidence(Grid(scores.shape[1:], np.eye(4)), VALUES, scores, scores[:0], is_from_run)


@given(LABELS, MASKS, REGIONS, st.sets(REGIONS), st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_locked_regions_keep_their_voxels_and_the_region_gets_what_is_left(labels, wanted, region, locked, seed):
    locked = sorted(locked - {region})
    scores = np.random.default_rng(seed).normal(size=(len(VALUES), *SHAPE))
    after = relabel(labels, wanted, region, SCHEME, evidence(scores), locked)
    for name in locked:
        assert np.array_equal(SCHEME.mask(after, name), SCHEME.mask(labels, name))
    if not locked:
        assert np.array_equal(SCHEME.mask(after, region), wanted)
    settled = wanted == SCHEME.mask(labels, region)
    assert np.array_equal(after[settled], labels[settled])


def test_a_voxel_that_leaves_takes_the_likeliest_label_that_is_left_and_spares_other_regions():
    labels = np.full((1, 1, 4), 4, np.uint8)
    scores = np.zeros((4, 1, 1, 4), np.float32)
    scores[3] = 9.0  # enhancing is likeliest everywhere, but it is what must go
    scores[2, 0, 0, 1] = 1.5 * CHANGE  # edema is likelier than the core by more than what leaving the core costs
    scores[0, 0, 0, 2] = 1.5 * CHANGE  # not enough to leave core and whole tumor
    scores[0, 0, 0, 3] = 2.5 * CHANGE
    after = relabel(labels, np.zeros((1, 1, 4), bool), "ET", SCHEME, evidence(scores))
    assert after.ravel().tolist() == [1, 2, 1, 0]


@given(LABELS, MASKS, REGIONS, st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_without_probabilities_no_other_region_changes_that_need_not(labels, wanted, region, seed):
    scores = np.random.default_rng(seed).normal(scale=20.0, size=(len(VALUES), *SHAPE))
    after = relabel(labels, wanted, region, SCHEME, evidence(scores, is_from_run=False))
    others = [other.name for other in SCHEME.regions if other.name != region]
    for enters in (True, False):
        turned = (wanted != SCHEME.mask(labels, region)) & (wanted == enters)
        spared = turned & changeable(labels, region, enters, SCHEME, others)
        for other in SCHEME.regions:
            if other.name != region:
                was, is_now = SCHEME.mask(labels, other.name), SCHEME.mask(after, other.name)
                assert np.array_equal(was[spared], is_now[spared])


def test_a_voxel_of_the_outer_region_never_enters_the_core_unasked_after_a_reload():
    labels = np.array([[[4, 4, 1, 0]]], np.uint8)  # the core reaches the border: it is all that is near
    scores = np.full((4, 1, 1, 4), -10.0)
    scores[1] = -1.0
    wanted = np.ones((1, 1, 4), bool)
    after = relabel(labels, wanted, "WT", SCHEME, evidence(scores, is_from_run=False))
    assert after.ravel().tolist() == [4, 4, 1, 2]


def test_what_changes_with_a_region_is_told_before_it_is_changed():
    labels = np.array([[[0, 2, 1, 4]]], np.uint8)
    scores = np.zeros((4, 1, 1, 4), np.float32)
    changed = others_changed(labels, np.ones((1, 1, 4), bool), "TC", SCHEME, evidence(scores))
    assert changed["WT"].ravel().tolist() == [True, False, False, False]
    assert not changed["ET"].any(), "necrosis is as likely, and leaves the enhancing part alone"
    assert "TC" not in changed


def test_the_change_is_told_by_region():
    before, after = np.array([[[2, 2, 0]]], np.uint8), np.array([[[4, 2, 1]]], np.uint8)
    gained, lost = changed_ml(before, after, SCHEME, 0.5)
    assert gained == {"ET": 0.5, "TC": 1.0, "WT": 0.5}
    assert lost == {}
