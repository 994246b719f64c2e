"""Networks of two dimensions, slabs, windows, softmax and coarse grids, all by manifest, on hand-set weights."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import PackageError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid, Volume
from MedSegAILib.image.geometry import orient
from MedSegAILib.image.metrics import dice
from MedSegAILib.tasks.expected import expect
from MedSegAILib.tasks.package import read_package
from MedSegAILib.tasks.pipeline import segment
from Testing.makers.abdomen import make_abdomen
from Testing.makers.staged_package import PLAIN, SHARP, WINDOW, above, ensemble, manifest, write_package

LABELS = {"pancreas": 1}
DECIDE = [{"step": "threshold", "above": 0.5}, {"step": "paint", "order": [["pancreas", 1]]}]
ORDERS = ("LPS", "RAS", "AIR", "SPL")


def one_stage(folder, members, *, decide=DECIDE, labels=LABELS, merge=None, **more):
    """A package of one ensemble, "net", or of those given as ``ensembles``."""
    ensembles = more.pop("ensembles", None) or [ensemble("net", more.pop("prepare", PLAIN), ["pancreas"], **more)]
    stage = {"name": "all", "ensembles": ensembles, "decide": list(decide), **({"merge": merge} if merge else {})}
    return read_package(write_package(folder / "staged", manifest([stage], labels), members))


def spot(axes="LPS", at_xyz=(7, 6, 5)):
    """A CT of voxels of 2 x 3 x 4 mm with one bright voxel, stored in an axis order; and the voxel's place."""
    matrix = np.diag([-2.0, -3.0, 4.0, 1.0])
    grid = Grid((14, 13, 12), matrix)
    image = np.full((14, 13, 12), -50, np.int16)
    image[at_xyz[::-1]] = 300
    return Case({"CT": orient(Volume(image, grid), axes)}), matrix[:3, :3] @ np.array(at_xyz)


def place_of(labels: Volume) -> list[float]:
    """RAS mm of the only voxel that is labelled."""
    (where,) = np.argwhere(labels.array)
    return list(np.round(labels.grid.ijk_to_ras[:3, :3] @ where[::-1] + labels.grid.ijk_to_ras[:3, 3], 6))


