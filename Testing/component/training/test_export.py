"""From weights to a package that runs; scores and the commands that print them stand on its card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAILib import networks, segment
from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError, PackageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Volume
from MedSegAILib.tasks.package import Package, read_package
from MedSegAILib.tasks.prepare import prepare
from training import datasets
from training.__main__ import main
from training.export import Run, export_runs, read_run
from training.phantoms.brain import HeadOptions, draw_head
from training.recipes import BRAIN_TUMOR_SMALL
from training.score_tables import table
from training.scores import SetScore, StudyScore, read_json, write_json
from training.tasks.brain_tumor import BRAIN_TUMOR

HALF = replace(BRAIN_TUMOR, stages=(replace(BRAIN_TUMOR.stages[0], eight_bit=False),))
TINY = replace(BRAIN_TUMOR_SMALL, name="tiny", arguments={"width": 4, "norm": "group"})
SCORES = (
    SetScore(
        "brain-tumor", "four_sequences", "test", "balanced",
        (
            StudyScore("p1", ("T1ce", "FLAIR"), {"ET": 0.5, "TC": 0.6, "WT": 0.9}, {"WT": 10.0}, {"WT": 12.0}),
            StudyScore("p2", ("FLAIR",), {"ET": 1.0, "TC": 0.2, "WT": 0.7}, {"WT": 20.0}, {"WT": 30.0}),
        ),
    ),
    SetScore(
        "brain-tumor", "lgg", "test", "best",
        (StudyScore("p3", ("FLAIR",), {"WT": 0.8}, {"WT": 5.0}, {"WT": 4.0}),),
    ),
    SetScore(
        "brain-tumor", "four_sequences", "test", "balanced",
        (StudyScore("p1", ("FLAIR",), {"ET": 0.0, "TC": 0.5, "WT": 0.85}, {"WT": 10.0}, {"WT": 12.0}),),
        inputs=("FLAIR",),
    ),
)  # fmt: skip


def random_network(deep_heads: bool = False) -> torch.nn.Module:
    torch.manual_seed(0)
    return networks.build(TINY.network, **TINY.arguments, deep_heads=deep_heads)


def export_steps(folder: Path, steps: int, hours: float = 0.1, scores: tuple[SetScore, ...] = ()) -> Package:
    # As training leaves them: the channels of a kernel lie last in memory.
    network = random_network(deep_heads=True).to(memory_format=torch.channels_last_3d)
    weights = network.state_dict()
    return export_runs(HALF, lambda _: Run(TINY, weights, steps, hours), folder, scores)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("packages") / "brain-tumor"
    return export_steps(folder, 12, 0.5, SCORES)


@pytest.fixture(scope="module")
def case() -> Case:
    head = draw_head(5, HeadOptions(spacing_mm=4.0))
    return Case({name: Volume(array, head.grid, name=name) for name, array in head.volumes.items()}, reference="T1ce")


def test_a_package_of_a_random_network_verifies_and_runs(package: Package, case: Case) -> None:
    assert read_package(package.folder).checksums == package.checksums
    result = segment(case, "brain-tumor", options=RunOptions(preset="fast"), packages=[package.folder])
    assert result.labels.grid.is_same_as(case.reference_grid())
    assert set(np.unique(result.labels.array)) <= {0, 1, 2, 4}
    assert [region.name for region in result.scheme.regions] == ["WT", "TC", "ET"]


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_the_exported_network_gives_what_the_trained_one_gave(package: Package, case: Case, backend: str) -> None:
    options = RunOptions(preset="fast", backend=backend, keep_probabilities=True)
    result = segment(case, "brain-tumor", options=options, packages=[package.folder])
    array = prepare(case, package.roles, TINY.prepare).array
    with torch.inference_mode():
        main_logits, _ = random_network(deep_heads=True)(torch.from_numpy(array)[None])
        wanted = torch.sigmoid(main_logits)[0].numpy()
    assert result.probabilities is not None
    # Half precision of the weights: 1e-3 relative each.
    assert np.abs(result.probabilities.array - wanted).max() < 1e-2


def test_deep_heads_stay_behind_and_weights_are_half_precision(package: Package) -> None:
    weights = package.weights("a0.safetensors")
    assert set(weights) == set(random_network().state_dict())
    count = sum(array.size for array in weights.values())
    assert (package.folder / "a0.safetensors").stat().st_size < 2 * count + 10_000


def test_the_card_names_the_command_under_which_each_number_is_printed_again(package: Package) -> None:
    card = (package.folder / "card.md").read_text(encoding="utf-8")
    for score in SCORES:
        before, _, after = card.partition(f"`{score.command}`")
        assert before
        assert after.lstrip(":\n").startswith(table(score).splitlines()[0])
    assert "--part test --preset best" in card
    assert "| **mean** | | **0.800** | **0.400** | **0.750** | |" in card
    assert "12 steps in 0.5 hours" in card
    assert (
        "Known failures: 0 of 2 studies have a mean Dice below 0.5; the worst is p2 (ET 1.000, TC 0.200, WT 0.700)."
        in (" ".join(card.split()))
    )


def test_the_manifest_expects_the_means_and_names_their_commands(package: Package) -> None:
    expected = package.manifest["expected"]
    assert expected["dice"] == {"four_sequences": {"ET": 0.75, "TC": 0.4, "WT": 0.8}, "lgg": {"WT": 0.8}}
    assert expected["dice_by_inputs"] == {"FLAIR": {"ET": 0.0, "TC": 0.5, "WT": 0.85}}
    assert all(score.command in expected["command"] for score in SCORES)


def test_the_command_of_the_card_prints_the_table(
    package: Package,
    drawn_sets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(datasets.DATA_VARIABLE, str(drawn_sets))
    monkeypatch.setenv("MEDSEGAI_PACKAGES", str(package.folder.parent))
    kept = tmp_path / "scores.json"
    arguments = ["evaluate", "brain-tumor", "--set", "lgg", "--part", "test", "--preset", "fast", "--json", str(kept)]
    assert main(arguments) == 0
    score = read_json(kept)
    assert capsys.readouterr().out == table(score)
    (study,) = score.studies
    assert study.study == "three"
    assert set(study.dice) == {"WT"}  # the other regions of that set are unknown, not zero


def test_scores_survive_their_file(tmp_path: Path) -> None:
    write_json(SCORES[0], tmp_path / "scores.json")
    assert read_json(tmp_path / "scores.json") == SCORES[0]


def test_exporting_again_replaces_the_package_whole(tmp_path: Path) -> None:
    folder = tmp_path / "brain-tumor"
    export_steps(folder, 1)
    (folder / "stray.txt").write_text("left over", encoding="utf-8")
    again = export_steps(folder, 2)
    assert "2 steps" in json.dumps(again.manifest)
    assert {path.name for path in folder.iterdir()} == {
        "a0.safetensors", "a1.safetensors", "b0.safetensors", "b1.safetensors", "c0.safetensors",
        "card.md", "graph.json", "manifest.json", "manifest.sha256",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["brain-tumor"]


def test_a_package_above_the_limit_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    folder = tmp_path / "brain-tumor"
    export_steps(folder, 1)
    run = Run(TINY, random_network().state_dict(), 2, 0.1)
    with pytest.raises(PackageError) as caught:
        export_runs(replace(BRAIN_TUMOR, largest_bytes=1000), lambda _: run, folder)
    assert caught.value.code == "package.size"
    assert "1 steps" in json.dumps(read_package(folder).manifest)


def test_a_run_without_checkpoint_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_run(TINY, tmp_path)
    assert caught.value.code == "checkpoint.missing"


def test_colors_and_codes_tell_the_regions_apart(package: Package) -> None:
    regions = package.scheme.regions
    assert len({region.color for region in regions}) == len(regions)
    assert len({region.terminology.type for region in regions if region.terminology}) == len(regions)


def test_kernels_of_eight_bits_are_close_to_the_trained_ones(tmp_path: Path) -> None:
    weights = random_network().to(memory_format=torch.channels_last_3d).state_dict()
    whole = export_steps(tmp_path / "half", 1)
    small = export_runs(BRAIN_TUMOR, lambda _: Run(TINY, weights, 1, 0.1), tmp_path / "eight")
    file = "a0.safetensors"
    assert (small.folder / file).stat().st_size < 0.62 * (whole.folder / file).stat().st_size
    read = small.weights(file)
    for name, trained in weights.items():
        assert np.abs(read[name] - trained.numpy()).max() <= np.abs(trained.numpy()).max() / 250
