import numpy as np
import pytest

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.volume import Grid
from MedSegAILib.image.geometry import reorientation_to
from MedSegAILib.tasks.boxes import from_space, larger_box, region_box, rough_box, to_space, touches_face
from Testing.makers.phantoms import oblique_grid

# x to the left, y to the back, z up: 2, 3 and 5 mm.
GRID = Grid((20, 30, 40), np.diag([-2.0, -3.0, 5.0, 1.0]))


def sides(box):
    return [(side.start, side.stop) for side in box]


def test_shares_of_the_image_count_from_right_front_and_below():
    box = rough_box(
        [np.zeros(GRID.shape_zyx)], GRID, {"R_to_L": [0.1, 0.5], "A_to_P": [0.0, 0.5], "I_to_S": [0.2, 0.8]}
    )
    assert sides(box) == [(4, 16), (0, 15), (4, 20)]


def test_shares_mean_the_same_place_in_every_axis_order():
    image = np.zeros(GRID.shape_zyx)
    image[3:12, 5:25, 6:30] = 1.0
    rough = {"of": "nonzero", "R_to_L": [0.25, 1.0], "I_to_S": [0.0, 0.5]}
    wanted = sides(rough_box([image], GRID, rough))
    assert wanted == [(3, 8), (5, 25), (12, 30)]
    for axes in ("RAS", "SPL", "AIR"):
        move = reorientation_to(GRID, axes)
        box = rough_box([move.apply(image)], move.grid(GRID), rough)
        assert sides(move.undo_box(box, GRID.shape_zyx)) == wanted


def test_body_is_the_largest_piece_above_air_and_not_the_table():
    image = np.full(GRID.shape_zyx, -1000.0)
    image[:, 6:21, 8:32] = 30.0
    image[:, 12:15, 16:24] = -900.0  # lung
    image[:, 27:, 4:36] = 100.0  # table
    (z, y, x) = rough_box([image], GRID, {"of": "body"})
    assert (z.start, z.stop) == (0, 20)
    assert abs(y.start - 6) <= 1
    assert abs(y.stop - 21) <= 1
    assert abs(x.start - 8) <= 2
    assert abs(x.stop - 32) <= 2


@pytest.mark.parametrize(
    "rough", [{"of": "spine"}, {"Z": [0, 1]}, {"I_to_S": [0.5, 0.5]}, {"I_to_S": [-0.1, 1]}, {"I_to_S": [0]}]
)
def test_rough_boxes_that_are_none_are_refused(rough):
    with pytest.raises(ValueError, match=r"rough box|I_to_S|unpack"):
        rough_box([np.zeros(GRID.shape_zyx)], GRID, rough)


def test_margin_in_mm_becomes_whole_voxels_on_each_side_and_stops_at_the_border():
    mask = np.zeros(GRID.shape_zyx, bool)
    mask[10, 15, 20] = True
    assert sides(region_box(mask, GRID, 6.0)) == [(8, 13), (13, 18), (17, 24)]
    assert sides(region_box(mask, GRID, (2.0, 0.0, 500.0))) == [(0, 20), (15, 16), (19, 22)]


def test_box_is_at_least_so_large_around_its_center():
    mask = np.zeros(GRID.shape_zyx, bool)
    mask[10, 15, 20] = True
    assert sides(region_box(mask, GRID, 0.0, 15.0)) == [(9, 12), (13, 18), (16, 25)]
    assert region_box(np.zeros_like(mask), GRID, 5.0) is None


def test_larger_box_grows_on_both_sides():
    box = (slice(8, 12), slice(0, 10), slice(30, 40))
    assert sides(larger_box(box, GRID.shape_zyx, 1.5)) == [(7, 13), (0, 13), (27, 40)]
    assert larger_box(box, GRID.shape_zyx, 1.0) == box


def test_only_faces_inside_the_image_count_as_touched():
    mask = np.zeros((10, 10, 10), bool)
    box = (slice(0, 5), slice(2, 8), slice(5, 10))
    mask[0, 4, 9] = True
    assert not touches_face(mask, box)
    for place in ((4, 4, 7), (2, 2, 7), (2, 7, 7), (2, 4, 5)):
        touching = mask.copy()
        touching[place] = True
        assert touches_face(touching, box), place
    mask[8, 4, 7] = True
    assert not touches_face(mask, box), "outside of the box"


@pytest.mark.parametrize("grid", [GRID, oblique_grid()])
def test_box_in_space_gives_its_voxels_back(grid):
    for box in ((slice(0, 1), slice(3, 9), slice(0, 40)), (slice(2, 20), slice(0, 30), slice(11, 12))):
        there = to_space("a", grid, box)
        assert from_space(there, grid) == box
        count = np.prod([side.stop - side.start for side in box])
        assert np.prod(there.size_mm) / 1000.0 == pytest.approx(count * grid.voxel_volume_ml)


def test_box_along_the_patient_holds_the_voxels_whose_centers_it_holds():
    # Voxel centers lie at x = 0, -2, -4 ..., y = 0, -3 ..., z = 0, 5 ...
    box = StageBox("a", (-5.0, -6.0, 10.0), (4.5, 1.0, 12.0))
    assert sides(from_space(box, GRID)) == [(1, 4), (2, 3), (2, 4)]
    with pytest.raises(UsageError):
        from_space(StageBox("a", (20.0, 0.0, 0.0), (4.0, 4.0, 4.0)), GRID)
