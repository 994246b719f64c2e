"""The whole system of Henry et al. from a manifest alone: ten members of A, five of B, sixteen transforms, Table 1.

The wanted result is computed here a second time from the paper's words, with numpy and plain torch: nothing of
preparation, views, ensembles, decision or merging of the library is used.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from MedSegAILib.core.case import Case
from MedSegAILib.core.run import RunOptions
from MedSegAILib.engine.backend import BACKENDS
from MedSegAILib.image.geometry import orient
from MedSegAILib.networks import build
from MedSegAILib.tasks.importers.brats2020_package import import_runs
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment
from Testing.makers.brats2020_run import random_tensors, write_run
from Testing.makers.phantoms import ROLES, aligned_grid, make_case

FOLDS = range(5)
# By pipeline and place in the fold: class, norm, normalization. A keeps two of each fold, one of them with attention.
KINDS = {
    "A_plain": ("EquiUnet", "group", "minmax"),
    "A_attention": ("AttEquiUnet", "group", "minmax"),
    "B": ("EquiUnet", "instance", "zscore"),
}
WIDTH = 2
UNSURE = 1e-4  # nearer to the threshold than this, rounding decides


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Networks this small lose time to waiting threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def box_of(arrays):
    """The smallest box that holds every voxel that is not 0 in any sequence."""
    places = np.argwhere(np.any([array != 0 for array in arrays], axis=0))
    return tuple(slice(low, high + 1) for low, high in zip(places.min(axis=0), places.max(axis=0), strict=True))


def scaled(array, normalization):
    values = array.astype(np.float64)
    if normalization == "minmax":
        low, high = np.percentile(values[values > 0], [1, 99])
        clipped = np.clip(values, low, high)
        return (clipped - clipped.min()) / (clipped.max() - clipped.min())
    inside = values != 0
    return np.where(inside, (values - values[inside].mean()) / values[inside].std(), 0.0)


def padded(arrays):
    """To multiples of 8, zeros at the high end."""
    shape = [-(-count // 8) * 8 for count in arrays[0].shape]
    whole = np.zeros((len(arrays), *shape), np.float32)
    for channel, array in enumerate(arrays):
        whole[(channel, *(slice(0, count) for count in array.shape))] = array
    return torch.from_numpy(whole)


@pytest.fixture(scope="module")
def case():
    """A head in the axis order of the challenge, with a sequence whose voxels reach further than the others'."""
    case = make_case(aligned_grid(4.0, 20))
    case.volumes["T2"].array[1, 8:11, 9] = 40.0
    return case


@pytest.fixture(scope="module")
def images(case):
    """What the members of each kind see."""
    arrays = [case.volumes[role].array for role in ROLES]
    box = box_of(arrays)
    return {kind: padded([scaled(array[box], KINDS[kind][2]) for array in arrays]) for kind in KINDS}


def network_of(tensors, kind):
    name, norm, _ = KINDS[kind]
    network = build(f"brats2020.{name}", width=WIDTH, norm=norm, deep_heads=True).eval()
    network.load_state_dict({key: torch.as_tensor(value) for key, value in tensors.items()})
    return network


def spread(tensors, kind, image):
    """Scale and shift the last layer so that each region covers about half of the box."""
    with torch.inference_mode():
        logits = network_of(tensors, kind)(image[None])[0][0].flatten(1).numpy()
    gain = (3.0 / logits.std(axis=1)).astype(np.float32)
    tensors["outconv.weight"] *= gain[:, None, None, None, None]
    tensors["outconv.bias"] = gain * (tensors["outconv.bias"] - np.median(logits, axis=1))
    return tensors


