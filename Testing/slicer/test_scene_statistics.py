"""The numbers of a region on real MRML: mL, largest diameter, mean of each sequence, in any frame."""

from __future__ import annotations

import numpy as np
import pytest
from MedSegAISlicer.scene.runner import Runner
from MedSegAISlicer.scene.segment_box import SegmentBox
from MedSegAISlicer.scene.statistics import inputsOf, largestDiameterMm, regionStatistics, statisticsText

from MedSegAILib.core.run import RunOptions
from Testing.harness.fake_worker import FakeClient
from Testing.harness.mrml import addTransform, addVolume
from Testing.makers.phantoms import make_labels


@pytest.fixture
def result(scene, nodes, tiny_case):
    client = FakeClient()
    handle = Runner(scene, client).start(nodes, "brain-tumor", RunOptions(), name="Tumor")
    client.jobs[0].sayResult(make_labels(tiny_case.reference_grid()).array)
    client.poll()
    return handle.segmentationNode


def test_means_are_those_of_the_voxels_of_each_sequence(result, nodes, tiny_case):
    assert inputsOf(result) == nodes
    found = {line.segmentId: line for line in regionStatistics(result)}
    labels = make_labels(tiny_case.reference_grid()).array
    for name, values in {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}.items():
        mask = np.isin(labels, values)
        for role, volume in tiny_case.volumes.items():
            assert found[name].mean_intensity[role] == pytest.approx(float(volume.array[mask].mean(dtype=float)))
        assert found[name].volume_ml == pytest.approx(mask.sum() * tiny_case.reference_grid().voxel_volume_ml)
    rows = statisticsText(list(found.values())).splitlines()
    assert rows[0] == "region,title,volume_ml,largest_diameter_mm," + ",".join(f"mean_{role}" for role in sorted(nodes))
    assert rows[1].startswith("WT,Whole tumor,")


def test_a_volume_on_another_grid_or_under_another_transform_is_looked_at_where_the_region_is(scene, result, nodes):
    before = {line.segmentId: line.mean_intensity["T1"] for line in regionStatistics(result)}
    grid = np.array(np.diag([4.0, 4.0, 4.0, 1.0]))
    grid[:3, 3] = -60
    constant = addVolume(np.full((40, 40, 40), 7, np.int16), grid, "other")
    result.SetNodeReferenceID("MedSegAI.Input.T1", constant.GetID())
    assert {line.mean_intensity["T1"] for line in regionStatistics(result)} == {7.0}
    shift = np.eye(4)
    shift[:3, 3] = 500
    constant.SetAndObserveTransformNodeID(addTransform(scene, shift).GetID())
    assert all(np.isnan(line.mean_intensity["T1"]) for line in regionStatistics(result))
    scene.RemoveNode(constant)
    assert "T1" not in next(iter(regionStatistics(result))).mean_intensity
    assert before["WT"] > 0


def box_of(mask):
    return SegmentBox(mask, (3, 4, 5), np.diag([0.5, 2.0, 3.0, 1.0]))


def brute_force_mm(mask):
    points = np.argwhere(mask)[:, ::-1] * [0.5, 2.0, 3.0]
    return max(float(np.linalg.norm(points - point, axis=1).max()) for point in points)


@pytest.mark.parametrize("seed", range(6))
def test_the_largest_diameter_is_that_of_all_pairs(seed):
    random = np.random.default_rng(seed)
    mask = random.random((9, 12, 15)) > 0.9
    assert largestDiameterMm(box_of(mask)) == pytest.approx(brute_force_mm(mask), rel=2e-3)


def test_the_largest_diameter_of_one_voxel_and_of_none_is_zero():
    assert largestDiameterMm(box_of(np.ones((1, 1, 1), bool))) == 0.0
    assert largestDiameterMm(box_of(np.zeros((0, 0, 0), bool))) == 0.0
