import numpy as np
import pytest

from MedSegAILib.image.metrics import dice


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