@pytest.fixture(scope="module")
def runs(images, tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    found = {kind: [] for kind in KINDS}
    for (number, (kind, (name, norm, scaling))), fold in itertools.product(enumerate(KINDS.items()), FOLDS):
        tensors = spread(random_tensors(name, WIDTH, norm, 100 * fold + number), kind, images[kind])
        fields = {"width": WIDTH, "norm_layer": norm, "normalisation": scaling}
        found[kind].append(write_run(root / f"fold{fold}_{kind}", tensors, fields))
    return found


@pytest.fixture(scope="module")
def package_folder(runs, tmp_path_factory):
    sources = [run for fold in zip(*runs.values(), strict=True) for run in fold]
    return import_runs(sources, tmp_path_factory.mktemp("packages") / "brats2020").package.folder


@torch.inference_mode()
def mean_of_sixteen(network, image):
    """The published list by definition: no flip or one of z, y, x, then 0 to 3 quarter turns; way back reversed."""
    total = torch.zeros(3, *image.shape[1:], dtype=torch.float64)
    for turns in range(4):
        flips = [[], [1], [2], [3]]
        looks = torch.stack([torch.rot90(torch.flip(image, axes), turns, (2, 3)) for axes in flips])
        for axes, logits in zip(flips, network(looks)[0].double(), strict=True):
            total += torch.flip(torch.rot90(torch.sigmoid(logits), -turns, (2, 3)), axes)
    return (total / 16).numpy()


@pytest.fixture(scope="module")
def members(runs, images, case):
    """Mean probabilities [ET, TC, WT] of every member in the box, by pipeline."""
    box = box_of([case.volumes[role].array for role in ROLES])
    depth, height, width = case.volumes["T1"].array[box].shape
    found = {"A": [], "B": []}
    for kind in KINDS:
        for run in runs[kind]:
            network = network_of(torch.load(run / "model_best.pth.tar", weights_only=True)["state_dict"], kind)
            mean = mean_of_sixteen(network, images[kind])
            found[kind[0]].append(mean[:, :depth, :height, :width])
    return found


@pytest.fixture(scope="module")
def wanted(members, case):
    """Mean probabilities of each pipeline in the box, the label map, and the box."""
    arrays = [case.volumes[role].array for role in ROLES]
    box = box_of(arrays)
    means = {pipeline: np.mean(found, axis=0) for pipeline, found in members.items()}
    labels = np.zeros(arrays[0].shape, np.uint8)
    labels[box] = merged(*(labels_of(means[pipeline] > 0.5) for pipeline in ("A", "B")))
    return means, labels, box


def labels_of(regions):
    enhancing, core, whole = regions
    return np.where(enhancing, 4, np.where(core, 1, np.where(whole, 2, 0)))


def merged(ours, theirs):
    """Table 1 in words."""
    from_nothing = np.where(theirs == 2, 2, 0)
    from_edema = np.where(theirs == 0, 0, 2)
    return np.where(np.isin(ours, (1, 4)), ours, np.where(ours == 0, from_nothing, from_edema))


def test_manifest_says_all_of_it(package_folder):
    stage = read_package(package_folder).stages[0]
    assert [(ensemble.name, len(ensemble.members)) for ensemble in stage.ensembles] == [("A", 10), ("B", 5)]
    groups = stage.ensembles[0].by_network()
    assert [(network.name, len(files)) for network, files in groups] == [
        ("brats2020.EquiUnet", 5),
        ("brats2020.AttEquiUnet", 5),
    ]
    assert stage.merge["rule"] == "label_table"


@pytest.mark.parametrize("backend", BACKENDS)
def test_five_folds_of_both_pipelines_equal_the_papers_words(backend, package_folder, case, wanted):
    means, labels, box = wanted
    given = Case({role: orient(volume, "RAS") for role, volume in case.volumes.items()})
    steps = []
    result = segment(
        given,
        read_package(package_folder),
        RunOptions(preset="best", backend=backend, threads=1, keep_probabilities=True),
        steps.append,
    )
    found = result.labels.array[:, ::-1, ::-1]
    distance = np.min([np.abs(mean - 0.5) for mean in means.values()], axis=(0, 1))
    is_sure = np.ones(labels.shape, bool)
    is_sure[box] = distance > UNSURE
    assert is_sure[box].mean() > 0.98
    np.testing.assert_array_equal(found[is_sure], labels[is_sure])
    depth, height, width = labels[box].shape
    kept = result.probabilities.array[:, :depth, :height, :width]
    np.testing.assert_allclose(kept, (means["A"] + means["B"]) / 2, rtol=0, atol=2e-5)
    assert [step.done for step in steps if step.stage == "predict"][-1] == 15 * 12


def test_members_count_alike_when_one_network_has_more_of_them(runs, members, case, wanted, tmp_path):
    """Two plain members and one with attention: a mean of three, not of two networks."""
    sources = [runs["A_plain"][0], runs["A_attention"][0], runs["A_plain"][1]]
    package = import_runs(sources, tmp_path / "three").package
    options = RunOptions(preset="best", backend="torch", threads=1, keep_probabilities=True)
    depth, height, width = case.volumes["T1"].array[wanted[2]].shape
    kept = segment(case, package, options).probabilities.array[:, :depth, :height, :width]
    plain, attention = members["A"][:5], members["A"][5:]
    np.testing.assert_allclose(kept, np.mean([plain[0], attention[0], plain[1]], axis=0), rtol=0, atol=2e-5)


def test_case_of_this_file_meets_every_cell_of_table_1(wanted):
    """Otherwise the agreement above would say little."""
    means, labels, _ = wanted
    ours, theirs = (labels_of(means[pipeline] > 0.5) for pipeline in ("A", "B"))
    cells = set(zip(ours.ravel().tolist(), theirs.ravel().tolist(), strict=True))
    assert len(cells) == 16, sorted(cells)
    assert set(np.unique(labels)) == {0, 1, 2, 4}


def test_every_member_counts_in_the_case_of_this_file(members):
    """The mean of ten is not the mean of nine by far more than the tolerance above."""
    for found in members.values():
        for left_out in range(len(found)):
            others = np.mean(found[:left_out] + found[left_out + 1 :], axis=0)
            assert np.abs(others - np.mean(found, axis=0)).max() > 1e-2
