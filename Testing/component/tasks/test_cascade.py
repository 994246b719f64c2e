"""Several stages by manifest alone: boxes found, shown, given back, too small, or not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.errors import PackageError, UsageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.tasks.kept import KeptStages
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment
from MedSegAILib.worker.transfer import read_result, write_result
from Testing.makers.abdomen import ORGAN_CENTER_RAS_MM, TUMOR_CENTER_RAS_MM, grid, make_abdomen
from Testing.makers.staged_package import CASCADE_MEMBERS, cascade_manifest, write_package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return read_package(
        write_package(tmp_path_factory.mktemp("cascade") / "staged", cascade_manifest(), CASCADE_MEMBERS)
    )


def package_with(folder, **changes):
    return read_package(write_package(folder / "staged", cascade_manifest(**changes), CASCADE_MEMBERS))


def codes(result):
    return [notice.code for notice in result.notices]


@pytest.mark.parametrize("axes", ["LPS", "RAS", "SLA", "PIR"])
def test_organ_and_tumor_are_found_to_the_voxel_in_every_axis_order(package, axes):
    case, truth = make_abdomen(axes=axes)
    result = segment(case, package)
    assert (result.labels.array == truth.array).all()
    assert codes(result) == []
    organ, tumor = result.boxes
    assert (organ.stage, tumor.stage) == ("organ", "tumor")
    # The organ has a radius of 18 mm, and 6 mm more stand around it.
    assert np.allclose(tumor.center_ras_mm, ORGAN_CENTER_RAS_MM, atol=3.0)
    assert all(48.0 <= size <= 54.0 for size in tumor.size_mm)
    assert min(organ.size_mm) > max(tumor.size_mm)


def test_thick_slices_and_a_tilted_grid_keep_the_cascade(package):
    where = grid((2.5, 2.5, 6.0))
    turn = np.eye(4)
    turn[:3, :3] = [[1, 0, 0], [0, np.cos(0.2), -np.sin(0.2)], [0, np.sin(0.2), np.cos(0.2)]]
    case, truth = make_abdomen(type(where)(where.shape_zyx, turn @ where.ijk_to_ras))
    result = segment(case, package)
    assert (result.labels.array == truth.array).all()
    assert np.allclose(np.array(result.boxes[1].axes).T[:, 1], -turn[:3, 1], atol=1e-6)


def test_what_is_as_bright_as_the_tumor_elsewhere_is_no_tumor(package):
    case, truth = make_abdomen()
    tumor = segment(case, package).labels.array == 2
    assert (case.volumes["CT"].array >= 200)[~tumor].any(), "the phantom has a bone"
    assert (tumor == (truth.array == 2)).all()


def test_without_an_organ_no_tumor_is_invented(package):
    case, _ = make_abdomen(has_organ=False)
    result = segment(case, package)
    assert not result.labels.array.any()
    assert codes(result) == ["stage.nothing_found"]
    assert "No organ was found" in result.notices[0].message
    assert [(facts["name"], facts["ran"]) for facts in result.passport.stages] == [
        ("organ", True),
        ("tumor", False),
    ]
    assert [box.stage for box in result.boxes] == ["organ"]


def test_organ_that_reaches_its_box_is_looked_for_again_in_a_larger_one(tmp_path):
    case, truth = make_abdomen()
    shares = {"of": "body", "I_to_S": [0.35, 1.0]}
    result = segment(case, package_with(tmp_path, rough=shares))
    assert codes(result) == ["stage.box_enlarged"]
    assert (result.labels.array == truth.array).all()
    assert result.passport.stages[0]["tries"] == 2
    once = segment(case, package_with(tmp_path / "once", rough=shares, first={"larger": 1.0}))
    assert codes(once) == ["stage.touches_box"]
    assert 0 < np.count_nonzero(once.labels.array) < np.count_nonzero(truth.array)
    still = segment(case, package_with(tmp_path / "still", rough=shares, first={"larger": 1.05}))
    assert codes(still) == ["stage.box_enlarged", "stage.touches_box"]


def test_box_of_the_result_given_back_gives_the_same_labels(package):
    case, truth = make_abdomen(axes="SPR")
    boxes = segment(case, package).boxes
    again = segment(case, package, RunOptions(boxes=boxes))
    assert again.boxes == boxes
    assert (again.labels.array == truth.array).all()


def test_caller_moves_the_box_and_pays_for_the_second_stage_only(package):
    case, truth = make_abdomen()
    kept = KeptStages()
    first = segment(case, package, kept=kept)
    smaller = StageBox("tumor", TUMOR_CENTER_RAS_MM, (9.0, 60.0, 60.0))
    steps = []
    second = segment(case, package, RunOptions(boxes=(smaller,)), steps.append, kept=kept)
    organ, tumor = second.passport.stages
    assert (organ["kept"], set(organ["seconds"]), tumor["kept"]) == (True, {"box"}, False)
    assert [step.stage for step in steps].count("prepare") == 1
    assert [step.done for step in steps if step.stage == "predict"][-1] == 1
    inside = np.zeros(truth.array.shape, bool)
    inside[:, :, np.abs(-np.arange(truth.array.shape[2]) * 3.0 + truth.grid.ijk_to_ras[0, 3] - 18.0) <= 4.5] = True
    wanted = np.where((truth.array == 2) & ~inside, 1, truth.array)
    assert (second.labels.array == wanted).all()
    assert codes(second) == ["stage.touches_box"]
    assert second.labels.array.tolist() == segment(case, package, RunOptions(boxes=(smaller,))).labels.array.tolist()
    assert first.passport.stages[0]["kept"] is False


def test_the_same_job_again_loads_no_model_and_prepares_nothing(package):
    case, _ = make_abdomen()
    kept, steps = KeptStages(), []
    first = segment(case, package, kept=kept)
    again = segment(case, package, progress=steps.append, kept=kept)
    assert {step.stage for step in steps} == {"check", "repair", "done"}
    assert all(stage["kept"] and set(stage["seconds"]) <= {"box"} for stage in again.passport.stages)
    assert not {"prepare", "predict"} & set(again.passport.seconds)
    assert again.labels.array.tolist() == first.labels.array.tolist()
    assert again.doubt == first.doubt


def test_stages_of_another_case_are_never_reused(package):
    kept = KeptStages()
    segment(make_abdomen()[0], package, kept=kept)
    other = segment(make_abdomen(has_organ=False)[0], package, kept=kept)
    assert not other.labels.array.any()
    assert other.passport.stages[0]["kept"] is False


def test_box_given_by_the_caller_runs_the_stage_without_an_organ(package):
    case, _ = make_abdomen()
    nothing = StageBox("organ", (50.0, 0.0, 50.0), (12.0, 12.0, 12.0))
    tumor = StageBox("tumor", TUMOR_CENTER_RAS_MM, (40.0, 40.0, 40.0))
    result = segment(case, package, RunOptions(boxes=(nothing, tumor)))
    assert set(np.unique(result.labels.array)) == {0, 2}
    assert codes(result) == []


@pytest.mark.parametrize(
    "box",
    [
        StageBox("liver", (0.0, 0.0, 0.0), (10.0, 10.0, 10.0)),
        StageBox("tumor", (900.0, 0.0, 0.0), (10.0, 10.0, 10.0)),
        StageBox("tumor", (0.1, 0.1, 0.1), (0.1, 0.1, 0.1)),
    ],
)
def test_box_that_cannot_be_used_is_refused_by_name(package, box):
    with pytest.raises(UsageError) as caught:
        segment(make_abdomen()[0], package, RunOptions(boxes=(box,)))
    assert caught.value.code == "options.boxes"


def test_passport_has_the_seconds_of_each_stage_and_their_sum(package):
    passport = segment(make_abdomen()[0], package).passport
    stages = passport.stages
    assert [facts["name"] for facts in stages] == ["organ", "tumor"]
    for step in ("box", "prepare", "predict", "decide", "doubt"):
        assert passport.seconds[step] == pytest.approx(sum(facts["seconds"][step] for facts in stages), abs=1e-3)
    assert stages[1]["box"]["stage"] == "tumor"


def test_boxes_cross_the_worker(package, tmp_path):
    result = segment(make_abdomen()[0], package)
    message = write_result(result, tmp_path, with_probabilities=False)
    assert read_result(message, tmp_path).boxes == result.boxes
    options = RunOptions(boxes=result.boxes)
    assert RunOptions(**options.to_json()) == options


def test_progress_runs_once_from_start_to_end_over_all_stages(package):
    steps = []
    segment(make_abdomen()[0], package, progress=steps.append)
    told = [(step.done, step.total) for step in steps if step.stage == "predict"]
    assert told == [(0, 2), (1, 2), (1, 2), (2, 2)]


def test_later_stage_may_replace_what_the_first_one_found_roughly(tmp_path):
    content = cascade_manifest()
    content["stages"][1]["result"] = "replace"
    folder = write_package(tmp_path / "staged", content, CASCADE_MEMBERS)
    case, truth = make_abdomen()
    assert (segment(case, read_package(folder)).labels.array == np.where(truth.array == 2, 2, 0)).all()
    content["stages"][1]["result"] = "over"
    content["stages"][0]["result"] = "none"
    folder = write_package(tmp_path / "staged", content, CASCADE_MEMBERS)
    assert (segment(case, read_package(folder)).labels.array == np.where(truth.array == 2, 2, 0)).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda stages: stages[1]["box"].update({"from": "liver"}),
        lambda stages: stages[0]["box"].update({"from": "organ"}),
        lambda stages: stages[1]["box"].update(margin_cm=1),
        lambda stages: stages[1]["box"].update(larger=0.5),
        lambda stages: stages[1].update(name="organ"),
        lambda stages: stages[1].update(result="none"),
        lambda stages: stages[1].update(result="beside"),
        lambda stages: stages[1]["box"].update(margin_mm=[1, 2]),
        lambda stages: stages.clear(),
        lambda stages: stages[1]["ensembles"][0].update(inputs=["MR"]),
        lambda stages: stages[1]["ensembles"][0].update(channels=["liver"]),
    ],
)
def test_unsound_stages_are_refused(tmp_path, change):
    content = cascade_manifest()
    change(content["stages"])
    folder = write_package(tmp_path / "staged", content, CASCADE_MEMBERS)
    with pytest.raises(PackageError) as caught:
        read_package(folder)
    assert caught.value.code == "package.manifest"


def test_rough_box_that_is_none_is_refused_when_it_is_laid(tmp_path):
    package = package_with(tmp_path, rough={"I_to_S": [0.8, 0.2]})
    with pytest.raises(PackageError) as caught:
        segment(make_abdomen()[0], package)
    assert caught.value.code == "package.manifest"


def test_preset_may_take_fewer_members(tmp_path):
    content = cascade_manifest()
    content["stages"][1]["ensembles"][0]["members"] = ["tumor.safetensors", "other.safetensors"]
    content["presets"]["fast"]["members"] = 1
    folder = write_package(tmp_path / "staged", content, {**CASCADE_MEMBERS, "other": CASCADE_MEMBERS["tumor"]})
    package = read_package(folder)
    case = make_abdomen()[0]
    few, all_ = (segment(case, package, RunOptions(preset=name)) for name in ("fast", "best"))
    assert [len(entry["members"]) for entry in few.passport.engine["ensembles"]] == [1, 1]
    assert [len(entry["members"]) for entry in all_.passport.engine["ensembles"]] == [1, 2]
    assert (few.labels.array == all_.labels.array).all()
    unusable = replace(package, presets={"balanced": {"views": "identity", "members": 0}})
    with pytest.raises(PackageError) as caught:
        segment(case, unusable)
    assert caught.value.code == "package.preset"
