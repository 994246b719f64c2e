import threading
import time

import numpy as np
import pytest

from MedSegAILib.core.errors import Cancelled
from MedSegAILib.core.run import Cancel
from MedSegAILib.image.bias_field import n4


@pytest.fixture(scope="module")
def ball():
    """A ball of two tissues under a field of 40 %, with its mask."""
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, count) for count in (24, 40, 40)], indexing="ij")
    radius = z**2 + y**2 + x**2
    image = np.where(radius < 0.3, 140.0, np.where(radius < 0.7, 100.0, 0.0))
    noise = np.random.default_rng(0).normal(0, 1, image.shape)
    return image * (1 + 0.4 * x) + noise, image


def spread(image, truth):
    outer = image[truth == 100.0]
    return outer.std() / outer.mean()


def test_field_is_taken_away_and_tissues_stay_apart(ball):
    image, truth = ball
    corrected = n4(image, (1.0, 1.0, 1.0), shrink=4, iterations=(20, 20))
    assert corrected.dtype == np.float32
    assert spread(image, truth) > 0.15
    assert spread(corrected, truth) < 0.05
    assert corrected[truth == 140.0].mean() / corrected[truth == 100.0].mean() == pytest.approx(1.4, abs=0.06)


def test_image_of_one_value_stays_as_it_is():
    assert (n4(np.full((8, 8, 8), 5), (1.0, 1.0, 1.0)) == 5).all()


def test_cancel_is_heard_within_a_second_or_two(ball):
    cancel = Cancel()
    threading.Timer(0.2, cancel.set).start()
    start = time.monotonic()
    with pytest.raises(Cancelled):
        n4(ball[0], (1.0, 1.0, 1.0), shrink=1, iterations=(500, 500, 500, 500), cancel=cancel)
    assert time.monotonic() - start < 10.0


@pytest.mark.parametrize("wrong", [{"shrink": 0}, {"iterations": ()}])
def test_values_that_make_no_sense_are_refused(ball, wrong):
    with pytest.raises(ValueError, match="shrink"):
        n4(ball[0], (1.0, 1.0, 1.0), **wrong)
