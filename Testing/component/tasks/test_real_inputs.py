"""Wrong and unrepaired input is noticed on real studies; train studies raise no false alarm."""

import json
from dataclasses import replace

import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.run import REPAIRS, Cancel
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.resample import resample
from MedSegAILib.image.survey import survey_grid
from MedSegAILib.io import read_volume
from MedSegAILib.tasks.check import CheckedCase, check
from MedSegAILib.tasks.plausible import compare_sequences, look_at_heads, refuse_other_modality, skull_notice
from MedSegAILib.tasks.repair import repair
from MedSegAILib.tasks.store import find_package
from MedSegAILib.tasks.strip import strip

pytestmark = pytest.mark.shared
ROLES = ("T1", "T1ce", "T2", "FLAIR")
SETS = ("brain_tumor_four_sequences", "brain_tumor_more", "brain_tumor_lgg_flair")


def study(folder) -> Case:
    paths = {role: folder / f"{role}.nii.gz" for role in ROLES}
    volumes = {role: read_volume(path) for role, path in paths.items() if path.is_file()}
    return Case(volumes, reference="T1ce" if "T1ce" in volumes else "FLAIR")


def train(shared_dir, name: str) -> list[str]:
    return json.loads((shared_dir / "data" / name / "splits.json").read_text(encoding="utf-8"))["train"]


def codes(notices) -> list[str]:
    return [notice.code for notice in notices]


@pytest.fixture(scope="module")
def stripped(shared_dir) -> Case:
    """The train study with the least enhancement that the skewness saw."""
    return study(shared_dir / "data" / SETS[0] / "BraTS2021_01477")


@pytest.mark.parametrize("name", SETS)
def test_train_studies_raise_no_false_alarm(name, shared_dir):
    for patient in train(shared_dir, name):
        case = study(shared_dir / "data" / name / patient)
        refuse_other_modality(case, dict.fromkeys(ROLES, "MR"))
        looks, notices = look_at_heads(case)
        has_skull = name == "brain_tumor_lgg_flair"
        assert notices == (), patient
        assert [look.has_skull for look in looks.values()] == [has_skull] * len(looks), patient
        found = codes(compare_sequences(case))
        assert found == [], patient


def test_stripped_study_is_not_repaired(stripped):
    done = repair(CheckedCase(stripped, (), ()), REPAIRS, Cancel(), is_head=True)
    assert (done.notices, done.repairs) == ((), ())


def test_exchanged_t1_is_told_on_a_real_study(stripped):
    volumes = stripped.volumes
    exchanged = Case({**volumes, "T1": volumes["T1ce"], "T1ce": volumes["T1"]}, reference="T1ce")
    assert codes(compare_sequences(exchanged)) == ["case.t1_exchanged"]


def test_one_volume_twice_is_refused_on_a_real_study(stripped):
    flair = stripped.volumes["FLAIR"]
    copied = Volume(np.round(flair.array * 0.21).astype(np.uint16), flair.grid)
    with pytest.raises(InputError) as refused:
        compare_sequences(Case({**stripped.volumes, "T2": copied}, reference="T1ce"))
    assert refused.value.code == "case.same_volume"


def test_shifted_sequence_is_told_and_brought_back_on_a_real_study(stripped):
    grid = stripped.volumes["T2"].grid
    matrix = np.array(grid.ijk_to_ras)
    matrix[:3, 3] += (5.0, -6.0, 4.0)
    moved = Volume(stripped.volumes["T2"].array, Grid(grid.shape_zyx, matrix))
    case = Case({**stripped.volumes, "T2": moved}, reference="T1ce")
    refused = repair(CheckedCase(case, (), ()), ("resample",), Cancel(), is_head=True)
    assert "case.misaligned" in codes(refused.notices)
    done = repair(CheckedCase(case, (), ()), REPAIRS, Cancel(), is_head=True)
    assert codes(done.notices) == ["case.registered"]
    ours, truth = done.case.volumes["T2"].array, stripped.volumes["T2"].array
    inside = (ours > 0) & (truth > 0)
    assert np.corrcoef(ours[inside], truth[inside])[0, 1] > 0.9