def shifting(from_yx: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A 3 x 3 kernel that gives each pixel the value of one neighbor."""
    weight = np.zeros((1, 1, 3, 3), np.float32)
    weight[0, 0, 1 + from_yx[0], 1 + from_yx[1]] = SHARP
    return weight, np.array([-0.5 * SHARP], np.float32)


# A plane as it is shown: how far, in RAS mm, a step to the pixel above or to the left goes.
PLANES = {
    "axial": {"above": (0, 3, 0), "left": (2, 0, 0)},
    "coronal": {"above": (0, 0, 4), "left": (2, 0, 0)},
    "sagittal": {"above": (0, 0, 4), "left": (0, 3, 0)},
}


@pytest.mark.parametrize(("plane", "side"), list(itertools.product(PLANES, ("above", "left"))))
def test_slices_lie_in_the_named_plane_whatever_the_storage_order(tmp_path, plane, side):
    """The network marks the pixel whose neighbor above (or to the left) is bright."""
    kernel = shifting((-1, 0) if side == "above" else (0, -1))
    prepare = [{"step": "orient", "plane": plane}, WINDOW]
    package = one_stage(tmp_path, {"net": kernel}, prepare=prepare, window={"slices": 1, "batch": 4})
    for axes in ORDERS:
        case, place = spot(axes)
        wanted = place - np.array(PLANES[plane][side])
        assert place_of(segment(case, package).labels) == wanted.tolist(), axes


def test_unknown_plane_is_refused(tmp_path):
    package = one_stage(tmp_path, {"net": above([0.5], 2)}, prepare=[{"step": "orient", "plane": "oblique"}])
    with pytest.raises(PackageError) as caught:
        segment(spot()[0], package)
    assert caught.value.code == "package.step"


@pytest.mark.parametrize("axes", ["LPS", "IRP"])
def test_three_planes_may_be_ensembles_of_one_stage(tmp_path, axes):
    ensembles = [
        ensemble(name, [{"step": "orient", "plane": name}, WINDOW], ["pancreas"], window={"slices": 1})
        for name in PLANES
    ]
    members = {name: above([0.45], 2) for name in PLANES}
    package = one_stage(tmp_path, members, ensembles=ensembles, merge={"rule": "mean"})
    case, _ = make_abdomen(axes=axes)
    result = segment(case, package, RunOptions(keep_probabilities=True))
    assert ((result.labels.array == 1) == (case.volumes["CT"].array > 80)).all()
    assert result.doubt.pass_count == 3
    assert result.doubt.contested_ml == {"pancreas": 0.0}


def slab_kernel(slices: int, taken: int) -> tuple[np.ndarray, np.ndarray]:
    weight = np.zeros((1, slices, 1, 1), np.float32)
    weight[0, taken] = SHARP
    return weight, np.array([-0.5 * SHARP], np.float32)


@pytest.mark.parametrize(("taken", "offset"), [(0, 6), (6, 0), (12, -6)])
def test_middle_of_13_slices_is_given_and_the_others_are_its_neighbors(tmp_path, taken, offset):
    package = one_stage(tmp_path, {"net": slab_kernel(13, taken)}, window={"slices": 13, "gives": "middle"})
    case, place = spot("PSL", (7, 6, 6))
    assert place_of(segment(case, package).labels) == (place + np.array([0, 0, 4 * offset])).tolist()


def test_end_slices_are_repeated_beyond_the_ends(tmp_path):
    package = one_stage(tmp_path, {"net": slab_kernel(5, 0)}, window={"slices": 5, "batch": 3})
    case, _ = spot(at_xyz=(7, 6, 0))
    labels = segment(case, package).labels.array
    assert np.argwhere(labels).tolist() == [[0, 6, 7], [1, 6, 7], [2, 6, 7]]


@pytest.mark.parametrize("slices", [5, 20])
def test_slabs_that_give_all_their_slices_are_averaged(tmp_path, slices):
    """Also a slab of more slices than the image has."""
    weight = np.zeros((slices, slices, 1, 1), np.float32)
    weight[range(slices), range(slices)] = SHARP
    members = {"net": (weight, np.full(slices, -0.5 * SHARP, np.float32))}
    package = one_stage(tmp_path, members, window={"slices": slices, "gives": "slab", "overlap": 0.5})
    case, place = spot("SLA")
    result = segment(case, package)
    assert place_of(result.labels) == place.tolist()
    assert result.passport.engine["ensembles"][0]["forwards"] == (1 if slices == 20 else 6)


def test_windows_at_half_overlap_give_what_the_whole_box_gives(tmp_path):
    case, _ = make_abdomen()
    kernel = np.zeros((1, 1, 1, 1, 1), np.float32) + SHARP
    member = {"net": (kernel, np.array([-0.45 * SHARP], np.float32))}
    window = {"size": [16, 24, 24], "overlap": 0.5, "weights": "flat"}
    whole = segment(case, one_stage(tmp_path / "whole", member))
    cut = segment(case, one_stage(tmp_path / "cut", member, window=window))
    assert (whole.labels.array == cut.labels.array).all()
    assert cut.passport.engine["ensembles"][0]["memory"]["windows"] == window
    assert cut.passport.engine["ensembles"][0]["forwards"] > 20


def test_each_window_may_be_normalized_by_itself(tmp_path):
    """A ramp along z: by itself every window has the same mean, so the same share of it is bright."""
    matrix = np.diag([-2.0, -2.0, 2.0, 1.0])
    rng = np.random.default_rng(3)
    image = (rng.normal(0, 5, (32, 16, 16)) + 100.0 * np.arange(32)[:, None, None] // 800 * 800 - 1000).astype(np.int16)
    case = Case({"CT": Volume(image, Grid(image.shape, matrix))})
    window = {"size": [8, 16, 16], "overlap": 0, "weights": "flat", "each": "zscore"}
    prepare = [{"step": "orient", "axes": "LPS"}]
    package = one_stage(tmp_path, {"net": above([1.0])}, prepare=prepare, window=window)
    labels = segment(case, package).labels.array.reshape(4, 8, 16, 16)
    shares = labels.mean(axis=(1, 2, 3))
    assert ((shares > 0.1) & (shares < 0.25)).all(), "one in six values lies a deviation above the mean"


def softmax_member(offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Background wins below 0.45 + offset, pancreas up to 0.65, tumor above: three lines of rising slope."""
    slopes = np.array([0.0, 200.0, 400.0], np.float32)
    biases = np.array([0.0, -200.0 * (0.45 + offset), -200.0 * (0.45 + offset) - 200.0 * 0.65], np.float32)
    return slopes.reshape(3, 1, 1, 1, 1), biases


def test_five_softmax_members_become_labels_by_the_largest_mean(tmp_path):
    members = {f"m{index}": softmax_member(0.01 * index - 0.02) for index in range(5)}
    net = ensemble("m0", PLAIN, ["background", "pancreas", "tumor"], activation="softmax")
    net["members"] = [f"{name}.safetensors" for name in members]
    decide = [{"step": "argmax", "labels": {"pancreas": 1, "tumor": 2}}, {"step": "min_volume", "ml": 2.0}]
    package = one_stage(tmp_path, members, ensembles=[net], decide=decide, labels={"pancreas": 1, "tumor": 2})
    case, truth = make_abdomen(axes="RIA")
    result = segment(case, package, RunOptions(keep_probabilities=True))
    # The bone is bright too, but smaller than 2 mL.
    assert (result.labels.array == truth.array).all()
    assert result.probabilities.regions == ("background", "pancreas", "tumor")
    assert np.allclose(result.probabilities.array.sum(axis=0), 1.0, atol=1e-5)
    assert result.doubt.pass_count == 5


@pytest.mark.parametrize("axes", ["LPS", "SRA"])
def test_network_on_a_coarse_grid_gives_labels_on_the_full_one(tmp_path, axes):
    prepare = [*PLAIN, {"step": "resample", "spacing_mm": [6.0, 4.0, 4.0], "around": "all", "multiple": [2, 4, 4]}]
    package = one_stage(tmp_path, {"net": above([0.4])}, prepare=prepare)
    case, truth = make_abdomen(axes=axes)
    result = segment(case, package)
    entry = result.passport.engine["ensembles"][0]
    assert entry["working_spacing_zyx_mm"] == [6.0, 4.0, 4.0]
    assert [count % block for count, block in zip(entry["working_shape_zyx"], (4, 8, 8), strict=True)] == [0, 0, 0]
    assert result.labels.array.shape == truth.array.shape
    assert dice(result.labels.array == 1, case.volumes["CT"].array > 80) > 0.9


def test_quarter_of_the_voxels_over_the_same_box(tmp_path):
    prepare = [*PLAIN, {"step": "resample_shape", "shape_zyx": [12, 0, 16]}]
    package = one_stage(tmp_path, {"net": above([0.4])}, prepare=prepare)
    case, _ = make_abdomen()
    result = segment(case, package)
    depth, height, width = case.volumes["CT"].array.shape
    assert result.passport.engine["ensembles"][0]["working_shape_zyx"] == [12, height, 16]
    assert result.labels.array.shape == (depth, height, width)


def test_expectation_knows_slices_and_boxes_before_the_run(tmp_path):
    prepare = [*PLAIN, {"step": "resample_shape", "shape_zyx": [0, 32, 32]}]
    package = one_stage(tmp_path, {"net": above([0.4], 2)}, prepare=prepare, window={"slices": 1, "batch": 4})
    case, _ = make_abdomen(axes="AIR")
    result = segment(case, package)
    from MedSegAILib.tasks.foretell import foretell_shape

    stage = package.stages[0]
    foretold = foretell_shape(stage, stage.ensembles[0], case)
    assert list(foretold[1:]) == result.passport.engine["ensembles"][0]["working_shape_zyx"]
    assert (
        expect(package, RunOptions(), [], case).memory_mb
        >= result.passport.engine["ensembles"][0]["memory"]["needed_mb"]
    )


@pytest.mark.parametrize(
    "window",
    [
        {"slices": 4},
        {"slices": 0, "gives": "slab"},
        {"slices": 3, "gives": "first"},
        {"slices": "three"},
        {"slices": 1, "size": [8]},
        {"slices": 1, "each": "minmax"},
        {"slices": 1, "batch": 0},
    ],
)
def test_slices_that_cannot_be_laid_are_refused(tmp_path, window):
    package = one_stage(tmp_path, {"net": above([0.4], 2)}, window=window)
    with pytest.raises(PackageError) as caught:
        segment(spot()[0], package)
    assert caught.value.code == "package.window"


def test_ct_task_refuses_what_is_not_in_hu(tmp_path):
    from MedSegAILib.core.errors import InputError

    package = one_stage(tmp_path, {"net": above([0.4])})
    case, _ = make_abdomen()
    volume = case.volumes["CT"]
    shifted = Case({"CT": Volume(volume.array + 1024, volume.grid)})
    with pytest.raises(InputError) as caught:
        segment(shifted, package)
    assert caught.value.code == "volume.not_ct"
