import shutil
from pathlib import Path

import numpy as np
import pytest

from MedSegAILib import segment
from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import Cancelled, InputError, ResourceError
from MedSegAILib.core.result import Passport
from MedSegAILib.core.run import Cancel, RunOptions
from MedSegAILib.image.geometry import orient
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment as run_pipeline
from Testing.makers.phantoms import make_case, oblique_grid
from Testing.makers.tiny_package import make_tiny_package, manifest, seal, write_network


@pytest.fixture
def package(tiny_package):
    return read_package(tiny_package)


@pytest.mark.parametrize("grid", [None, oblique_grid()])
def test_result_lies_on_the_grid_of_the_reference(package, grid):
    case = make_case(grid)
    result = run_pipeline(case, package)
    assert result.labels.grid is case.volumes["T1ce"].grid
    assert result.labels.array.dtype == np.uint8
    assert set(np.unique(result.labels.array)) <= {0, 1, 2, 4}


def test_reference_may_be_chosen_and_have_its_own_axis_order(package):
    case = make_case()
    turned = orient(case.volumes["T2"], "SRA")
    result = run_pipeline(Case({**case.volumes, "T2": turned}, reference="T2"), package)
    assert result.labels.grid is turned.grid
    back = orient(result.labels, "LPS").array
    assert (back == orient(run_pipeline(case, package).labels, "LPS").array).all()


def test_backends_give_the_same_labels(package):
    case = make_case()
    ours, theirs = (run_pipeline(case, package, RunOptions(backend=name)) for name in ("openvino", "torch"))
    assert np.mean(ours.labels.array != theirs.labels.array) < 1e-4


def test_two_runs_give_the_same_bytes(package):
    first, second = (run_pipeline(make_case(), package) for _ in range(2))
    assert (first.labels.array == second.labels.array).all()


def test_passport_names_package_engine_inputs_and_steps(package):
    options = RunOptions(preset="fast", threads=1)
    passport = run_pipeline(make_case(), package, options).passport
    assert passport.package["sha256"] == package.checksums
    assert passport.engine["views"] == ["identity"]
    assert passport.options["preset"] == "fast"
    assert set(passport.inputs) == {"T1", "T1ce", "T2", "FLAIR"}
    assert set(passport.seconds) == {"check", "repair", "prepare", "predict", "decide", "doubt"}
    assert passport.peak_memory_mb > 0
    assert Passport.from_json(passport.to_json()) == passport


def test_fingerprint_of_an_input_follows_its_voxels(package):
    case = make_case()
    changed = case.volumes["T2"].array.copy()
    changed[20, 20, 20] += 1
    from MedSegAILib.tasks.record import describe_inputs

    before = describe_inputs(case)
    case.volumes["T2"].array[:] = changed
    after = describe_inputs(case)
    assert before["T1"] == after["T1"]
    assert before["T2"]["sha256"] != after["T2"]["sha256"]


def test_probabilities_are_kept_only_when_asked_for(package):
    assert run_pipeline(make_case(), package).probabilities is None
    kept = run_pipeline(make_case(), package, RunOptions(keep_probabilities=True)).probabilities
    assert kept.regions == ("ET", "TC", "WT")
    assert kept.array.dtype == np.float32
    assert 0 <= kept.array.min() <= kept.array.max() <= 1


def test_members_and_views_that_disagree_become_places(package):
    result = run_pipeline(make_case(), package, RunOptions(preset="best", keep_probabilities=True))
    doubt = result.doubt
    assert doubt.pass_count == 8
    assert set(doubt.contested_ml) == {"WT", "TC", "ET"}
    assert sum(doubt.contested_ml.values()) > 0, "eight looks of random weights disagree somewhere"
    assert "8 passes" in result.passport.engine["doubt"]
    low, high = (np.min, np.max)
    corners = result.labels.grid.corners_ras_mm()
    for place in doubt.places:
        assert (place.position_ras_mm >= low(corners, axis=1) - 20).all()
        assert (place.position_ras_mm <= high(corners, axis=1) + 20).all()
    assert run_pipeline(make_case(), package, RunOptions(preset="fast")).doubt.contested_ml == {}


def test_little_memory_runs_in_windows_and_says_so_on_the_result(tmp_path):
    folder = make_tiny_package(tmp_path / "brain-tumor")
    content = manifest()
    content["stages"][0]["ensembles"][0]["prepare"][3]["spacing_mm"] = 1.0
    seal(folder, content)
    package = read_package(folder)
    whole = run_pipeline(make_case(), package, RunOptions(preset="fast", keep_probabilities=True))
    plan = whole.passport.engine["ensembles"][0]["memory"]
    assert "windows" not in plan
    assert whole.passport.fallbacks == ()
    seen = []
    options = RunOptions(preset="fast", keep_probabilities=True, memory_mb=plan["needed_mb"] - 2)
    cut = run_pipeline(make_case(), package, options, seen.append)
    entry = cut.passport.engine["ensembles"][0]
    assert entry["memory"]["needed_mb"] <= options.memory_mb
    assert min(entry["memory"]["windows"]["size"]) >= 32
    (sentence,) = cut.passport.fallbacks
    assert "Computed in windows of" in sentence
    assert "memory.stepped_down" in [notice.code for notice in cut.notices]
    passes = [step.done for step in seen if step.stage == "predict"]
    assert passes == list(range(entry["forwards"] + 1))
    assert np.abs(cut.probabilities.array - whole.probabilities.array).mean() < 0.05
    with pytest.raises(ResourceError) as caught:
        run_pipeline(make_case(), package, RunOptions(memory_mb=20))
    assert caught.value.code == "memory.not_enough"


