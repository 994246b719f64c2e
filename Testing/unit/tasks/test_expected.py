"""What a run is expected to take and be worth: learned from runs here, told before the run, never guessed."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from MedSegAILib.core.result import Passport
from MedSegAILib.core.run import RunOptions
from MedSegAILib.engine.device import Plan
from MedSegAILib.tasks.expected import Expectation, expect, expected_seconds
from MedSegAILib.tasks.history import MOST_RUNS, Run, history_file, network_words, read_history, remember, run_of
from MedSegAILib.tasks.outlook import dice_words, expected_dice, time_words, usual_seconds
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment
from Testing.makers.phantoms import make_case

PLAN = Plan("openvino", "cpu", "fp32", 2)
ENSEMBLE = {
    "name": "A",
    "networks": [{"name": "n", "arguments": {"width": 8}}],
    "working_shape_zyx": [80, 96, 80],
    "ran_on": "cpu",
    "forwards": 2,
    "memory": {"needed_mb": 200},
}
PASSPORT = Passport(
    task="t",
    package={"name": "t"},
    library="0",
    engine={"backend": "openvino", "device": "cpu", "precision": "fp32", "threads": 2, "ensembles": [ENSEMBLE]},
    options={"preset": "balanced"},
    inputs={"T1": {"sha256": "secret"}},
    seconds={"check": 0.5, "predict": 4.0, "decide": 0.25},
)


@pytest.fixture
def package(tiny_package):
    return read_package(tiny_package)


def run_like(package, **changes):
    ensemble = package.stages[0].ensembles[0]
    network = network_words([(ensemble.network, ensemble.arguments)])
    return replace(Run(network, "balanced", "openvino", "cpu", "fp32", 2, 1_000_000, 2.0, 0.5), **changes)


def test_a_run_is_taken_from_its_passport():
    run = run_of(PASSPORT)
    assert run == Run('n {"width": 8}', "balanced", "openvino", "cpu", "fp32", 2, 2 * 80 * 96 * 80, 4.0, 0.75)


def test_windows_count_by_the_voxels_that_they_hold():
    memory = {"windows": {"size": [32, 128, 32]}}
    engine = {**PASSPORT.engine, "ensembles": [{**ENSEMBLE, "forwards": 18, "memory": memory}]}
    assert run_of(replace(PASSPORT, engine=engine)).forward_voxels == 18 * 32 * 96 * 32


def test_history_keeps_the_newest_runs_and_nothing_of_the_patient(tmp_path):
    file = tmp_path / "home" / "history.json"
    assert read_history(file) == []
    for count in range(3):
        remember(replace(PASSPORT, seconds={"predict": 1.0 + count}), file)
    assert [run.predict_s for run in read_history(file)] == [1.0, 2.0, 3.0]
    assert "secret" not in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == ["history.json"]
    one = json.loads(file.read_text())["runs"][0]
    file.write_text(json.dumps({"format": 1, "runs": [one] * MOST_RUNS}))
    remember(PASSPORT, file)
    assert len(read_history(file)) == MOST_RUNS
    assert read_history(file)[-1].predict_s == 4.0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2, "runs": []}', '{"format": 1, "runs": [{"a": 1}]}'])
def test_a_damaged_history_is_none_and_is_replaced(tmp_path, text):
    file = tmp_path / "history.json"
    file.write_text(text)
    assert read_history(file) == []
    remember(PASSPORT, file)
    assert len(read_history(file)) == 1


def test_a_history_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    remember(PASSPORT, tmp_path / "file" / "history.json")
    remember(replace(PASSPORT, engine={}), tmp_path / "history.json")
    assert not (tmp_path / "history.json").exists()


def test_seconds_follow_the_voxels_and_the_rest_stays(package):
    history = [run_like(package), run_like(package, predict_s=90.0), run_like(package)]
    assert expected_seconds(package, PLAN, "balanced", 3_000_000, history) == (6.5, 3)


def test_runs_of_the_same_preset_come_first_and_others_serve_where_there_are_none(package):
    history = [run_like(package, preset="best", predict_s=4.0), run_like(package)]
    assert expected_seconds(package, PLAN, "balanced", 1_000_000, history) == (2.5, 1)
    assert expected_seconds(package, PLAN, "best", 1_000_000, history) == (4.5, 1)
    assert expected_seconds(package, PLAN, "fast", 1_000_000, history) == (3.5, 2)


@pytest.mark.parametrize(
    "other", [{"network": "another"}, {"backend": "torch"}, {"device": "cuda:0"}, {"threads": 1}, {"precision": "bf16"}]
)
def test_runs_by_other_means_tell_nothing(package, other):
    assert expected_seconds(package, PLAN, "balanced", 1_000_000, [run_like(package, **other)]) == (None, 0)


def test_first_run_on_a_machine_is_not_guessed(package):
    expectation = expect(package, RunOptions(), [])
    assert (expectation.seconds, expectation.run_count) == (None, 0)
    assert expectation.memory_mb > 60
    assert expectation.words().startswith("time not known before the first run here")


def test_voxels_foretold_for_a_case_are_those_that_the_run_counts(package):
    case = make_case()
    result = segment(case, package, RunOptions(preset="best"))
    run = run_of(result.passport)
    # A rate of one second a million voxels tells the voxels that were foretold.
    history = [replace(run, forward_voxels=1_000_000, predict_s=1.0, other_s=0.0)]
    foretold = expect(package, RunOptions(preset="best"), history, case)
    assert foretold.seconds * 1e6 == pytest.approx(run.forward_voxels, rel=0.35)
    wanted_mb = result.passport.engine["ensembles"][0]["memory"]["needed_mb"]
    assert foretold.memory_mb == pytest.approx(wanted_mb, rel=0.1)


def test_more_views_take_more_time_and_little_memory_is_said_before(package):
    history = [run_like(package, threads=expect_threads())]
    seconds = [expect(package, RunOptions(preset=name), history).seconds for name in ("fast", "balanced", "best")]
    assert seconds == sorted(seconds)
    assert seconds[0] < seconds[2]
    whole = expect(package, RunOptions(), [])
    tight = expect(package, RunOptions(memory_mb=whole.memory_mb - 4), [])
    assert "windows" in tight.note
    assert tight.memory_mb < whole.memory_mb
    nothing = expect(package, RunOptions(memory_mb=10), [])
    assert "needs about" in nothing.note


def expect_threads():
    from MedSegAILib.engine.device import core_count

    return core_count()


def test_dice_of_the_preset_comes_before_that_of_the_card(package):
    manifest = {**package.manifest, "expected": {"dice": {"four_sequences": {"WT": 0.8, "TC": 0.4}}}}
    presets = {"fast": {"views": "identity", "dice": {"WT": 0.7}}, "best": {"views": "flips"}}
    known = replace(package, manifest=manifest, presets=presets)
    assert expected_dice(known, "fast") == {"WT": 0.7}
    assert dice_words(expected_dice(known, "fast")) == "Dice WT 0.70"
    assert dice_words(expected_dice(known, "best")) == "Dice WT 0.80, TC 0.40 (four sequences)"
    assert dice_words(expected_dice(package, "best")) == "Dice not measured"


def test_words_for_people():
    assert Expectation(7.6, 1, 512, {"WT": 0.8}).words() == "about 8 s (1 like run here), 0.5 GiB, Dice WT 0.80"
    assert [time_words(value) for value in (0.2, 99.4, 179.0)] == ["1 s", "99 s", "3 min"]
    assert math.isclose(json.loads(json.dumps(Expectation(7.6, 1, 512).to_json()))["seconds"], 7.6)


def test_history_lies_at_home():
    assert history_file().parts[-2:] == (".MedSegAI", "history.json")


def test_the_usual_seconds_are_the_median_of_like_runs_where_the_last_one_ran(package):
    runs = [
        run_like(package, predict_s=100.0, device="cuda"),
        *(run_like(package, predict_s=seconds) for seconds in (9.0, 2.0, 3.0)),
        run_like(package, preset="best", predict_s=50.0),
    ]
    assert usual_seconds(package, "balanced", runs) == (3.5, 3)
    assert usual_seconds(package, "best", runs) == (50.5, 1)
    assert usual_seconds(package, "fast", runs) == (None, 0)
    assert usual_seconds(package, "balanced", [run_like(package, network="another {}")]) == (None, 0)
