import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.tasks.prepare import prepare

ORIENT = {"step": "orient", "axes": "LPS"}
GRID = Grid((12, 10, 14), np.diag([-2.0, -2.0, 3.0, 1.0]))


def case_of(image, grid=GRID) -> Case:
    return Case({"CT": Volume(image, grid)})


def ramp() -> np.ndarray:
    """Each slice holds its own number."""
    return np.broadcast_to(np.arange(12.0)[:, None, None], GRID.shape_zyx).copy()


def prepared(image, *steps, **more):
    return prepare(case_of(image), ["CT"], [ORIENT, *steps], **more)


def test_slices_at_equal_steps_over_a_share_of_the_axis():
    array = prepared(ramp(), {"step": "select_slices", "count": 4, "low": 0.25, "high": 0.75}).array[0]
    assert array.shape == (4, 10, 14)
    assert array[:, 0, 0].tolist() == pytest.approx([10 / 3, 14 / 3, 19 / 3, 23 / 3])  # one and a half slices each


def test_more_slices_than_there_are_come_by_interpolation():
    array = prepared(ramp(), {"step": "select_slices", "count": 24}).array[0]
    assert array[1:23, 0, 0].tolist() == pytest.approx(np.arange(0.25, 11.0, 0.5))


def test_fixed_number_of_voxels_spans_the_same_box():
    made = prepared(ramp(), {"step": "resample_shape", "shape_zyx": [6, 0, 7]})
    assert made.array.shape == (1, 6, 10, 7)
    assert made.array[0, :, 0, 0].tolist() == [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]
    assert made.trail.working_grid.spacing_zyx_mm == (6.0, 2.0, 4.0)


def test_resampling_around_the_box_takes_a_spacing_and_a_multiple_by_axis():
    steps = {"step": "resample", "spacing_mm": [3.0, 1.0, 4.0], "multiple": [1, 4, 2], "around": "all"}
    made = prepared(ramp(), steps)
    assert made.trail.working_grid.spacing_zyx_mm == (3.0, 1.0, 4.0)
    assert made.array.shape == (1, 12, 24, 8)
    centers = made.trail.working_grid.corners_ras_mm().mean(axis=1)
    assert np.allclose(centers, GRID.corners_ras_mm().mean(axis=1))


def test_resampling_around_the_box_keeps_the_slices_of_a_tilted_image():
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(0.05), -np.sin(0.05)], [np.sin(0.05), np.cos(0.05)]]
    tilted = Grid(GRID.shape_zyx, turn @ GRID.ijk_to_ras)
    steps = [ORIENT, {"step": "resample", "spacing_mm": [3.0, 2.0, 2.0], "around": "all"}]
    array = prepare(case_of(ramp(), tilted), ["CT"], steps).array[0]
    assert array[:, 5, 7].tolist() == ramp()[:, 0, 0].tolist()


def test_what_lies_outside_the_image_may_be_its_minimum():
    image = ramp() - 1000.0
    steps = {"step": "resample", "spacing_mm": [3.0, 2.0, 2.0], "multiple": [8, 8, 8], "around": "all", "fill": "min"}
    assert prepared(image, steps).array.min() == -1000.0
    padded = prepared(image, {"step": "pad", "multiple": [16, 1, 4], "at_least_zyx": [1, 12, 1], "fill": "min"}).array
    assert padded.shape == (1, 16, 12, 16)
    assert padded[0, 15, 11, 15] == -1000.0
    assert prepared(image, {"step": "pad", "multiple": 8, "fill": -5}).array[0, 15, 15, 15] == -5.0


def test_rough_crop_counts_along_the_patient_in_every_plane():
    rough = {"I_to_S": [0.5, 1.0]}
    for plane, axis in (("axial", 0), ("coronal", 1), ("sagittal", 1)):
        steps = [{"step": "orient", "plane": plane}, {"step": "crop_rough", "rough": rough}]
        made = prepare(case_of(ramp()), ["CT"], steps)
        assert made.array.min() == 6.0
        assert made.array.shape[1 + axis] == 6


def test_box_is_in_the_axis_order_of_the_file_and_crops_compose():
    image = np.zeros(GRID.shape_zyx)
    image[4:9, 3:7, 5:11] = 1.0
    box = (slice(2, 8), slice(0, 10), slice(6, 14))
    made = prepared(image, {"step": "crop_nonzero"}, box=box)
    assert made.trail.box == (slice(4, 8), slice(3, 7), slice(6, 11))
    assert made.array.all()
    right_to_left = Grid(GRID.shape_zyx, np.diag([2.0, -2.0, 3.0, 1.0]))
    flipped = prepare(case_of(image[:, :, ::-1].copy(), right_to_left), ["CT"], [ORIENT], box=box)
    assert flipped.trail.box[2] == slice(0, 8)


def test_intensity_steps_run_in_the_order_written():
    array = prepared(ramp(), {"step": "window_map", "low": 2, "high": 10, "to": [-1, 1]}, {"step": "zscore"}).array
    assert array.mean() == pytest.approx(0.0, abs=1e-6)
    assert array.std() == pytest.approx(1.0, abs=1e-6)
    assert prepared(ramp(), {"step": "window_map", "low": 2, "high": 10}).array[0, :, 0, 0].tolist() == pytest.approx(
        np.clip((np.arange(12) - 2) / 8, 0, 1)
    )


def test_channels_come_in_the_order_of_the_roles_asked_for():
    volumes = {role: Volume(np.full(GRID.shape_zyx, value), GRID) for role, value in (("T1", 1.0), ("T2", 2.0))}
    array = prepare(Case(volumes), ("T2", "FLAIR", "T1"), [ORIENT]).array
    assert array[:, 0, 0, 0].tolist() == [2.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "step",
    [
        {"step": "resample", "spacing_mm": 2.0, "around": "tumor"},
        {"step": "resample", "spacing_mm": [2.0, 2.0]},
        {"step": "select_slices", "count": 4, "low": 0.8, "high": 0.2},
        {"step": "window_map", "low": 10, "high": 10},
        {"step": "pad", "fill": "max"},
        {"step": "diffuse", "gamma": 0.5},
        {"step": "n4", "shrink": 0},
        {"step": "crop_rough", "rough": {"of": "spine"}},
    ],
)
def test_values_that_a_step_does_not_take_are_named(step):
    with pytest.raises(PackageError) as caught:
        prepared(ramp(), step)
    assert caught.value.code == "package.step"
    assert step["step"] in caught.value.message
