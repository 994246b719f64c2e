"""The drawn heads: repeatable, with every label, and with the contrast that the sequences have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from MedSegAILib.io import read_label_map, read_volume
from training.phantoms.brain import SEQUENCES, HeadOptions, Phantom, draw_head
from training.phantoms.sample import SAMPLE_TUMOR, write_sample

COARSE = HeadOptions(spacing_mm=3.0, tumor=SAMPLE_TUMOR, noise=0.02, vary=0.04)
SAMPLE_FILES = (*SEQUENCES, "seg")


@pytest.fixture(scope="module")
def head() -> Phantom:
    return draw_head(7, COARSE)


def test_the_same_seed_draws_the_same_voxels_and_another_seed_others(head: Phantom) -> None:
    again, other = draw_head(7, COARSE), draw_head(8, COARSE)
    for name in SEQUENCES:
        assert np.array_equal(head.volumes[name], again.volumes[name])
        assert not np.array_equal(head.volumes[name], other.volumes[name])
    assert np.array_equal(head.labels, again.labels)


def test_all_labels_are_there_and_nested_in_the_brain(head: Phantom) -> None:
    assert set(np.unique(head.labels)) == {0, 1, 2, 4}
    assert (head.volumes["FLAIR"][head.labels > 0] > 0).all()


def test_a_stripped_brain_has_the_volume_of_an_adult_brain(head: Phantom) -> None:
    brain_ml = np.count_nonzero(head.volumes["T1"]) * head.grid.voxel_volume_ml
    assert 1000.0 < brain_ml < 1700.0


def test_contrast_is_that_of_the_sequences(head: Phantom) -> None:
    def mean(name: str, label: int) -> float:
        return float(head.volumes[name][head.labels == label].mean())

    assert mean("T1ce", 4) > 1.5 * mean("T1", 4)  # the rim takes up contrast agent
    assert mean("T1ce", 4) > 1.3 * mean("T1ce", 1)  # and necrosis does not
    for name in ("T2", "FLAIR"):  # edema is brighter than the rest of the brain
        rest = head.volumes[name][(head.labels == 0) & (head.volumes[name] > 0)]
        assert mean(name, 2) > 1.3 * float(rest.mean())


def test_a_whole_head_has_more_than_the_brain_and_noise_in_the_air() -> None:
    whole = draw_head(7, HeadOptions(spacing_mm=3.0, with_skull=True))
    bright = np.count_nonzero(whole.volumes["T1"] > 150.0) * whole.grid.voxel_volume_ml
    assert bright > 1800.0
    assert (whole.volumes["T1"][0] > 0).all()


def test_the_shipped_sample_is_what_the_command_writes(checkout: Path, tmp_path: Path) -> None:
    shipped = checkout / "Resources" / "SampleData" / "brain-tumor"
    write_sample("brain-tumor", tmp_path)
    for name in SEQUENCES:
        ours, theirs = read_volume(tmp_path / f"{name}.nii.gz"), read_volume(shipped / f"{name}.nii.gz")
        assert ours.grid.is_same_as(theirs.grid)
        # One stored level may fall the other way where a processor rounds differently.
        assert np.abs(ours.array.astype(float) - theirs.array.astype(float)).max() <= 1.0
    labels = read_label_map(shipped / "seg.nii.gz").array
    assert np.mean(labels != read_label_map(tmp_path / "seg.nii.gz").array) < 1e-5
    assert sum((shipped / f"{name}.nii.gz").stat().st_size for name in SAMPLE_FILES) <= 1.2e6
