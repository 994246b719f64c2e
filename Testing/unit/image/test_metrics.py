"""Overlap and volumes against hand counts and set arithmetic; what empty masks mean."""

import numpy as np
import pytest

from MedSegAILib.core.errors import UsageError
from MedSegAILib.image.metrics import count, dice, jaccard, precision, score_region, sensitivity, specificity
from MedSegAILib.image.promise12 import METRICS, PARTS, parts_of_prostate, promise12_score

SPACING = (3.0, 0.5, 0.7)
NOTHING = np.zeros((4, 5, 6), bool)
SOMETHING = NOTHING.copy()
SOMETHING[1:3, 1:4, 2:5] = True


def test_dice_counts_overlap_twice():
    ours = np.array([True, True, True, False])
    theirs = np.array([False, True, True, True])
    assert dice(ours, theirs) == pytest.approx(2 * 2 / 6)
    assert dice(ours, theirs) == dice(theirs, ours)


def test_empty_regions_follow_the_challenge_rule():
    nothing, something = np.zeros(4, bool), np.array([True, False, False, False])
    assert dice(nothing, nothing) == 1.0
    assert dice(nothing, something) == 0.0
    assert dice(something, nothing) == 0.0


def test_shares_are_those_of_set_arithmetic():
    random = np.random.default_rng(2)
    ours, theirs = random.random((5, 6, 7)) > 0.6, random.random((5, 6, 7)) > 0.5
    a, b = ({tuple(index) for index in np.argwhere(mask)} for mask in (ours, theirs))
    everything = {tuple(index) for index in np.ndindex(ours.shape)}
    score = score_region("r", ours, theirs, SPACING)
    assert score.dice == pytest.approx(2 * len(a & b) / (len(a) + len(b)))
    assert score.jaccard == pytest.approx(len(a & b) / len(a | b))
    assert score.sensitivity == pytest.approx(len(a & b) / len(b))
    assert score.precision == pytest.approx(len(a & b) / len(a))
    assert score.specificity == pytest.approx(len(everything - a - b) / len(everything - b))
    assert score.volume_difference == pytest.approx(abs(len(a) - len(b)) / len(b))
    assert score.volume_ml == pytest.approx(len(a) * 3.0 * 0.5 * 0.7 / 1000)


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        (NOTHING, NOTHING, (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)),
        (SOMETHING, NOTHING, (0.0, 0.0, None, 1 - 18 / 120, 0.0, None, None, None, None)),
        (NOTHING, SOMETHING, (0.0, 0.0, 0.0, 1.0, None, 1.0, None, None, None)),
        (SOMETHING, SOMETHING, (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)),
    ],
    ids=["both_empty", "reference_empty", "prediction_empty", "equal"],
)
def test_empty_masks_are_defined_for_every_metric(ours, theirs, wanted):
    score = score_region("r", ours, theirs, SPACING)
    found = (score.dice, score.jaccard, score.sensitivity, score.specificity, score.precision, score.volume_difference)
    assert (*found, score.hausdorff_mm, score.hausdorff95_mm, score.surface_mm) == wanted


def test_reference_that_fills_the_image_has_no_specificity():
    assert specificity(count(SOMETHING, ~NOTHING)) is None
    assert sensitivity(count(SOMETHING, ~NOTHING)) == pytest.approx(18 / 120)
    assert precision(count(SOMETHING, ~NOTHING)) == 1.0
    assert jaccard(count(SOMETHING, ~NOTHING)) == pytest.approx(18 / 120)


def ball(center, radius, shape=(18, 24, 24)):
    z, y, x = np.indices(shape)
    return (z - center[0]) ** 2 + (y - center[1]) ** 2 + (x - center[2]) ** 2 <= radius**2


def observer_of(ours, theirs):
    """The means of an observer who drew ``ours``, part by part, from the metrics themselves."""
    means = {}
    for part, slices in parts_of_prostate(theirs).items():
        score = score_region(part, ours[slices], theirs[slices], SPACING)
        means[part] = {metric: getattr(score, metric) for metric in METRICS}
    return means


def test_second_observer_gets_85_points_and_a_perfect_mask_100():
    theirs = ball((9, 12, 12), 7)
    ours = ball((9, 13, 12), 8)
    observer = observer_of(ours, theirs)
    assert promise12_score(ours, theirs, SPACING, observer) == pytest.approx(85.0)
    assert promise12_score(theirs, theirs, SPACING, observer) == 100.0


def test_points_fall_on_a_line_and_end_at_zero():
    theirs = ball((9, 12, 12), 7)
    ours = ball((9, 13, 12), 8)
    observer = observer_of(ours, theirs)
    worse = ball((9, 15, 12), 8)
    by_hand = []
    for part, slices in parts_of_prostate(theirs).items():
        score = score_region(part, worse[slices], theirs[slices], SPACING)
        for metric in METRICS:
            value, at = getattr(score, metric), observer[part][metric]
            lost = (1 - value) / (1 - at) if metric == "dice" else value / at
            by_hand.append(max(0.0, 100 - 15 * lost))
    assert promise12_score(worse, theirs, SPACING, observer) == pytest.approx(np.mean(by_hand))


def test_nothing_found_earns_no_points_for_surfaces():
    theirs = ball((9, 12, 12), 7)
    observer = observer_of(ball((9, 13, 12), 8), theirs)
    by_hand = 0.0  # Dice 0 and a volume difference of 1 lie on their lines still
    for means in observer.values():
        by_hand += max(0.0, 100 - 15 / (1 - means["dice"])) + max(0.0, 100 - 15 / means["volume_difference"])
    assert promise12_score(np.zeros_like(theirs), theirs, SPACING, observer) == pytest.approx(by_hand / 12)


def test_apex_is_the_lowest_third_and_base_the_highest():
    mask = np.zeros((20, 4, 4), bool)
    mask[4:16] = True
    assert parts_of_prostate(mask) == {"whole": slice(0, 20), "apex": slice(4, 8), "base": slice(12, 16)}
    turned = parts_of_prostate(mask, is_z_upward=False)
    assert (turned["apex"], turned["base"]) == (slice(12, 16), slice(4, 8))
    one = np.zeros((5, 4, 4), bool)
    one[2] = True
    assert set(parts_of_prostate(one)) == set(PARTS)
    assert parts_of_prostate(one)["apex"] == slice(2, 3)


def test_score_without_reference_or_observer_is_refused():
    with pytest.raises(UsageError) as caught:
        promise12_score(SOMETHING, NOTHING, SPACING, {})
    assert caught.value.code == "promise12.reference"
    with pytest.raises(UsageError) as caught:
        promise12_score(SOMETHING, SOMETHING, SPACING, {"whole": {"dice": 1.0}})
    assert caught.value.code == "promise12.observer"
