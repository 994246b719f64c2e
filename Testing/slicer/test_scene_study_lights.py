"""The light of each input on real MRML: red where a run would refuse, amber where it would tell, and its fix."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.logic import SegmentationLogic
from MedSegAISlicer.scene.parameters import Parameters, parameterNode
from MedSegAISlicer.scene.study_fixes import applyFix
from MedSegAISlicer.scene.study_lights import studyLights, worst
from MedSegAISlicer.scene.volumes import caseFromNodes

from Testing.harness.mrml import addVolume, fingerprint


@pytest.fixture
def package():
    return SegmentationLogic().package()


def lights(package, nodes, reasons=None):
    return studyLights(package, nodes, reasons or {})


def colors(package, nodes):
    return [light.color for light in lights(package, nodes).values()]


def test_a_whole_study_is_green_with_its_reasons(package, nodes):
    found = lights(package, nodes, {"T1": "Its name says T1."})
    assert [light.color for light in found.values()] == ["green"] * 4
    assert found["T1"].reason == "Its name says T1. 40 x 40 x 40 voxels of 2 x 2 x 2 mm."
    assert worst(list(found.values())) == "green"


@pytest.fixture
def parameters(scene):
    return Parameters(parameterNode(scene))


def test_one_volume_twice_is_red_at_both_and_a_click_opens_both(package, nodes, parameters):
    parameters.chosenByHand = frozenset({"T1", "T1ce", "T2"})
    chosen = {**nodes, "T1ce": nodes["T1"]}
    found = lights(package, chosen)
    assert (found["T1"].color, found["T1ce"].color, found["T2"].color) == ("red", "red", "green")
    assert found["T1ce"].reason == "The same volume is chosen for T1."
    assert applyFix(found["T1ce"], chosen, parameters) == {"T1": None, "T1ce": None}
    assert parameters.chosenByHand == {"T2"}


def test_another_grid_is_amber_and_told(package, nodes):
    grid = np.diag([3.0, 3.0, 3.0, 1.0])
    other = addVolume(np.zeros((20, 20, 20), np.float32), grid, "thick")
    found = lights(package, {**nodes, "T2": other})
    reference = next(role for role in package.reference if role in nodes)
    role = "T2" if reference != "T2" else "T1"
    assert found[role].color == "amber"
    assert "another grid" in found[role].reason


def test_a_missing_sequence_is_red_or_amber_as_the_model_was_trained(package, nodes):
    found = lights(package, {**nodes, "T1": None}, {"T1": "It is not certain which image is T1."})
    is_trained = frozenset(set(nodes) - {"T1"}) in package.subsets
    assert found["T1"].color == ("amber" if is_trained else "red")
    assert "not certain" in found["T1"].reason


def test_a_warped_volume_is_red_and_the_fix_uses_a_hardened_copy(scene, package, nodes, parameters):
    warp = scene.AddNewNodeByClass("vtkMRMLGridTransformNode", "warp")
    warp.SetAndObserveTransformFromParent(slicer.vtkOrientedGridTransform())
    nodes["FLAIR"].SetAndObserveTransformNodeID(warp.GetID())
    before = fingerprint(nodes["FLAIR"])
    light = lights(package, nodes)["FLAIR"]
    assert (light.color, light.code) == ("red", "harden")
    fixed = applyFix(light, nodes, parameters)["FLAIR"]
    assert fixed is not nodes["FLAIR"]
    assert parameters.chosenByHand == {"FLAIR"}
    assert fixed.GetParentTransformNode() is None
    assert fingerprint(nodes["FLAIR"]) == before
    chosen = {**nodes, "FLAIR": fixed}
    assert colors(package, chosen)[list(nodes).index("FLAIR")] != "red"
    caseFromNodes(chosen, package.reference)


def test_a_frame_of_a_sequence_is_red_and_the_fix_copies_it(scene, package, nodes, parameters):
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "4D")
    sequence.SetDataNodeAtValue(nodes["T1"], "0")
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.AddProxyNode(nodes["T1"], sequence, False)
    light = lights(package, nodes)["T1"]
    assert (light.color, light.code) == ("red", "frame")
    fixed = applyFix(light, nodes, parameters)["T1"]
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(fixed), slicer.util.arrayFromVolume(nodes["T1"]))
    assert colors(package, {**nodes, "T1": fixed}) == ["green"] * 4


def test_a_flat_image_is_red_and_the_fix_takes_it_out(package, nodes):
    flat = addVolume(np.zeros((1, 40, 40), np.float32), np.eye(4), "flat")
    light = lights(package, {**nodes, "T1": flat})["T1"]
    assert (light.color, light.fix) == ("red", "Choose none here")
    assert light.reason.startswith("T1 is a single slice")
