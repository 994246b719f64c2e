import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import orient
from MedSegAILib.image.metrics import dice
from MedSegAILib.tasks.prepare import prepare
from Testing.makers.phantoms import aligned_grid, make_case, make_labels, oblique_grid

ROLES = ("T1", "T1ce", "T2", "FLAIR")
NATIVE = (
    {"step": "orient", "axes": "LPS"},
    {"step": "crop_nonzero"},
    {"step": "scale_percentiles", "lower": 1, "upper": 99},
    {"step": "pad", "multiple": 8},
)
COARSE = (
    *NATIVE[:2],
    {"step": "scale_percentiles", "lower": 1, "upper": 99, "margin_mm": 3.0},
    {"step": "resample", "spacing_mm": 2.0, "multiple": 8, "at_least_zyx": [48, 48, 48]},
)


def test_without_resampling_undo_gives_the_native_voxels_exactly():
    case = make_case()
    prepared = prepare(case, ROLES, (*NATIVE[:2], NATIVE[3]))
    assert all(count % 8 == 0 for count in prepared.array.shape[1:])
    trail = prepared.trail
    back = np.stack([trail.place(channel, trail.box) for channel in trail.undo(prepared.array, trail.box)])
    for channel, role in enumerate(ROLES):
        assert (back[channel] == case.volumes[role].array).all()


def sparse_case(dtype=np.int16) -> Case:
    """Two sequences with a few voxels that are not 0, one of them negative."""
    arrays = {role: np.zeros((20, 24, 28), dtype) for role in ("T1", "FLAIR")}
    arrays["T1"][3, 5, 7], arrays["T1"][9, 9, 9] = 10, 30
    arrays["FLAIR"][12, 6, 8], arrays["FLAIR"][4, 17, 25] = -4, 20
    return Case(
        {role: Volume(array, Grid(array.shape, np.diag([-1.0, -1.0, 1.0, 1.0]))) for role, array in arrays.items()}
    )


def test_brain_box_is_the_smallest_one_with_every_voxel_of_any_sequence():
    """BraTS 2020 page, section 7: the paper's box, from raw voxels; the code adds one voxel at the low side."""
    prepared = prepare(sparse_case(), ROLES, NATIVE[:2])
    assert prepared.trail.box == (slice(3, 13), slice(5, 18), slice(7, 26))
    assert prepared.array.shape == (4, 10, 13, 19)
    assert prepared.array[0, 0, 0, 0] == 10
    assert prepared.array[3, 9, 1, 1] == -4


def test_brain_box_of_a_case_without_background_is_the_whole():
    case = Case({"FLAIR": Volume(np.ones((9, 10, 11)), Grid((9, 10, 11), np.eye(4)))})
    assert prepare(case, ("FLAIR",), NATIVE[:2]).array.shape == (1, 9, 10, 11)


def test_padding_adds_zeros_at_the_high_end_up_to_the_next_multiple_of_8():
    bare = prepare(sparse_case(), ROLES, NATIVE[:2])
    padded = prepare(sparse_case(), ROLES, (*NATIVE[:2], NATIVE[3]))
    assert padded.array.shape == (4, 16, 16, 24)
    assert (padded.array[:, :10, :13, :19] == bare.array).all()
    assert np.count_nonzero(padded.array) == np.count_nonzero(bare.array) == 4
    assert (padded.trail.working_grid.ijk_to_ras == bare.trail.working_grid.ijk_to_ras).all()
    whole = Case({"FLAIR": Volume(np.ones((8, 16, 24)), Grid((8, 16, 24), np.eye(4)))})
    assert prepare(whole, ("FLAIR",), (*NATIVE[:2], NATIVE[3])).array.shape == (1, 8, 16, 24)


@pytest.mark.parametrize("make_grid", [aligned_grid, oblique_grid])
def test_region_survives_the_way_there_and_back(make_grid):
    labels = make_labels(make_grid())
    case = Case({"FLAIR": Volume((labels.array > 0).astype(np.float32), labels.grid)})
    prepared = prepare(case, ["FLAIR"], (COARSE[0], COARSE[3]))
    trail = prepared.trail
    back = trail.place((trail.undo(prepared.array, trail.box)[0] > 0.5).astype(np.uint8), trail.box)
    assert back.shape == labels.array.shape
    assert dice(back > 0, labels.array > 0) > 0.97