def test_body_ct_is_refused(shared_dir):
    body = read_volume(shared_dir / "data" / "abdomen_ct" / "images" / "ircadb_01.nii.gz")
    with pytest.raises(InputError) as refused:
        refuse_other_modality(Case({"FLAIR": body}), {"FLAIR": "MR"})
    assert refused.value.code == "volume.not_mr"
    lifted = Volume(np.clip(body.array, -1024, None) + 1024, body.grid)  # as CT is stored without its offset
    assert codes(look_at_heads(Case({"FLAIR": lifted}))[1]) == ["case.not_a_head"]


def test_whole_head_is_told(shared_dir):
    head = read_volume(shared_dir / "data" / "healthy_t1_with_skull" / "chris_t1" / "T1.nii.gz")
    looks, notices = look_at_heads(Case({"T1": head}))
    assert notices == ()
    assert codes(skull_notice(looks)) == ["case.unstripped"]


def test_study_as_scanned_is_registered_and_masked(shared_dir):
    case = study(shared_dir / "data" / "brain_tumor_native_grids" / "TCGA-FG-6692")
    looks, _ = look_at_heads(case)
    done = repair(CheckedCase(case, (), ()), REPAIRS, Cancel(), is_head=True)
    assert codes(done.notices) == ["case.registered"] * 3
    assert all(volume.grid.is_same_as(case.reference_grid()) for volume in done.case.volumes.values())
    done = strip(done, looks, REPAIRS, wanted=True)
    assert codes(done.notices)[-1] == "case.stripped"
    assert len(done.repairs) == 7


def test_flair_given_as_t2_is_told_on_a_real_study(stripped):
    volumes = stripped.volumes
    exchanged = Case({**volumes, "T2": volumes["FLAIR"], "FLAIR": volumes["T2"]}, reference="T1ce")
    (notice,) = compare_sequences(exchanged)
    assert (notice.code, notice.message) == (
        "case.role_doubtful",
        "T2 looks like FLAIR, FLAIR looks like T2, by the brightness of fluid, gray and white matter.",
    )


@pytest.mark.parametrize("how", ["saved in other axes", "on a coarser grid"])
def test_a_changed_copy_is_refused_on_a_real_study(stripped, how):
    flair = stripped.volumes["FLAIR"]
    if how == "on a coarser grid":
        coarse = survey_grid(flair.grid, 2.0)
        copied = Volume(resample(flair.array, flair.grid, coarse), coarse)
        copied = Volume(resample(copied.array, coarse, flair.grid), flair.grid)  # as the repair brings it back
    else:
        copied = Volume(flair.array[::-1].copy(), turned_over(flair.grid))
    with pytest.raises(InputError) as refused:
        compare_sequences(Case({**stripped.volumes, "T2": copied}, reference="T1ce"))
    assert refused.value.code == "case.same_volume"


def turned_over(grid: Grid) -> Grid:
    matrix = np.array(grid.ijk_to_ras)
    matrix[:3, 3] += matrix[:3, 2] * (grid.shape_zyx[0] - 1)
    matrix[:3, 2] *= -1
    return Grid(grid.shape_zyx, matrix)


def test_missing_sequences_are_told_with_what_they_cost_on_a_real_study(stripped):
    package = find_package("brain-tumor")
    given = Case({role: stripped.volumes[role] for role in ("T1ce", "FLAIR")})
    (notice,) = check(given, package).notices
    measured = package.manifest["expected"]["dice_by_inputs"]["T1ce+FLAIR"]
    assert notice.message == (
        "T1, T2 are missing; the result rests on T1ce, FLAIR alone and is less certain: "
        f"expect Dice WT {measured['WT']:.2f}, TC {measured['TC']:.2f}, ET {measured['ET']:.2f}."
    )
    unknown = {name: value for name, value in package.manifest["expected"].items() if name != "dice_by_inputs"}
    unmeasured = replace(package, manifest={**package.manifest, "expected": unknown})
    assert check(given, unmeasured).notices[0].message.endswith("less certain: what that costs was not measured.")
    with pytest.raises(InputError) as refused:
        check(Case({"T2": stripped.volumes["T2"]}), package)
    assert refused.value.code == "case.missing_role"
