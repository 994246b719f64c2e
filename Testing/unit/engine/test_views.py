"""Views: the way back is the way back, and the twelve weighted ones are the published sixteen."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from MedSegAILib.engine.views import VIEW_SETS

VIEWS = sorted({view for views in VIEW_SETS.values() for view in views}, key=lambda view: view.name)


def numbered(shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def published_sixteen(array):
    """The list of the published code: no flip or one flip of z, y or x, each with 0 to 3 turns, flip first."""
    for axis, turns in itertools.product((None, 1, 2, 3), range(4)):
        flipped = array if axis is None else np.flip(array, axis)
        yield np.rot90(flipped, turns, axes=(2, 3))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_invert_undoes_apply(view):
    array = numbered((2, 3, 4, 5))
    looked = view.apply(array)
    assert looked.shape == view.shape(array.shape)
    np.testing.assert_array_equal(view.invert(looked), array)


@pytest.mark.parametrize("name", VIEW_SETS)
def test_views_of_a_set_are_distinct_and_begin_with_the_identity(name):
    array = numbered((1, 4, 4, 4))
    looks = [view.apply(array).tobytes() for view in VIEW_SETS[name]]
    assert len(set(looks)) == len(looks)
    assert looks[0] == array.tobytes()
    assert len({view.name for view in VIEW_SETS[name]}) == len(looks)


def test_set_sizes():
    assert {name: len(views) for name, views in VIEW_SETS.items()} == {
        "identity": 1,
        "flip_x": 2,
        "flips": 8,
        "brats2020": 12,
    }


def test_twelve_weighted_views_are_the_published_sixteen():
    array = numbered((1, 4, 4, 4))
    wanted: dict[bytes, float] = {}
    for look in published_sixteen(array):
        wanted[look.tobytes()] = wanted.get(look.tobytes(), 0) + 1
    found = {view.apply(array).tobytes(): view.weight for view in VIEW_SETS["brats2020"]}
    assert found == wanted
    assert sum(found.values()) == 16
    assert sorted(found.values()) == [1] * 8 + [2] * 4


def test_one_turn_is_the_documented_one():
    turn = next(view for view in VIEW_SETS["brats2020"] if view.name == "turn_90")
    plane = np.array([[0, 1], [2, 3]], np.float32)[None, None]
    np.testing.assert_array_equal(turn.apply(plane)[0, 0], [[1, 3], [0, 2]])


def test_way_back_of_the_published_code_would_turn_four_of_sixteen():
    """It flips before it turns back: flips of y or x with one or three turns come back rotated by 180 degrees."""
    array = numbered((1, 2, 4, 4))
    wrong = set()
    for axis, turns in itertools.product((None, 1, 2, 3), range(4)):
        flip = (lambda a: a) if axis is None else (lambda a, axis=axis: np.flip(a, axis))
        look = np.rot90(flip(array), turns, axes=(2, 3))
        theirs = np.rot90(flip(look), -turns, axes=(2, 3))
        if not np.array_equal(theirs, array):
            wrong.add((axis, turns))
            np.testing.assert_array_equal(theirs, np.rot90(array, 2, axes=(2, 3)))
    assert wrong == {(2, 1), (2, 3), (3, 1), (3, 3)}
