"""A run that is killed at random moments and started again ends with the weights of one that nobody disturbed."""

from __future__ import annotations

import csv
import json
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAILib.core.errors import UsageError
from Testing.makers.child_training import start_training, with_other_processes
from Testing.makers.tiny_training import TINY, make_samples, padded
from training import checkpoint, devices
from training.checkpoint import CHECKPOINT
from training.devices import Hardware, chosen_precision
from training.loop import RunSettings, train
from training.run import read_run

RECIPE = replace(TINY, steps=24)
KILLS = 3
LIMIT_S = 60.0


def steps_on_disk(folder: Path) -> int:
    path = folder / CHECKPOINT
    return int(torch.load(path, weights_only=True)["step"]) if path.is_file() else 0


def test_killed_three_times_it_ends_with_the_weights_of_an_undisturbed_run(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    moments = np.random.default_rng().uniform(0.0, 0.4, KILLS)
    often = RunSettings(folder, checkpoint_s=0.05)  # after every step that lies 50 ms after the last checkpoint
    for pause_s in moments:
        before = steps_on_disk(folder)
        child = start_training(RECIPE, often)
        end = time.monotonic() + LIMIT_S
        while steps_on_disk(folder) <= before and child.is_alive() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(pause_s)
        child.kill()
        child.join()
        assert child.exitcode in (-signal.SIGKILL, 0), moments
        assert steps_on_disk(folder) > before or steps_on_disk(folder) == RECIPE.steps, moments
    resumed = train(RECIPE, make_samples(), [], RunSettings(folder))
    whole = train(RECIPE, make_samples(), [], RunSettings(tmp_path / "whole"))
    assert resumed.step == whole.step == RECIPE.steps
    for name, value in whole.average.items():
        assert torch.equal(value, resumed.average[name]), (name, moments)
    with (folder / "losses.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["step"]) for row in rows] == list(range(1, RECIPE.steps + 1))
    with (tmp_path / "whole" / "losses.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["loss"] for row in csv.DictReader(stream)] == [row["loss"] for row in rows]


def test_a_line_cut_off_by_a_kill_is_dropped(tmp_path: Path) -> None:
    samples = make_samples()
    train(TINY, samples, [], RunSettings(tmp_path, stop_after=2))
    log = tmp_path / "losses.csv"
    log.write_text(log.read_text(encoding="utf-8") + "3,9.0,0.0", encoding="utf-8")
    train(replace(TINY, steps=3), samples, [], RunSettings(tmp_path))
    with log.open(newline="", encoding="utf-8") as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["1", "2", "3"]


def test_the_heartbeat_tells_step_and_time(tmp_path: Path) -> None:
    train(replace(TINY, steps=1), make_samples(), [], RunSettings(tmp_path))
    told = json.loads((tmp_path / "heartbeat.json").read_text(encoding="utf-8"))
    assert told["step"] == 1
    assert abs(told["time"] - time.time()) < 60.0


def test_a_checkpoint_of_the_loop_before_lightning_is_read_and_goes_on(tmp_path: Path) -> None:
    samples = make_samples()
    train(TINY, samples, [], RunSettings(tmp_path / "new", stop_after=4))
    saved = torch.load(tmp_path / "new" / CHECKPOINT, weights_only=True)
    old = {name: saved[name] for name in ("recipe", "step", "elapsed_s", "network", "average", "optimizer")}
    (tmp_path / "old").mkdir()
    torch.save(old, tmp_path / "old" / CHECKPOINT)
    assert read_run(TINY, tmp_path / "old").machine == checkpoint.UNKNOWN_MACHINE
    ends = [train(TINY, samples, [], RunSettings(tmp_path / name)) for name in ("new", "old")]
    for name, value in ends[0].average.items():
        assert torch.equal(value, ends[1].average[name])


def test_the_run_says_where_it_was_trained(tmp_path: Path) -> None:
    train(replace(TINY, steps=1), make_samples(), [], RunSettings(tmp_path))
    assert read_run(TINY, tmp_path).machine == devices.machine_words(Hardware())


def test_a_run_ends_early_when_looks_get_no_better_and_ships_the_best(tmp_path: Path) -> None:
    recipe = replace(TINY, steps=60, learning_rate=0.0, weight_decay=0.0, look_steps=1, patience=3, keep="best")
    samples = make_samples()
    state = train(recipe, samples, [padded(samples[0])], RunSettings(tmp_path))
    assert state.step == 4  # the first look is the best, three are no better
    assert state.best.step == 1
    shipped = read_run(recipe, tmp_path).weights
    assert all(torch.equal(value, state.best.weights[name]) for name, value in shipped.items())


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_is_refused_on_a_processor_without_it(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cpu_has_bf16", lambda: False)
    with pytest.raises(UsageError) as caught:
        chosen_precision(Hardware(accelerator="cpu", precision=precision))
    assert caught.value.code == "training.precision"


def test_batches_drawn_by_other_processes_are_the_same(tmp_path: Path) -> None:
    recipe, samples = replace(TINY, steps=3), make_samples()
    here = train(recipe, samples, [], RunSettings(tmp_path / "here"))
    child = start_training(recipe, with_other_processes(tmp_path / "there"))
    child.join(LIMIT_S)
    assert child.exitcode == 0
    there = read_run(recipe, tmp_path / "there").weights
    assert all(torch.equal(value, there[name]) for name, value in here.average.items())
