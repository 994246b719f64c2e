"""Rigid registration finds known moves of a head made by code."""

import numpy as np
import pytest

from MedSegAILib.core.errors import Cancelled
from MedSegAILib.core.run import Cancel
from MedSegAILib.image.registration import align, gain_nearby, round_trip_mm
from MedSegAILib.image.survey import survey, survey_grid, tissue
from Testing.makers.whole_head import brain_of, make_head, rigid

MOVES = {
    "a nod": rigid((9.0, 0.0, 0.0), (0.0, 4.0, -3.0)),
    "a turn and a shift": rigid((4.0, -6.0, 10.0), (12.0, -8.0, 9.0)),
}


@pytest.mark.parametrize("name", MOVES)
def test_known_move_is_found_within_half_a_voxel(name):
    case = make_head(with_skull=True, moved={"T2": MOVES[name]})
    fixed = case.volumes["T1ce"]
    found = align(case.volumes["T2"], fixed)
    assert round_trip_mm(found.fixed_to_moving, np.linalg.inv(MOVES[name]), fixed.grid, brain_of(fixed.grid)) < 1.5
    assert found.information_after > 1.2 * found.information_before


def test_same_input_gives_the_same_bits():
    case = make_head(moved={"FLAIR": MOVES["a nod"]})
    first, second = (align(case.volumes["FLAIR"], case.volumes["T1"], fine=False) for _ in range(2))
    assert np.array_equal(first.fixed_to_moving, second.fixed_to_moving)


def test_small_moves_gain_only_where_something_is_off():
    case = make_head(with_skull=True, moved={"T2": MOVES["a nod"]})
    assert gain_nearby(case.volumes["FLAIR"], case.volumes["T1ce"]) < 0
    assert gain_nearby(case.volumes["T2"], case.volumes["T1ce"]) > 0


def test_survey_keeps_place_and_amount():
    volume = make_head().volumes["T1"]
    grid = survey_grid(volume.grid)
    coarse = survey(volume, grid)
    assert coarse.sum() * grid.voxel_volume_ml == pytest.approx(
        volume.array.sum() * volume.grid.voxel_volume_ml, rel=0.02
    )
    ours = np.count_nonzero(tissue(coarse)) * grid.voxel_volume_ml
    assert ours == pytest.approx(np.count_nonzero(brain_of(volume.grid)) * volume.grid.voxel_volume_ml, rel=0.1)


def test_a_cancelled_search_stops_at_its_first_step():
    case = make_head()
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        align(case.volumes["FLAIR"], case.volumes["T1"], cancel=cancel)
