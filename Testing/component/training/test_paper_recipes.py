"""Recipes of the printed results: their networks exist and fit the task, siblings differ by what the paper varied."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAILib import networks
from training.cache import Sample
from training.loop import RunSettings, train
from training.loss_table import LOSSES
from training.recipes.papers import PAPERS
from training.recipes.recipe import Recipe
from training.slices import every_slice
from training.tasks import find_task

BY_NAME = {recipe.name: recipe for recipe in PAPERS}


@pytest.mark.parametrize("name", sorted(BY_NAME))
@pytest.mark.parametrize("is_full", [False, True], ids=["reduced", "full"])
def test_its_network_takes_the_tasks_inputs_and_gives_its_channels(name: str, is_full: bool) -> None:
    recipe = BY_NAME[name].unreduced() if is_full else BY_NAME[name]
    with torch.device("meta"):  # shapes without memory
        network = networks.build(recipe.network, **dict(recipe.arguments)).eval()
        size = recipe.crops[0].size_zyx
        images = torch.zeros((1, recipe.slices, *size[1:]) if recipe.slices else (1, 1, *size))
        logits = network(images)
    main = logits[0] if isinstance(logits, tuple) else logits
    outputs = len(recipe.channels) + (recipe.activation == "softmax")
    assert main.shape == (1, outputs, *images.shape[2:])
    assert recipe.loss in LOSSES
    assert set(recipe.channels) <= set(find_task(recipe.task).regions)


def differences(first: Recipe, second: Recipe) -> set[str]:
    names = {field for field in Recipe.__dataclass_fields__ if getattr(first, field) != getattr(second, field)}
    return names - {"name", "full"}


def test_siblings_differ_by_what_the_paper_varied_and_by_nothing_else() -> None:
    pairs = {
        ("pancreas-organ-3d-unet", "pancreas-organ-3d-unet-se"): {"arguments"},
        ("pancreas-organ-3d-unet-se", "pancreas-organ-3d-unet-spatial"): {"arguments"},
        ("tissue-2d-unet", "tissue-2d-unet-focal"): {"loss"},
        ("tissue-2d-unet-tversky", "tissue-2d-unet-focal-tversky"): {"loss"},
        ("tissue-2d-unet", "tissue-2d-denseunet"): {"network", "arguments"},
        ("prostate-3d-tiramisu-p4a", "prostate-3d-tiramisu-p3a"): {"arguments"},
        ("hand-multiscale-concat", "hand-multiscale-sum"): {"arguments"},
        ("hand-multiscale-concat", "hand-multiscale-concat-ce"): {"loss"},
    }
    found = {pair: differences(BY_NAME[pair[0]], BY_NAME[pair[1]]) for pair in pairs}
    assert found == pairs


def test_unreduced_means_the_counts_of_the_catalog() -> None:
    wanted = {"pancreas-organ-3d-unet": 1_781_192, "tissue-2d-denseunet": 15_479_972, "hand-multiscale-sum": 336_848}
    for name, count in wanted.items():
        recipe = BY_NAME[name].unreduced()
        network = networks.build(recipe.network, **dict(recipe.arguments))
        # Ours may have other outputs than the paper's: hand and tissue have the same, the pancreas one.
        assert sum(parameter.numel() for parameter in network.parameters()) == count


def ball(recipe: Recipe) -> list[Sample]:
    z, y, x = np.meshgrid(*(np.arange(48),) * 3, indexing="ij")
    distance = np.sqrt((z - 22.0) ** 2 + (y - 24.0) ** 2 + (x - 20.0) ** 2)
    shells = [(distance >= 6 * k) & (distance < 6 * k + 6) for k in range(len(recipe.channels))]
    target = np.stack(shells).astype(np.uint8)
    image = (target * (1 + np.arange(len(target)))[:, None, None, None]).sum(axis=0, keepdims=True) + 0.1
    (set_name, *_) = recipe.set_names
    (role,) = find_task(recipe.task).roles
    return [Sample(set_name, "ball", image.astype(np.float16), target, (role,), (True,) * len(target))]


@pytest.mark.parametrize("name", ["tissue-2d-unet", "prostate-2d-deeplab", "hand-multiscale-sum"])
def test_the_loss_falls_in_two_and_three_dimensions(name: str, tmp_path: Path) -> None:
    recipe = BY_NAME[name]
    kind = recipe.crops[0]
    small = replace(kind, size_zyx=(kind.size_zyx[0] if recipe.slices else 16, 32, 32))
    recipe = replace(recipe, crops=(small,), steps=14, warmup_steps=2, learning_rate=1e-2)
    train(recipe, ball(recipe), [], RunSettings(tmp_path))
    with (tmp_path / "losses.csv").open(newline="", encoding="utf-8") as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])


def test_slices_of_any_size_come_back_in_their_size() -> None:
    network = networks.build("pancreas.PspNet", width=8, in_channels=1, out_channels=1).eval()
    study = torch.rand(1, 1, 2, 48, 40)
    with torch.inference_mode():
        assert every_slice(network, study, 1).shape == (1, 1, 2, 48, 40)
        whole = torch.rand(1, 1, 2, 64, 32)
        torch.testing.assert_close(every_slice(network, whole, 1)[:, :, 0], network(whole[:, :, 0]))


@pytest.mark.parametrize("name", sorted(name for name, recipe in BY_NAME.items() if not recipe.slices))
def test_the_working_grid_has_sides_that_its_network_takes(name: str) -> None:
    recipe = BY_NAME[name]
    side = next(int(step["multiple"]) for step in recipe.prepare if step["step"] == "resample")
    size = (3 * side, 3 * side, 3 * side)  # odd: no larger power of two divides it by luck
    with torch.device("meta"):
        network = networks.build(recipe.network, **dict(recipe.arguments)).eval()
        inputs = torch.zeros(1, len(find_task(recipe.task).roles), *size)
        logits = network(inputs)
    assert tuple(logits.shape[2:]) == size
