"""A flat cut between two labels moves to a click behind it as a whole; no other border does."""

import numpy as np
import pytest

from MedSegAILib.core.correction import Correction
from MedSegAILib.core.labels import Label, LabelScheme, Region
from MedSegAILib.core.prompts import Click
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.interaction.corrector import by_depth
from MedSegAILib.interaction.local import Answer
from MedSegAILib.interaction.session import correct
from MedSegAILib.interaction.sheet import cuts_around, sheet_between

_GRAY = (0.5, 0.5, 0.5)
SCHEME = LabelScheme(
    (Label(1, "front", "Front", _GRAY), Label(2, "back", "Back", _GRAY)),
    (
        Region("front", "Front", (1,), _GRAY),
        Region("back", "Back", (2,), _GRAY),
        Region("bar", "Bar", (1, 2), _GRAY),
    ),
)
CUT = 20  # the first row of the front


def bar(cut=CUT):
    """Give a bar along y, in air, that is cut in two; ``cut`` may differ from column to column."""
    labels = np.zeros((24, 40, 24), np.uint8)
    rows = np.arange(40)[None, :, None]
    labels[6:18, 4:36, 6:18] = np.where(rows >= np.broadcast_to(cut, (24, 1, 24)), 1, 2)[:, :, :][6:18, 4:36, 6:18]
    return labels


def by_sheet(local):
    """Answer by the sheet alone."""
    taken = cuts_around(local).taken
    if taken is None:
        return Answer(local.mask, 0.0)
    return Answer(np.where(taken.voxels, local.is_include, local.mask), 0.0, taken)


def clicked(labels, region, index_zyx, is_include=True, locked=(), corrector=by_sheet, image=None):
    volume = Volume(labels, Grid(labels.shape, np.eye(4)))
    point = tuple(float(at) for at in index_zyx[::-1])
    images = {} if image is None else {"T1": Volume(image.astype(np.float32), volume.grid)}
    answer = correct(Correction(volume, SCHEME, region, (Click(point, is_include),), images, locked), corrector)
    after = labels.copy()
    after[tuple(slice(o, o + n) for o, n in zip(answer.offset_zyx, answer.labels.array.shape, strict=True))] = (
        answer.labels.array
    )
    return after


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_click_behind_a_flat_cut_moves_all_of_it_to_the_click(steps):
    after = clicked(bar(), "front", (12, CUT - steps, 12))
    assert np.array_equal(after, bar(CUT - steps))


def test_an_exclude_click_moves_the_cut_back():
    assert np.array_equal(clicked(bar(), "front", (12, CUT + 1, 12), False), bar(CUT + 2))


def test_a_cut_that_is_a_staircase_becomes_flat_up_to_the_click():
    stairs = CUT - np.arange(24)[:, None, None] // 12
    after = clicked(bar(stairs), "front", (8, CUT - 2, 12))
    assert np.array_equal(after, bar(CUT - 2))


def test_whichever_corrector_answers_the_cut_moves():
    after, wanted = clicked(bar(), "front", (12, CUT - 2, 12), corrector=by_depth), bar(CUT - 2)
    assert (after[wanted != bar()] == 1).all()


def test_a_locked_neighbor_keeps_its_side_of_the_cut():
    for corrector in (by_sheet, by_depth):
        after = clicked(bar(), "front", (12, CUT - 1, 12), locked=("back",), corrector=corrector)
        assert np.array_equal(after == 2, bar() == 2)


def test_a_click_at_the_surface_leaves_the_cut_where_it_is():
    labels = bar()
    for spot, is_include in (((5, CUT + 1, 12), True), ((6, CUT + 4, 12), False)):
        after = clicked(labels, "front", spot, is_include, corrector=by_depth)
        assert after[spot] == is_include
        assert np.array_equal((after == 2)[:, CUT - 3 : CUT], (labels == 2)[:, CUT - 3 : CUT])
        assert not (after == 2)[:, CUT : CUT + 2].any()


@pytest.mark.parametrize("looks", ["back", "background", "neither"])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_between_surface_and_cut_the_look_of_the_place_decides_and_else_the_cut_stays(looks, is_mirrored):
    labels, spot = bar(), (6, CUT, 12)  # one voxel from the background and from the back
    gray = {"back": (60.0, 100.0, 140.0), "background": (140.0, 100.0, 60.0), "neither": (100.0, 100.0, 100.0)}[looks]
    truth = bar(CUT + 1) if looks == "back" else np.where(np.arange(24)[:, None, None] > 6, labels, 0)
    image = np.choose(truth, gray) + np.random.default_rng(0).normal(0.0, 4.0, labels.shape)
    if is_mirrored:
        labels, image, spot = labels[::-1], image[::-1], (17, CUT, 12)
    after = clicked(labels, "front", spot, False, image=image)
    assert np.array_equal(after, bar(CUT + 1) if looks == "back" else labels)


def test_a_ragged_border_does_not_move_as_a_whole():
    ragged = bar(CUT + np.random.default_rng(0).integers(-4, 5, (24, 1, 24)))
    assert np.array_equal(clicked(ragged, "front", (12, CUT - 6, 12)), ragged)


def test_a_border_to_the_background_does_not_move_as_a_whole():
    assert np.array_equal(clicked(bar(), "bar", (5, 20, 12)), bar())


def test_a_sheet_has_the_direction_of_its_slope_and_knows_its_side():
    rows, columns = np.arange(40)[None, :, None], np.arange(24)[None, None, :]
    front = np.broadcast_to(rows >= 10 + columns * 0.6, (24, 40, 24))
    near = np.abs(rows - 17) <= 5  # a bar, so that the sheet has no ends along its slope
    sheet = sheet_between(~front & near, front & near, (1.0, 1.0, 1.0))
    assert sheet is not None
    assert sheet.roughness_mm < 0.5
    assert sheet.coherence == pytest.approx(np.hypot(1.0, 0.6) / 1.6, abs=0.02)
    assert sheet.ahead_mm[12, 4, 12] == pytest.approx((17.2 - 4.5) / np.hypot(1.0, 0.6), abs=0.5)
    assert sheet.ahead_mm[12, 30, 12] < 0.0


def test_labels_that_do_not_touch_have_no_sheet():
    front = np.zeros((4, 4, 4), bool)
    assert sheet_between(front, ~front, (1.0, 1.0, 1.0)) is None