def test_windows_of_a_manifest_are_used(tmp_path):
    folder = make_tiny_package(tmp_path / "brain-tumor")
    content = manifest()
    content["stages"][0]["ensembles"][0]["window"] = {"size": [32, 32, 32], "overlap": 0.25, "weights": "flat"}
    seal(folder, content)
    result = run_pipeline(make_case(), read_package(folder), RunOptions(preset="fast"))
    entry = result.passport.engine["ensembles"][0]
    assert entry["memory"]["windows"] == {"size": [32, 32, 32], "overlap": 0.25, "weights": "flat"}
    assert entry["forwards"] > 1
    assert result.passport.fallbacks == ()


def test_progress_ends_at_done_and_cancel_stops_between_passes(package):
    seen = []
    run_pipeline(make_case(), package, RunOptions(preset="best"), seen.append)
    stages = [step.stage for step in seen]
    assert sorted(set(stages), key=stages.index) == ["check", "repair", "prepare", "predict", "decide", "done"]
    assert [step.done for step in seen if step.stage == "predict"] == list(range(9))
    cancel = Cancel()
    with pytest.raises(Cancelled):
        run_pipeline(make_case(), package, RunOptions(preset="best"), lambda step: cancel.set(), cancel)


def test_missing_sequence_is_a_notice_or_a_refusal(package):
    result = run_pipeline(make_case(roles=("T1ce", "FLAIR")), package)
    # The phantom's head is a third of life size, and that is noticed.
    assert [notice.code for notice in result.notices] == ["case.missing_role", "case.part_of_head"]
    with pytest.raises(InputError):
        run_pipeline(make_case(roles=("T1", "T2")), package)


def test_python_door_finds_the_package_by_its_task(tiny_package):
    result = segment(make_case(), "brain-tumor", packages=[Path(tiny_package)])
    assert result.passport.package["version"] == "0.0.1"


def two_pipelines(folder: Path) -> dict:
    """Write a package with A (two members) and B (other norms and preparation, one member); give its manifest."""
    make_tiny_package(folder)
    content = manifest()
    stage = content["stages"][0]
    for seed, name in ((3, "a1"), (4, "b0"), (5, "a0")):
        write_network(folder, seed)
        shutil.copyfile(folder / "a0.safetensors", folder / f"{name}.safetensors.new")
    for part in folder.glob("*.new"):
        part.replace(part.with_suffix(""))
    ours = stage["ensembles"][0]
    ours["members"] = ["a0.safetensors", "a1.safetensors"]
    prepare = [step for step in ours["prepare"] if step["step"] != "scale_percentiles"]
    prepare.insert(2, {"step": "zscore_nonzero"})
    stage["ensembles"] = [ours, {**ours, "name": "B", "members": ["b0.safetensors"], "prepare": prepare}]
    return content


def test_two_ensembles_with_two_members_run_from_the_manifest_alone(tmp_path):
    """Pipelines A and B of BraTS 2020 in miniature, merged by the paper's table."""
    folder = tmp_path / "brain-tumor"
    content = two_pipelines(folder)
    stage = content["stages"][0]
    ours, theirs = stage["ensembles"]
    stage["merge"] = {
        "rule": "label_table",
        "columns": "A",
        "rows": "B",
        "values": [0, 1, 2, 4],
        "cells": [[0, 1, 0, 4], [0, 1, 2, 4], [2, 1, 2, 4], [0, 1, 2, 4]],
    }
    seal(folder, content)
    seen = []
    result = run_pipeline(make_case(), read_package(folder), RunOptions(keep_probabilities=True), seen.append)
    assert [step.done for step in seen if step.stage == "predict" and step.total == 6][-1] == 6
    assert [entry["members"] for entry in result.passport.engine["ensembles"]] == [ours["members"], theirs["members"]]
    assert result.probabilities.array.shape[0] == 3
    stage["ensembles"], stage["merge"] = [ours], {}
    seal(folder, content)
    alone = run_pipeline(make_case(), read_package(folder)).labels.array
    core = np.isin(alone, (1, 4))
    assert (result.labels.array[core] == alone[core]).all()


def test_only_those_who_have_a_say_in_a_region_can_disagree_about_it(tmp_path):
    folder = tmp_path / "brain-tumor"
    content = two_pipelines(folder)
    stage = content["stages"][0]

    def contested() -> dict[str, float]:
        seal(folder, content)
        return run_pipeline(make_case(), read_package(folder)).doubt.contested_ml

    stage["merge"] = {"rule": "mean", "weights": {"TC": {"A": 1}, "ET": {"A": 1, "B": 0}}}
    weighed = contested()
    stage["merge"] = {"rule": "mean"}
    all_alike = contested()
    stage["ensembles"], stage["merge"] = stage["ensembles"][:1], {}
    alone = contested()
    assert weighed["WT"] == all_alike["WT"] != alone["WT"]
    for region in ("TC", "ET"):
        assert weighed[region] == alone[region] != all_alike[region]
