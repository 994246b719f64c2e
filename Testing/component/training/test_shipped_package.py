"""The package that ships: sound, small, and right on the sample study."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAILib import segment
from MedSegAILib.image.metrics import dice
from MedSegAILib.io import read_case, read_label_map
from MedSegAILib.tasks.package import read_package
from training.export import LARGEST_BYTES
from training.tasks import TASKS

# Least Dice on the sample, drawn by code, of each further package that ships; the region is the task's main one.
SAMPLE_DICE = {"hippocampus": 0.65, "brain-tissue": 0.95, "prostate": 0.85, "hand-bones": 0.9}


def test_it_matches_its_checksums_and_fits_the_limit(checkout: Path) -> None:
    package = read_package(checkout / "MedSegAILib" / "packages" / "brain-tumor")
    assert sum(path.stat().st_size for path in package.folder.iterdir()) <= LARGEST_BYTES
    assert package.manifest["expected"]["dice"]["four_sequences"]["WT"] > 0.0
    assert "Not measured" not in (package.folder / "card.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("roles", [("T1", "T1ce", "T2", "FLAIR"), ("T1ce", "FLAIR"), ("FLAIR",)])
def test_it_finds_the_whole_tumor_of_the_sample_from_every_set_of_inputs_it_names(
    checkout: Path, roles: tuple[str, ...]
) -> None:
    folder = checkout / "Resources" / "SampleData" / "brain-tumor"
    result = segment(read_case({role: folder / f"{role}.nii.gz" for role in roles}))
    reference = read_label_map(folder / "seg.nii.gz")
    found = dice(result.region_mask("WT"), reference.array > 0)
    assert found >= 0.8


@pytest.mark.parametrize("task", sorted(SAMPLE_DICE))
def test_a_further_package_is_small_and_measured_and_reads_its_sample(checkout: Path, task: str) -> None:
    package = read_package(checkout / "MedSegAILib" / "packages" / task)
    assert sum(path.stat().st_size for path in package.folder.iterdir()) <= LARGEST_BYTES
    assert "Not measured" not in (package.folder / "card.md").read_text(encoding="utf-8")
    folder = checkout / "Resources" / "SampleData" / task
    result = segment(read_case({role: folder / f"{role}.nii.gz" for role in package.roles}), task)
    reference = read_label_map(folder / "seg.nii.gz")
    region = TASKS[task].main_region
    assert dice(result.region_mask(region), package.scheme.mask(reference.array, region)) >= SAMPLE_DICE[task]


def test_every_shipped_package_is_in_the_list(checkout: Path) -> None:
    folders = (checkout / "MedSegAILib" / "packages").iterdir()
    assert {folder.name for folder in folders if folder.is_dir()} == {"brain-tumor", *SAMPLE_DICE}