def test_missing_role_is_a_channel_of_zeros_in_its_place():
    case = make_case(roles=("T1ce", "FLAIR"))
    array = prepare(case, ROLES, COARSE).array
    assert array.dtype == np.float32
    assert not array[0].any()
    assert array[1].any()
    assert not array[2].any()
    assert array[3].any()


def test_volumes_of_one_lattice_may_have_their_own_axis_orders():
    case = make_case()
    mixed = {
        role: orient(v, axes)
        for (role, v), axes in zip(case.volumes.items(), ["LPS", "RAS", "SPL", "AIR"], strict=True)
    }
    ours = prepare(Case(mixed, reference="T1"), ROLES, COARSE)
    assert (ours.array == prepare(case, ROLES, COARSE).array).all()


def turned_by(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = (40, -30, 20)
    return turn


def test_every_working_voxel_count_is_a_multiple_and_the_smallest_shape_is_kept():
    for grid in (aligned_grid(), oblique_grid()):
        shape = prepare(make_case(grid), ROLES, COARSE).array.shape[1:]
        assert all(count % 8 == 0 for count in shape)
    small = prepare(make_case(), ROLES, (*COARSE[:2], {**COARSE[3], "at_least_zyx": [80, 96, 96]}))
    assert small.array.shape[1:] == (80, 96, 96)


@pytest.mark.parametrize("degrees", [12, 40])
def test_full_field_of_view_turned_with_its_head_gives_the_same_array(degrees):
    """The head lay turned in the scanner: same voxels, other matrix. Nothing is stripped, air has noise."""
    case = make_case()
    noise = np.random.default_rng(0).uniform(1, 9, case.volumes["T1"].array.shape)
    upright = {role: Volume(volume.array + noise, volume.grid) for role, volume in case.volumes.items()}
    turned = {
        role: Volume(volume.array, Grid(volume.grid.shape_zyx, turned_by(degrees) @ volume.grid.ijk_to_ras))
        for role, volume in upright.items()
    }
    ours = prepare(Case(turned), ROLES, COARSE)
    assert np.allclose(ours.array, prepare(Case(upright), ROLES, COARSE).array, atol=1e-4)


@pytest.mark.parametrize("make_grid", [oblique_grid, lambda: aligned_grid(1.3, 61)])
def test_head_resampled_to_another_grid_meets_nearly_the_same_voxels(make_grid):
    """The head is upright in space and only its grid is tilted, or finer: the patient's axes win."""
    ours, theirs = prepare(make_case(make_grid()), ROLES, COARSE), prepare(make_case(), ROLES, COARSE)
    assert ours.array.shape == theirs.array.shape
    assert np.allclose(ours.trail.working_grid.ijk_to_ras, theirs.trail.working_grid.ijk_to_ras, atol=0.25)
    assert np.corrcoef(ours.array.ravel(), theirs.array.ravel())[0, 1] > 0.95


def test_far_origin_does_not_change_the_array():
    case = make_case()
    far = np.eye(4)
    far[:3, 3] = 1e7
    moved = {r: Volume(v.array, Grid(v.grid.shape_zyx, far @ v.grid.ijk_to_ras)) for r, v in case.volumes.items()}
    assert np.allclose(prepare(Case(moved), ROLES, COARSE).array, prepare(case, ROLES, COARSE).array, atol=1e-4)


@pytest.mark.parametrize(
    "steps",
    [(), ({"step": "crop_nonzero"},), (NATIVE[0], {"step": "magic"}), (NATIVE[0], {"step": "pad", "times": 8})],
)
def test_unknown_step_is_refused(steps):
    with pytest.raises(PackageError) as caught:
        prepare(make_case(), ROLES, steps)
    assert caught.value.code == "package.step"
