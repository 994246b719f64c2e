"""Nodes to volumes on real MRML: voxels, place, parents, refusals."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.volumes import caseFromNodes, checkVolumeNode, volumeFromNode

from MedSegAILib.core.errors import InputError, MedSegAIError, UsageError
from Testing.harness.mrml import addTransform, addVolume, fingerprint
from Testing.makers.phantoms import aligned_grid, oblique_grid

SHIFT = np.array([[0.0, -1, 0, 10], [1, 0, 0, -20], [0, 0, 1, 30], [0, 0, 0, 1]])
TILT = np.array([[0.8, 0, 0.6, 1], [0, 1, 0, 2], [-0.6, 0, 0.8, 3], [0, 0, 0, 1]])


def noise(shape, seed=0):
    return np.random.default_rng(seed).integers(-500, 3000, shape).astype(np.int16)


@pytest.mark.parametrize("grid", [aligned_grid(), oblique_grid()], ids=["aligned", "oblique left-handed"])
def test_a_node_gives_its_voxels_and_its_place(scene, grid):
    array = noise(grid.shape_zyx)
    volume = volumeFromNode(addVolume(array, grid.ijk_to_ras, "scan"))
    assert volume.array.dtype == np.int16
    np.testing.assert_array_equal(volume.array, array)
    assert volume.grid.is_same_as(grid, 1e-9)


def test_the_voxels_are_a_copy(scene):
    node = addVolume(noise((8, 9, 10)), np.eye(4), "scan")
    before = fingerprint(node)
    volumeFromNode(node).array[:] = 0
    assert fingerprint(node) == before


def test_volumes_under_one_parent_keep_their_local_geometry(scene):
    grid = oblique_grid()
    parent = addTransform(scene, TILT, parent=addTransform(scene, SHIFT))
    nodes = {role: addVolume(noise(grid.shape_zyx, i), grid.ijk_to_ras, role) for i, role in enumerate(("T1", "FLAIR"))}
    for node in nodes.values():
        node.SetAndObserveTransformNodeID(parent.GetID())
    case = caseFromNodes(nodes)
    assert all(volume.grid.is_same_as(grid, 1e-9) for volume in case.volumes.values())


def test_a_volume_under_another_parent_is_composed_into_the_frame_of_the_reference(scene):
    grid = aligned_grid()
    first, second = addTransform(scene, SHIFT), addTransform(scene, TILT)
    nodes = {"T1": addVolume(noise(grid.shape_zyx), grid.ijk_to_ras, "a")}
    nodes["FLAIR"] = addVolume(noise(grid.shape_zyx, 1), grid.ijk_to_ras, "b")
    nodes["T2"] = addVolume(noise(grid.shape_zyx, 2), grid.ijk_to_ras, "c")
    nodes["T1"].SetAndObserveTransformNodeID(first.GetID())
    nodes["FLAIR"].SetAndObserveTransformNodeID(second.GetID())
    case = caseFromNodes(nodes, preferred=["T1"])
    wanted = np.linalg.inv(SHIFT) @ TILT @ grid.ijk_to_ras
    np.testing.assert_allclose(case.volumes["FLAIR"].grid.ijk_to_ras, wanted, atol=1e-9)
    np.testing.assert_allclose(case.volumes["T2"].grid.ijk_to_ras, np.linalg.inv(SHIFT) @ grid.ijk_to_ras, atol=1e-9)
    np.testing.assert_allclose(case.volumes["T1"].grid.ijk_to_ras, grid.ijk_to_ras, atol=1e-12)


def test_the_first_preferred_role_that_is_given_is_the_reference(scene):
    nodes = {"T1": addVolume(noise((8, 8, 8)), np.eye(4), "a"), "FLAIR": addVolume(noise((8, 8, 8)), np.eye(4), "b")}
    assert caseFromNodes({**nodes, "T1ce": None}, preferred=["T1ce", "FLAIR", "T1"]).reference == "FLAIR"
    assert caseFromNodes(nodes).reference == "T1"


def warping(scene):
    node = scene.AddNewNodeByClass("vtkMRMLBSplineTransformNode", "warp")
    import vtk

    grid = vtk.vtkImageData()
    grid.SetDimensions(5, 5, 5)
    grid.AllocateScalars(vtk.VTK_DOUBLE, 3)
    spline = slicer.vtkOrientedBSplineTransform()
    spline.SetCoefficientData(grid)
    node.SetAndObserveTransformToParent(spline)
    return node


def under_warp(scene):
    node = addVolume(noise((8, 8, 8)), np.eye(4), "scan")
    node.SetAndObserveTransformNodeID(warping(scene).GetID())
    return node


def frame_of_a_sequence(scene):
    node = addVolume(noise((8, 8, 8)), np.eye(4), "scan")
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode")
    sequence.SetDataNodeAtValue(node, "0")
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.AddProxyNode(node, sequence, False)
    return node


REFUSED = {
    "none": (lambda scene: None, "scene.no_volume"),
    "not in a scene": (lambda scene: slicer.vtkMRMLScalarVolumeNode(), "scene.no_volume"),
    "model": (lambda scene: scene.AddNewNodeByClass("vtkMRMLModelNode"), "scene.not_a_scan"),
    "label map": (
        lambda scene: addVolume(np.ones((8, 8, 8), np.uint8), np.eye(4), "l", "vtkMRMLLabelMapVolumeNode"),
        "scene.not_a_scan",
    ),
    "color": (
        lambda scene: addVolume(np.ones((8, 8, 8, 3), np.uint8), np.eye(4), "c", "vtkMRMLVectorVolumeNode"),
        "scene.color_volume",
    ),
    "empty": (lambda scene: scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode"), "scene.empty_volume"),
    "one slice": (lambda scene: addVolume(noise((1, 8, 8)), np.eye(4), "flat"), "scene.flat_volume"),
    "sequence": (lambda scene: scene.AddNewNodeByClass("vtkMRMLSequenceNode"), "scene.not_a_scan"),
    "frame of a sequence": (frame_of_a_sequence, "scene.sequence_frame"),
    "under a warp": (under_warp, "scene.nonlinear_transform"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_segmented_is_refused_by_one_sentence_and_a_next_step(scene, kind):
    make, code = REFUSED[kind]
    node = make(scene)
    with pytest.raises(MedSegAIError) as refusal:
        checkVolumeNode(node, "FLAIR")
    assert refusal.value.code == code
    assert refusal.value.message.startswith("FLAIR ")
    assert refusal.value.message.endswith(".")
    assert refusal.value.hint.endswith(".")


def test_a_warp_above_the_parent_is_refused_too(scene):
    node = addVolume(noise((8, 8, 8)), np.eye(4), "scan")
    node.SetAndObserveTransformNodeID(addTransform(scene, SHIFT, parent=warping(scene)).GetID())
    with pytest.raises(InputError, match="warping"):
        caseFromNodes({"T1": node})


def test_the_same_node_for_two_roles_is_refused(scene):
    node = addVolume(noise((8, 8, 8)), np.eye(4), "scan")
    with pytest.raises(UsageError) as refusal:
        caseFromNodes({"T1": node, "T2": node})
    assert refusal.value.code == "scene.same_volume"
    assert "T1 and T2" in refusal.value.message


def test_a_refusal_never_names_the_node_since_it_may_name_a_patient(scene):
    node = addVolume(noise((1, 8, 8)), np.eye(4), "Doe^Jane")
    with pytest.raises(InputError) as refusal:
        caseFromNodes({"T1": node})
    assert "Doe" not in str(refusal.value)
