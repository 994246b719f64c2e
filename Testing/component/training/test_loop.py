"""The loop: the loss falls, a killed run goes on to the same weights, batches depend on seed and step alone."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAILib.core.errors import InputError, UsageError
from Testing.makers.tiny_training import MIX, TINY, make_samples, padded
from training import checkpoint
from training.loop import RunSettings, learning_rate, new_state, train
from training.recipes import find_recipe
from training.recipes.recipe import CropKind
from training.sampling import choose_samples, draw_batch


def test_a_run_that_was_stopped_ends_with_the_weights_of_an_undisturbed_one(tmp_path: Path) -> None:
    samples = make_samples()
    whole = train(TINY, samples, [], RunSettings(tmp_path / "whole"))
    for _ in range(2):
        train(TINY, samples, [], RunSettings(tmp_path / "parts", stop_after=3))
    parts = train(TINY, samples, [], RunSettings(tmp_path / "parts"))
    assert parts.step == whole.step == TINY.steps
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, parts.network.state_dict()[name]), name
        assert torch.equal(whole.average[name], parts.average[name]), name


def test_a_run_killed_after_its_last_checkpoint_leaves_one_learning_curve(tmp_path: Path) -> None:
    samples = make_samples()
    train(TINY, samples, [], RunSettings(tmp_path, stop_after=3))
    log = tmp_path / "losses.csv"
    lines = log.read_text(encoding="utf-8").splitlines()
    log.write_text("\n".join([*lines, "4,9.0,0.001,0.5,,,,lgg", "5,9.5,0.001,0.5,,,,lgg"]) + "\n", encoding="utf-8")
    train(TINY, samples, [], RunSettings(tmp_path))
    with log.open(newline="", encoding="utf-8") as stream:
        steps = [int(row["step"]) for row in csv.DictReader(stream)]
    assert steps == list(range(1, TINY.steps + 1))


def test_the_loss_falls_in_a_smoke_run(tmp_path: Path) -> None:
    recipe = replace(TINY, steps=40)
    train(recipe, make_samples(), [], RunSettings(tmp_path))
    with (tmp_path / "losses.csv").open(newline="", encoding="utf-8") as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    assert np.mean(losses[-8:]) < 0.8 * np.mean(losses[:8])


def test_held_out_studies_are_scored_and_the_unknown_stays_empty(tmp_path: Path) -> None:
    samples = make_samples()
    train(replace(TINY, steps=2), samples, [padded(samples[2])], RunSettings(tmp_path))
    with (tmp_path / "monitor.csv").open(newline="", encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    assert row["study"] == "lgg-1"
    assert (row["dice_ET"], row["dice_TC"]) == ("", "")
    assert 0.0 <= float(row["dice_WT"]) <= 1.0


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    samples = make_samples()
    first, again = draw_batch(samples, TINY, 5), draw_batch(samples, TINY, 5)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.images, draw_batch(samples, replace(TINY, seed=1), 5).images)


def test_sets_come_up_in_the_shares_of_the_mix_and_favored_studies_more_often() -> None:
    samples = make_samples()
    samples.append(replace(samples[1], name="brats_2013_x"))
    drawn = choose_samples(samples, CropKind(4000, (8, 8, 8), MIX), {"brats_2013": 2.5}, np.random.default_rng(0))
    for name, share in MIX.items():
        assert sum(s.set_name == name for s in drawn) / 4000 == pytest.approx(share, abs=0.03)
    more = [s.name for s in drawn if s.set_name == "more"]
    assert more.count("brats_2013_x") / more.count("more-1") == pytest.approx(2.5, rel=0.25)


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    assert learning_rate(TINY, 0, 0.0) == pytest.approx(TINY.learning_rate / 2)
    assert learning_rate(TINY, 5, 0.5) == pytest.approx(TINY.learning_rate / 2)
    assert learning_rate(TINY, 99, 1.0) == pytest.approx(0.0, abs=1e-12)
    assert math.isclose(learning_rate(TINY, 5, 0.0), TINY.learning_rate)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    checkpoint.save(new_state(TINY), tmp_path, "another")
    with pytest.raises(InputError) as caught:
        train(TINY, make_samples(), [], RunSettings(tmp_path))
    assert caught.value.code == "checkpoint.recipe"


def test_an_unknown_recipe_is_refused_by_name() -> None:
    with pytest.raises(UsageError) as caught:
        find_recipe("nothing")
    assert caught.value.code == "training.recipe"
    assert "brain-tumor-small" in caught.value.hint
