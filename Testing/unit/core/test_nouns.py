import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import Cancelled, InputError, PackageError, ResourceError, UsageError, error_from_json
from MedSegAILib.core.labels import Label, LabelScheme, Region
from MedSegAILib.core.result import Passport, Result
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.core.volume import Grid, Volume

RED = (1.0, 0.0, 0.0)
SCHEME = LabelScheme(
    (Label(1, "NCR", "Core", RED), Label(2, "ED", "Edema", RED), Label(4, "ET", "Rim", RED)),
    (Region("WT", "Whole", (1, 2, 4), RED), Region("TC", "Core", (1, 4), RED), Region("ET", "Rim", (4,), RED)),
)


def test_error_crosses_json_unchanged():
    error = ResourceError("memory.not_enough", "Needs 5 GB, has 2 GB.", "Close other programs.", needed_mb=5000)
    again = error_from_json(error.to_json())
    assert (type(again), again.code, again.message, again.hint, again.details, again.exit_code) == (
        ResourceError,
        "memory.not_enough",
        "Needs 5 GB, has 2 GB.",
        "Close other programs.",
        {"needed_mb": 5000},
        5,
    )


def test_error_reads_as_sentence_and_next_step():
    assert str(InputError("a.b", "It is wrong.", "Do this.")) == "It is wrong. Do this."


def test_voxel_volume_counts_spacing_of_all_axes():
    matrix = np.diag([0.5, 2.0, 3.0, 1.0])
    grid = Grid((4, 5, 6), matrix)
    assert grid.voxel_volume_ml == pytest.approx(0.003)
    assert grid.spacing_zyx_mm == pytest.approx((3.0, 2.0, 0.5))


def test_left_handed_grid_is_known_and_has_positive_volume():
    grid = Grid((4, 5, 6), np.diag([-1.0, 1.0, 1.0, 1.0]))
    assert grid.is_left_handed
    assert grid.voxel_volume_ml > 0


@pytest.mark.parametrize("matrix", [np.diag([1.0, 1.0, 0.0, 1.0]), np.full((4, 4), np.nan), np.eye(3)])
def test_damaged_matrix_is_refused(matrix):
    with pytest.raises(InputError) as caught:
        Grid((4, 4, 4), matrix)
    assert caught.value.code == "grid.matrix"


def test_array_of_another_shape_than_its_grid_is_refused():
    with pytest.raises(InputError) as caught:
        Volume(np.zeros((2, 3, 4)), Grid((4, 3, 2), np.eye(4)))
    assert caught.value.code == "volume.shape"


def test_same_grid_forgives_float32_headers_and_nothing_more():
    grid = Grid((155, 240, 240), np.diag([-1.0, -1.0, 1.0, 1.0]))
    rounded = Grid(grid.shape_zyx, (grid.ijk_to_ras * (1 + 1e-7)).astype(np.float32))
    shifted = np.array(grid.ijk_to_ras)
    shifted[0, 3] += 0.1
    assert grid.is_same_as(rounded)
    assert not grid.is_same_as(Grid(grid.shape_zyx, shifted))


def test_regions_are_unions_of_labels():
    labels = np.array([[[0, 1, 2, 4]]])
    assert SCHEME.mask(labels, "WT").tolist() == [[[False, True, True, True]]]
    assert SCHEME.mask(labels, "TC").tolist() == [[[False, True, False, True]]]
    with pytest.raises(UsageError):
        SCHEME.mask(labels, "XX")


def test_scheme_survives_json_and_refuses_unknown_labels():
    assert LabelScheme.from_json(SCHEME.to_json()) == SCHEME
    broken = SCHEME.to_json()
    broken["regions"][0]["labels"] = (1, 3)
    with pytest.raises(PackageError):
        LabelScheme.from_json(broken)


def test_volumes_in_ml_come_from_voxels():
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[0, 0, :3] = 2
    labels[1, 0, :2] = 4
    passport = Passport("t", {}, "0", {}, {}, {})
    result = Result(Volume(labels, Grid((4, 5, 6), np.diag([10.0, 10.0, 10.0, 1.0]))), SCHEME, passport)
    assert result.volumes_ml() == pytest.approx({"WT": 5.0, "TC": 2.0, "ET": 2.0})


def test_passport_survives_json_and_says_research_use():
    passport = Passport("t", {"a": 1}, "0", {}, {}, {}, repairs=("x",), seconds={"check": 0.1})
    again = Passport.from_json(passport.to_json())
    assert again == passport
    assert "Research use only" in again.use


@pytest.mark.parametrize(
    "wrong", [{"preset": "slow"}, {"device": "tpu"}, {"device": "cuda:x"}, {"backend": "x"}, {"threads": -1}]
)
def test_unknown_option_is_refused_by_name(wrong):
    with pytest.raises(UsageError) as caught:
        RunOptions(**wrong)
    assert caught.value.code == f"options.{next(iter(wrong))}"


def test_case_needs_a_volume_and_a_known_reference():
    volume = Volume(np.zeros((2, 2, 2)), Grid((2, 2, 2), np.eye(4)))
    with pytest.raises(UsageError):
        Case({})
    with pytest.raises(UsageError):
        Case({"T1": volume}, reference="T2")
    assert Case({"T1": volume}).reference_grid() is volume.grid


def test_cancel_stops_at_the_next_check():
    cancel = Cancel()
    cancel.check()
    cancel.set()
    with pytest.raises(Cancelled):
        cancel.check()
