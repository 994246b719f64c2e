from types import SimpleNamespace

import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.tasks.check import check
from Testing.makers.phantoms import make_case

ROLES = ("T1", "T1ce", "T2", "FLAIR")
PACKAGE = SimpleNamespace(
    title="Brain tumor",
    roles=ROLES,
    reference=("T1ce", "FLAIR", "T1", "T2"),
    subsets=(frozenset(ROLES), frozenset({"FLAIR"})),
    manifest={},
)


def with_volume(role: str, array, grid: Grid | None = None) -> Case:
    case = make_case()
    return Case({**case.volumes, role: Volume(np.asarray(array), grid or case.volumes[role].grid)})


def refusal(case: Case) -> InputError:
    with pytest.raises(InputError) as caught:
        check(case, PACKAGE)
    assert caught.value.hint
    return caught.value


def test_sound_case_passes_with_its_reference_named():
    checked = check(make_case(), PACKAGE)
    assert checked.case.reference == "T1ce"
    assert checked.notices == ()
    assert checked.repairs == ()


def test_unknown_role_is_a_usage_error():
    with pytest.raises(UsageError):
        check(Case({"CT": make_case().volumes["T1"]}), PACKAGE)


def test_missing_sequence_is_named_and_refused_unless_trained_for():
    error = refusal(make_case(roles=("T1", "T2")))
    assert error.code == "case.missing_role"
    assert "T1ce, FLAIR is missing" in error.message
    notices = check(make_case(roles=("FLAIR",)), PACKAGE).notices
    assert [notice.code for notice in notices] == ["case.missing_role"]


def test_same_image_in_two_roles_is_refused():
    case = make_case()
    error = refusal(Case({**case.volumes, "T1ce": case.volumes["T1"]}))
    assert (error.code, error.message) == ("case.same_volume", "T1 and T1ce are the same image.")


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.full((40, 40, 40), np.nan), "volume.not_finite"),
        (np.full((40, 40, 40), 7.0), "volume.constant"),
        (np.zeros((40, 40, 40)), "volume.constant"),
    ],
)
def test_volume_without_contents_is_refused(array, code):
    assert refusal(with_volume("T2", array)).code == code


def test_single_slice_is_refused():
    grid = Grid((1, 40, 40), np.eye(4))
    assert refusal(Case({"FLAIR": Volume(np.ones((1, 40, 40)), grid)})).code == "volume.too_thin"


def test_some_voxels_without_value_are_set_to_zero_and_said():
    array = make_case().volumes["T2"].array.copy()
    array[20, 20, 20:23] = np.nan, np.inf, -np.inf
    checked = check(with_volume("T2", array), PACKAGE)
    assert checked.case.volumes["T2"].array[20, 20, 20:23].tolist() == [0, 0, 0]
    assert [notice.code for notice in checked.notices] == ["volume.not_finite"]
    assert checked.repairs == ("T2: 3 voxels without a finite value set to 0",)
    assert np.isnan(array[20, 20, 20])
