import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import orient
from MedSegAILib.image.metrics import dice
from MedSegAILib.tasks.prepare import prepare, working_grid
from Testing.makers.phantoms import aligned_grid, make_case, make_labels, oblique_grid

ROLES = ("T1", "T1ce", "T2", "FLAIR")
NATIVE = (
    {"step": "orient", "axes": "LPS"},
    {"step": "crop_nonzero"},
    {"step": "scale_percentiles", "lower": 1, "upper": 99},
    {"step": "pad", "multiple": 8},
)
COARSE = (*NATIVE[:3], {"step": "resample", "spacing_mm": 2.0}, NATIVE[3])


def test_without_resampling_undo_gives_the_native_voxels_exactly():
    case = make_case()
    prepared = prepare(case, ROLES, (*NATIVE[:2], NATIVE[3]))
    assert all(count % 8 == 0 for count in prepared.array.shape[1:])
    back = np.stack([prepared.trail.place(channel) for channel in prepared.trail.undo(prepared.array)])
    for channel, role in enumerate(ROLES):
        assert (back[channel] == case.volumes[role].array).all()


@pytest.mark.parametrize("make_grid", [aligned_grid, oblique_grid])
def test_region_survives_the_way_there_and_back(make_grid):
    labels = make_labels(make_grid())
    case = Case({"FLAIR": Volume((labels.array > 0).astype(np.float32), labels.grid)})
    prepared = prepare(case, ["FLAIR"], (COARSE[0], COARSE[3], COARSE[4]))
    back = prepared.trail.place((prepared.trail.undo(prepared.array)[0] > 0.5).astype(np.uint8))
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


def test_same_anatomy_meets_the_same_lattice_whatever_grid_it_was_stored_on():
    for grid in (aligned_grid(), aligned_grid(1.3, 61), oblique_grid()):
        lattice = working_grid(orient(Volume(np.zeros(grid.shape_zyx), grid)).grid, 2.0).ijk_to_ras
        assert np.allclose(lattice[:3, :3], np.diag([-2, -2, 2]))
        assert np.allclose(lattice[:3, 3] / 2, np.round(lattice[:3, 3] / 2))


def test_far_origin_does_not_blur_the_lattice():
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0])
    matrix[:3, 3] = 1e7
    near, far = Grid((20, 20, 20), np.diag([-1.0, -1.0, 1.0, 1.0])), Grid((20, 20, 20), matrix)
    assert working_grid(near, 2.0).shape_zyx == working_grid(far, 2.0).shape_zyx


@pytest.mark.parametrize(
    "steps",
    [(), ({"step": "crop_nonzero"},), (NATIVE[0], {"step": "magic"}), (NATIVE[0], {"step": "pad", "times": 8})],
)
def test_unknown_step_is_refused(steps):
    with pytest.raises(PackageError) as caught:
        prepare(make_case(), ROLES, steps)
    assert caught.value.code == "package.step"
