"""Folds, smoke, cleaning, calibration, curves: the machinery between studies and a package, on drawn studies."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAILib import networks
from MedSegAILib.core.errors import InputError, ResourceError, UsageError
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.store import find_package
from Testing.makers.tiny_training import TINY, make_samples
from training import cache, checkpoint
from training.__main__ import main
from training.calibrate import Shown, calibrate_region, calibrated, can_be_calibrated
from training.cleaning import rank_cases, ranking_csv, read_left_out
from training.cross_validate import FOLDS_FILE, PAPER, Validation, cross_validate, run_fold
from training.datasets import DATA_VARIABLE
from training.devices import Hardware
from training.folds import read_folds
from training.loop import RunSettings, new_state, train
from training.recipes import RECIPES, find_recipe
from training.recipes.recipe import CropKind, PhantomShare
from training.run import read_run
from training.scores import read_json
from training.smoke import fit_crops, smoke, step_bytes
from training.start import load_start
from training.tasks import TASKS, find_task

CROSSED = replace(
    TINY,
    name="tiny-crossed",
    crops=(CropKind(1, (16, 16, 16), {"more": 1.0}),),
    prepare=(
        {"step": "orient", "axes": "LPS"},
        {"step": "resample", "spacing_mm": 8.0, "multiple": 8},
        {"step": "scale_percentiles", "lower": 1, "upper": 99},
    ),
    phantoms=PhantomShare(count=0),
    held_out=(),
    steps=1,
)


@pytest.fixture
def sets(drawn_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DATA_VARIABLE, str(drawn_sets))
    monkeypatch.setattr(cache, "CACHE_FOLDER", tmp_path / "cache")
    monkeypatch.setitem(RECIPES, CROSSED.name, CROSSED)
    monkeypatch.setitem(RECIPES, "tiny-b", replace(CROSSED, name="tiny-b", seed=5))
    return drawn_sets


def test_each_study_is_measured_by_runs_that_never_saw_it_merged_and_beside_the_paper(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    words = ["--set", "more", "--folds", "2"]
    assert main(["train", "tiny-b", "--fold", "1", "--set", "more", "--runs", str(runs)]) == 0  # on another machine
    folder = ["--folder", str(runs / "tiny-crossed-folds")]
    assert main(["cross-validate", "tiny-crossed", "tiny-b", *words, *folder, "--json", str(tmp_path / "s.json")]) == 0
    told = capsys.readouterr().out
    assert "| paper, Table 2, A | 369 | 0.808 | 0.871 | 0.907 |" in told
    assert "| tiny-crossed tiny-b on more | 2 |" in told
    kept = read_json(tmp_path / "s.json")
    assert {one.study for one in kept.studies} == {"one", "two"}
    assert kept.command == "python -m training cross-validate tiny-crossed tiny-b --set more"
    assert main(["cross-validate", "tiny-crossed", "tiny-b", *words, *folder, "--merge", "mean"]) == 0
    assert "| tiny-crossed tiny-b --merge mean on more | 2 |" in capsys.readouterr().out
    (stage,) = read_package(runs / "tiny-crossed-folds" / "fold-0" / "merged-mean" / "brain-tumor").stages
    assert stage.merge == {"rule": "mean"}
    folds = [read_folds(runs / f"{name}-folds" / FOLDS_FILE) for name in ("tiny-crossed", "tiny-b")]
    assert folds[0] == folds[1]


def test_a_set_that_does_not_train_the_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not train on 'ibsr18'"):
        cross_validate(find_recipe("hippocampus"), Validation("ibsr18", tmp_path))


def test_one_recipe_of_a_cascade_is_no_package(tmp_path: Path) -> None:
    recipe = replace(find_recipe("pancreas-organ-small"), crops=find_recipe("hippocampus").crops)
    with pytest.raises(UsageError, match="2 stages"):
        cross_validate(recipe, Validation("hippocampus", tmp_path))


def test_a_fold_that_there_is_not_is_refused(sets: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run_fold(CROSSED, Validation("more", tmp_path), 5)
    assert caught.value.code == "training.fold"


@pytest.mark.shared
def test_the_papers_numbers_are_those_of_its_tables(shared_dir: Path) -> None:
    told = json.loads((shared_dir / "reference" / "brats2020_tables.json").read_text(encoding="utf-8"))
    tables = {entry["table"]: entry for entry in told["tables"]}
    rows = [*(row["mean"] for row in tables[2]["rows"].values()), *list(tables[3]["rows"].values())[:3]]
    for ours, theirs in zip(PAPER.values(), rows, strict=True):
        assert [ours[name] for name in ("ET", "WT", "TC")] == theirs


# --- smoke ------------------------------------------------------------------------------------------------------


def test_a_smoke_run_tells_that_the_loss_falls_and_what_a_step_takes(tmp_path: Path) -> None:
    found = smoke(TINY, make_samples(), tmp_path / "smoke", 24, Hardware())
    assert found.falls
    assert found.recipe.crops == TINY.crops
    assert 0 < found.step_bytes < found.free_bytes


def test_crops_are_cut_until_a_step_fits() -> None:
    recipe = replace(TINY, crops=(CropKind(2, (64, 80, 64), {"phantom": 1.0}),))
    limit = step_bytes(recipe, recipe.crops[0]) // 2
    (fitted,) = fit_crops(recipe, limit).crops
    assert step_bytes(recipe, fitted) <= limit
    assert all(side % 8 == 0 for side in fitted.size_zyx)
    assert fitted.size_zyx != recipe.crops[0].size_zyx


def test_what_never_fits_is_refused_with_the_numbers() -> None:
    with pytest.raises(ResourceError) as caught:
        fit_crops(TINY, 1000)
    assert caught.value.code == "training.memory"


def test_the_counted_memory_is_what_a_step_keeps() -> None:
    """Against a second count: what autograd keeps of the real step, without room to work and without weights."""
    kind = CropKind(1, (16, 16, 16), {"phantom": 1.0})
    network = networks.build(TINY.network, **TINY.arguments)
    kept: dict[int, int] = {}
    alive = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(torch.zeros((1, 4, 16, 16, 16)))
    weights = 4 * sum(one.numel() for one in network.parameters())
    assert step_bytes(TINY, kind) == pytest.approx(1.4 * sum(kept.values()) + 4 * weights, rel=0.1)


# --- cleaning, start, curves ------------------------------------------------------------------------------------


def test_studies_are_ranked_worst_first_and_the_list_leaves_them_out(tmp_path: Path) -> None:
    samples = make_samples()
    samples[:3] = [replace(one, image=one.image[:, :24, :24, :24], target=one.target[:, :24, :24, :24])
                   for one in samples[:3]]  # fmt: skip
    checkpoint.save(new_state(TINY), tmp_path, TINY.name)
    ranked = rank_cases(read_run(TINY, tmp_path), samples)
    assert [loss for loss, _ in ranked] == sorted((loss for loss, _ in ranked), reverse=True)
    assert len(ranked) == 3  # the phantom is no case
    assert read_left_out(ranking_csv(ranked)) == tuple(sample.name for _, sample in ranked)


def test_left_out_studies_neither_train_nor_monitor(sets: Path) -> None:
    training, held_out = cache.load_training(replace(CROSSED, left_out=("one",)))
    assert [sample.name for sample in training] == ["two"]
    assert held_out == []


def test_a_run_begins_with_the_weights_of_a_package_and_a_new_last_layer() -> None:
    recipe = find_recipe("hippocampus")
    network = networks.build(recipe.network, **{**recipe.arguments, "out_channels": 5})
    last = network.state_dict()["outconv.weight"].clone()
    load_start(network, "hippocampus")
    other = networks.build(recipe.network, **recipe.arguments)
    load_start(other, "hippocampus")
    own, theirs = network.state_dict(), other.state_dict()
    assert torch.equal(own["outconv.weight"], last)
    assert torch.equal(own["encoder1.ConvBnRelu1.conv.weight"], theirs["encoder1.ConvBnRelu1.conv.weight"])


def test_a_run_with_attention_begins_with_the_weights_of_a_member_with_attention_or_without() -> None:
    recipe = find_recipe("brain-tumor-a1")
    network = networks.build(recipe.network, **recipe.arguments)
    package = find_package("brain-tumor")
    for file in package.stages[0].ensembles[0].members:
        load_start(network, f"brain-tumor/{file}")
        own, member = network.state_dict(), package.weights(file)
        same = [name for name in own if name in member and own[name].equal(torch.from_numpy(member[name]))]
        assert same == [name for name in own if name in member]


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_run_from_chance_may_begin_with_regions_as_rare_as_they_are(activation: str) -> None:
    recipe = replace(find_recipe("hippocampus"), activation=activation, start_logit=-4.0, start_from="")
    count = len(recipe.channels) + (activation == "softmax")
    recipe = replace(recipe, arguments={**recipe.arguments, "out_channels": count})
    usual = new_state(replace(recipe, start_logit=0.0)).network.state_dict()
    low = new_state(recipe).network.state_dict()
    background = [0.0] * (activation == "softmax")
    assert low["outconv.bias"].tolist() == [*background, *[-4.0] * len(recipe.channels)]
    assert all(torch.equal(low[name], usual[name]) for name in usual if name != "outconv.bias")


def test_the_curves_are_a_picture_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(replace(TINY, steps=3), make_samples(), [], RunSettings(tmp_path))
    assert main(["curves", str(tmp_path)]) == 0
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "curves.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["1", "2", "3"]
    (tmp_path / "empty").mkdir()
    assert main(["curves", str(tmp_path / "empty")]) == InputError.exit_code


# --- calibration ------------------------------------------------------------------------------------------------


def shown(seed: int, shift: float, specks: bool = False) -> Shown:
    """A ball whose probability is 0.5 + shift on its border, and on request a far speck."""
    z, y, x = np.meshgrid(*(np.arange(24) - 12.0,) * 3, indexing="ij")
    distance = np.sqrt(z**2 + y**2 + x**2)
    noise = np.random.default_rng(seed).normal(0.0, 0.01, distance.shape)
    probability = 1.0 / (1.0 + np.exp(distance - 7.0)) + shift + noise
    if specks:
        probability[1:5, 1:5, 1:5] = 0.99
    return Shown(probability, distance < 7.0, 0.001)


def test_the_threshold_moves_where_probabilities_are_off() -> None:
    found = calibrate_region("WT", [shown(seed, 0.15) for seed in range(3)])
    assert found.threshold in (0.65, 0.7)  # both cut the ball at its border, to half a voxel
    assert found.after > found.before


def test_probabilities_that_are_right_keep_the_usual_threshold() -> None:
    found = calibrate_region("WT", [shown(seed, 0.0) for seed in range(3)])
    assert (found.threshold, found.smallest_ml) == (0.5, 0.0)


def test_specks_below_the_smallest_volume_go() -> None:
    found = calibrate_region("WT", [shown(seed, 0.0, specks=True) for seed in range(3)])
    assert found.threshold == 0.5
    assert found.smallest_ml == 0.1  # the speck has 0.064 mL


def test_what_was_found_stands_in_the_decision() -> None:
    task = find_task("brain-tumor")
    found = {name: calibrate_region(name, []) for name in ("ET", "TC", "WT")}
    found["ET"] = replace(found["ET"], threshold=0.6, smallest_ml=0.1)
    steps = calibrated(task, found).stages[-1].decide
    assert steps[0] == {"step": "threshold", "above": {"ET": 0.6, "TC": 0.5, "WT": 0.5}}
    assert steps[1] == {"step": "min_volume", "ml": {"ET": 0.1}}
    assert steps[-1] == task.stages[-1].decide[-1]
    assert not can_be_calibrated(TASKS["brain-tissue"])
