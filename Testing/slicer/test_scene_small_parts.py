"""Readiness, time left, and the numbers of the table."""

from __future__ import annotations

import numpy as np
import pytest
from MedSegAISlicer.scene.readiness import whyNotReady
from MedSegAISlicer.scene.segmentations import showResult
from MedSegAISlicer.scene.statistics import regionRows
from MedSegAISlicer.scene.time_left import TimeLeft
from MedSegAISlicer.scene.volumes import caseFromNodes

from MedSegAILib.core.run import Progress
from MedSegAILib.tasks.package import read_package
from Testing.harness.fake_worker import makeResult
from Testing.harness.mrml import addCase, addTransform, addVolume
from Testing.makers.phantoms import make_labels, oblique_grid


@pytest.fixture
def package(checkout):
    return read_package(checkout / "MedSegAILib" / "packages" / "brain-tumor")


def test_all_four_and_every_trained_set_are_ready_and_nothing_else(scene, tiny_case, package):
    nodes = addCase(tiny_case)
    assert whyNotReady(package, nodes) is None
    for subset in package.subsets:
        assert whyNotReady(package, {role: node for role, node in nodes.items() if role in subset}) is None
    reason = whyNotReady(package, {"T2": nodes["T2"], "T1": None})
    assert reason.code == "case.missing_role"
    assert reason.message == "The model was not trained for T2 alone."
    assert reason.hint.startswith("Choose T1, T1ce, T2 and FLAIR, or ")
    assert whyNotReady(package, {}).code == "scene.no_volume"
    assert whyNotReady(package, {"T1": nodes["T1"], "T2": nodes["T1"]}).code == "scene.same_volume"


def test_the_share_never_goes_back_and_ends_at_one():
    left = TimeLeft(clock=lambda: 0.0)
    steps = [("check", 0, 1), ("prepare", 0, 1), *(("predict", done, 4) for done in range(5)), ("decide", 0, 1)]
    shares = [left.update(Progress(*step)) for step in [*steps, ("done", 1, 1)]]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_time_left_follows_the_pace_of_the_prediction():
    now = [100.0]
    left = TimeLeft(clock=lambda: now[0])
    left.update(Progress("predict", 0, 10))
    assert left.seconds() is None
    now[0] += 20.0
    left.update(Progress("predict", 5, 10))
    assert left.seconds() == pytest.approx(20.0, rel=0.1)


def test_an_unknown_stage_and_an_unknown_length_move_nothing():
    left = TimeLeft()
    assert left.update(Progress("install", 0, 0)) == 0.0
    assert left.seconds() is None


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_volumes_in_ml_are_those_of_the_result_and_follow_the_parent(scene, scale):
    grid = oblique_grid()
    labels = make_labels(grid).array
    node = addVolume(np.zeros(grid.shape_zyx, np.float32), grid.ijk_to_ras, "reference")
    node.SetAndObserveTransformNodeID(addTransform(scene, np.diag([scale, 1.0, 1.0, 1.0])).GetID())
    result = makeResult(caseFromNodes({"T1": node}), labels)
    rows = regionRows(showResult(scene, result, node))
    assert [row.segmentId for row in rows] == ["WT", "TC", "ET"]
    for row in rows:
        assert row.volume_ml == pytest.approx(scale * result.volumes_ml()[row.segmentId], rel=1e-5)
