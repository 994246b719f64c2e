"""``medsegai evaluate``: scores against an independent count, every axis order, empty regions."""

import csv
import json
from itertools import permutations, product

import numpy as np
import pytest

from MedSegAILib.cli.evaluate import on_grid_of
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Grid, Volume
from Testing.makers.phantoms import aligned_grid, make_labels, oblique_grid, write_nifti
from Testing.makers.shell import medsegai


def reordered(volume, order, flips):
    """The same voxels in another axis order, made index by index and not with our own geometry."""
    array = np.transpose(volume.array, order)
    new_to_old = np.zeros((4, 4))
    new_to_old[3, 3] = 1
    for new, old in enumerate(order):
        if flips[new]:
            array = np.flip(array, new)
            new_to_old[2 - old, 3] = volume.array.shape[old] - 1
        new_to_old[2 - old, 2 - new] = -1 if flips[new] else 1
    return Volume(np.ascontiguousarray(array), Grid(array.shape, volume.grid.ijk_to_ras @ new_to_old))


@pytest.mark.parametrize("grid", [aligned_grid(3.0, 12), oblique_grid()], ids=["aligned", "oblique"])
def test_every_axis_order_comes_back_to_the_same_voxels(grid):
    labels = make_labels(grid)
    for order in permutations(range(3)):
        for flips in product([False, True], repeat=3):
            assert np.array_equal(on_grid_of(labels, reordered(labels, order, flips)), labels.array)


def test_another_place_is_refused():
    labels = make_labels(aligned_grid())
    moved = labels.grid.ijk_to_ras.copy()
    moved[0, 3] += 2.0  # one whole voxel: same shape, same directions
    with pytest.raises(InputError) as refused:
        on_grid_of(labels, Volume(labels.array, Grid(labels.grid.shape_zyx, moved)))
    assert refused.value.code == "evaluate.grids_differ"


def test_scores_are_those_of_an_independent_count(tmp_path, tiny_package):
    truth = make_labels(aligned_grid())
    guess = np.roll(truth.array, 2, axis=0)
    guess[guess == 1] = 4
    files = [
        write_nifti(Volume(guess, truth.grid), tmp_path / "guess.nii.gz"),
        write_nifti(truth, tmp_path / "truth.nii.gz"),
    ]
    done = medsegai("evaluate", *files, "--task", "brain-tumor", "--json", packages=tiny_package)
    assert done.returncode == 0, done.stderr
    for score in json.loads(done.stdout)["regions"]:
        values = {"WT": {1, 2, 4}, "TC": {1, 4}, "ET": {4}}[score["region"]]
        ours = {tuple(index) for index in np.argwhere(np.isin(guess, list(values)))}
        theirs = {tuple(index) for index in np.argwhere(np.isin(truth.array, list(values)))}
        assert score["dice"] == pytest.approx(2 * len(ours & theirs) / (len(ours) + len(theirs)))
        assert score["volume_ml"] == pytest.approx(len(ours) * 0.008)
        assert score["reference_ml"] == pytest.approx(len(theirs) * 0.008)


def test_empty_regions_follow_the_rule_of_the_challenge(tmp_path, tiny_package):
    truth = make_labels(aligned_grid())
    edema_only = write_nifti(Volume(np.where(truth.array, 2, 0).astype(np.uint8), truth.grid), tmp_path / "ed.nii.gz")
    whole = write_nifti(truth, tmp_path / "truth.nii.gz")
    table = medsegai("evaluate", edema_only, edema_only, "--task", "brain-tumor", packages=tiny_package).stdout
    assert [line.split()[1] for line in table.splitlines()[1:]] == ["1.0000", "1.0000", "1.0000"]
    table = medsegai("evaluate", edema_only, whole, "--task", "brain-tumor", packages=tiny_package).stdout
    assert [line.split()[1] for line in table.splitlines()[1:]] == ["1.0000", "0.0000", "0.0000"]


def test_all_metrics_are_printed_and_written_as_csv(tmp_path, tiny_package):
    truth = make_labels(aligned_grid())
    guess = write_nifti(Volume(np.roll(truth.array, 2, axis=0), truth.grid), tmp_path / "guess.nii.gz")
    whole = write_nifti(truth, tmp_path / "truth.nii.gz")
    done = medsegai(
        "evaluate", guess, whole, "--task", "brain-tumor", "--csv", tmp_path / "scores.csv", packages=tiny_package
    )
    assert done.returncode == 0, done.stderr
    head = done.stdout.splitlines()[0]
    for heading in ("sensitivity", "specificity", "precision", "Jaccard", "HD mm", "HD95 mm", "surface mm"):
        assert heading in head
    with (tmp_path / "scores.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["region"] for row in rows} == {"WT", "TC", "ET"}
    assert 0 < float(rows[0]["hausdorff95_mm"]) <= float(rows[0]["hausdorff_mm"])


def test_csv_that_cannot_be_written_is_refused(tmp_path, tiny_package):
    whole = write_nifti(make_labels(aligned_grid()), tmp_path / "truth.nii.gz")
    nowhere = tmp_path / "nowhere" / "scores.csv"
    done = medsegai("evaluate", whole, whole, "--task", "brain-tumor", "--csv", nowhere, packages=tiny_package)
    assert done.returncode == 3
    assert "scores.csv" in done.stderr
