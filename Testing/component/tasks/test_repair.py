"""Repairs on phantoms: done when allowed, named, refused by name."""

import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError, UsageError
from MedSegAILib.core.run import REPAIRS, Cancel, RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.tasks.check import CheckedCase
from MedSegAILib.tasks.plausible import compare_sequences, look_at_heads, refuse_other_modality
from MedSegAILib.tasks.repair import repair
from MedSegAILib.tasks.strip import strip
from Testing.makers.phantoms import aligned_grid, make_case
from Testing.makers.whole_head import brain_of, head_grid, make_head, rigid


def checked(case: Case) -> CheckedCase:
    return CheckedCase(Case(case.volumes, reference="T1ce"), (), ())


def codes(notices) -> list[str]:
    return [notice.code for notice in notices]


def with_other_grid() -> Case:
    """The small head, whose T2 was sampled on a coarser grid."""
    coarse = make_case(aligned_grid(2.5, 32))
    return Case({**make_case().volumes, "T2": coarse.volumes["T2"]})


def test_sound_case_stays_as_it_is():
    case = make_head()
    done = repair(checked(case), REPAIRS, Cancel(), is_head=True)
    assert (done.notices, done.repairs) == ((), ())
    assert all(done.case.volumes[role] is case.volumes[role] for role in case.volumes)


def test_other_grid_is_resampled_and_named():
    case = with_other_grid()
    done = repair(checked(case), ("resample",), Cancel(), is_head=True)
    moved, wanted = done.case.volumes["T2"], make_case().volumes["T2"]
    assert moved.grid.is_same_as(wanted.grid)
    inside = wanted.array > 0
    assert np.corrcoef(moved.array[inside], wanted.array[inside])[0, 1] > 0.7
    assert codes(done.notices) == ["case.resampled"]
    assert "32 x 32 x 32 voxels of 2.5 x 2.5 x 2.5 mm against 40 x 40 x 40" in done.repairs[0]


def test_other_grid_is_an_error_when_resampling_is_refused():
    with pytest.raises(InputError) as refused:
        repair(checked(with_other_grid()), (), Cancel(), is_head=True)
    assert refused.value.code == "case.grids_differ"
    assert "40 x 40 x 40 voxels of 2 x 2 x 2 mm" in refused.value.message


def test_moved_patient_is_registered_and_the_residual_told():
    move = rigid((8.0, 3.0, -5.0), (6.0, -7.0, 4.0))
    case = make_head(with_skull=True, moved={"FLAIR": move})
    done = repair(checked(case), REPAIRS, Cancel(), is_head=True)
    assert codes(done.notices) == ["case.registered"]
    assert "FLAIR registered to T1ce" in done.repairs[0]
    assert "there and back a point misses itself by" in done.repairs[0]
    still, moved = make_head(with_skull=True).volumes["FLAIR"].array, done.case.volumes["FLAIR"].array
    brain = brain_of(head_grid())
    before = np.corrcoef(case.volumes["FLAIR"].array[brain], still[brain])[0, 1]
    assert np.corrcoef(moved[brain], still[brain])[0, 1] > before + 0.4


def test_moved_patient_is_only_told_when_registering_is_refused():
    case = make_head(moved={"FLAIR": rigid((8.0, 0.0, 0.0), (0.0, 7.0, 0.0))})
    done = repair(checked(case), ("resample",), Cancel(), is_head=True)
    assert codes(done.notices) == ["case.misaligned"]
    assert done.case.volumes["FLAIR"] is case.volumes["FLAIR"]


@pytest.mark.parametrize(
    ("allowed", "wanted", "code"),
    [(REPAIRS, True, "case.stripped"), ((), True, "case.unstripped"), (REPAIRS, False, "case.unstripped")],
)
def test_skull_is_masked_or_told(allowed, wanted, code):
    case = make_head(with_skull=True)
    looks, notices = look_at_heads(case)
    assert notices == ()
    done = strip(checked(case), looks, allowed, wanted=wanted)
    assert codes(done.notices) == [code]
    assert bool(done.repairs) == (code == "case.stripped")
    corner_of_scalp = ~brain_of(head_grid()) & (case.volumes["T1"].array > 300)
    kept = np.count_nonzero(done.case.volumes["T1"].array[corner_of_scalp])
    assert kept < 0.1 * np.count_nonzero(corner_of_scalp) if code == "case.stripped" else kept > 0


def test_stripped_head_gives_no_notice():
    case = make_head()
    looks, notices = look_at_heads(case)
    assert notices == ()
    assert strip(checked(case), looks, REPAIRS, wanted=True).notices == ()


def test_copy_on_another_scale_is_refused():
    case = make_head()
    scaled = np.where(case.volumes["T1"].array > 0, case.volumes["T1"].array * 0.37 + 5.0, 0)
    copied = Volume(np.round(scaled).astype(np.uint8), case.reference_grid())
    with pytest.raises(InputError) as refused:
        compare_sequences(Case({**case.volumes, "T2": copied}, reference="T1ce"))
    assert (refused.value.code, "T1 and T2" in refused.value.message) == ("case.same_volume", True)


def test_exchanged_t1_is_told_and_not_changed():
    volumes = make_head().volumes
    assert compare_sequences(Case(volumes, reference="T1ce")) == ()
    exchanged = Case({**volumes, "T1": volumes["T1ce"], "T1ce": volumes["T1"]}, reference="T1ce")
    assert codes(compare_sequences(exchanged)) == ["case.t1_exchanged"]


def test_half_a_sequence_is_told():
    volumes = make_head().volumes
    half = volumes["T2"].array.copy()
    half[:36] = 0
    case = Case({**volumes, "T2": Volume(half, volumes["T2"].grid)}, reference="T1ce")
    assert codes(compare_sequences(case)) == ["case.coverage"]


def test_ct_is_refused_where_mr_is_wanted():
    array = np.full((20, 20, 20), -1000, np.int16)
    array[5:15, 5:15, 5:15] = 40
    case = Case({"FLAIR": Volume(array, Grid((20, 20, 20), np.eye(4)))})
    with pytest.raises(InputError) as refused:
        refuse_other_modality(case, {"FLAIR": "MR"})
    assert refused.value.code == "volume.not_mr"
    refuse_other_modality(case, {"FLAIR": "CT"})


def test_size_of_a_body_and_of_a_part_is_told():
    body = np.pad(np.full((70, 80, 90), 300.0, np.float32), 5)
    grid = Grid(body.shape, np.diag([4.0, 4.0, 4.0, 1.0]))
    assert codes(look_at_heads(Case({"FLAIR": Volume(body, grid)}))[1]) == ["case.not_a_head"]
    assert codes(look_at_heads(make_case(roles=("FLAIR",)))[1]) == ["case.part_of_head"]


def test_options_name_the_repairs_and_survive_json():
    options = RunOptions(repair=("register",))
    assert RunOptions(**{**options.to_json(), "repair": ["register"]}) == options
    with pytest.raises(UsageError):
        RunOptions(repair=("paint",))
