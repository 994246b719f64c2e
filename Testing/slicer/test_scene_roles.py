"""Which node is which sequence: names, subject hierarchy, DICOM attributes; doubt ends in no choice."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from MedSegAISlicer.scene.roles import RoleFinder, claimOf, dicomTags

from Testing.harness.mrml import addVolume
from Testing.makers.phantoms import make_case

ROLES = ("T1", "T1ce", "T2", "FLAIR")


def add(name):
    return addVolume(np.zeros((8, 8, 8), np.int16), np.eye(4), name)


def roles_of(nodes, roles=ROLES, chosen=None):
    return {role: guess.title for role, guess in RoleFinder().assign(nodes, roles, chosen).by_role.items()}


def test_each_role_gets_the_one_node_that_claims_it(scene):
    nodes = [add(name) for name in ("s_t1", "s_t1ce", "s_t2", "s_flair", "s_seg")]
    assert roles_of(nodes) == {"T1": "s_t1", "T1ce": "s_t1ce", "T2": "s_t2", "FLAIR": "s_flair"}


def test_two_nodes_for_one_role_leave_it_open(scene):
    nodes = [add(name) for name in ("t1 first", "t1 second", "flair")]
    found = RoleFinder().assign(nodes, ROLES)
    assert list(found.by_role) == ["FLAIR"]
    assert len(found.in_doubt["T1"]) == 2
    assert roles_of(nodes, chosen={"T1": nodes[1]}) == {"T1": "t1 second", "FLAIR": "flair"}


def test_a_role_of_another_task_is_found_by_its_own_name(scene):
    assert roles_of([add("abdomen CT venous"), add("PET")], ("CT",)) == {"CT": "abdomen CT venous"}
    assert roles_of([add("t2"), add("flair")], ("T1", "FLAIR")) == {"FLAIR": "flair"}


def test_a_folder_of_the_hierarchy_speaks_for_the_one_volume_in_it(scene):
    node = add("image")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "FLAIR axial")
    hierarchy.CreateItem(study, node)
    claim = claimOf(node, ROLES)
    assert (claim.role, claim.reason) == ("FLAIR", "its folder says FLAIR")
    hierarchy.CreateItem(study, add("other"))
    assert claimOf(node, ROLES).role == ""


def test_a_ct_by_its_dicom_attribute_is_no_mr_sequence(scene):
    node = add("t1")
    node.SetAttribute("DICOM.Modality", "CT")
    assert dicomTags(node) == {"Modality": "CT"}
    assert roles_of([node]) == {}


def test_slicers_dicom_database_is_asked_for_the_times(scene, monkeypatch):
    class Database:
        def instanceValue(self, uid, tag):
            values = {"0018,0081": "90", "0018,0080": "9000", "0018,0082": "2500"}
            return values.get(tag, "") if uid == "1.2.3" else ""

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    node = add("image")
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    claim = claimOf(node, ROLES)
    assert (claim.role, claim.reason) == ("FLAIR", "its DICOM header says TE 90 ms, TR 9000 ms, TI 2500 ms")


def test_nothing_is_looked_at_when_the_names_say_all(scene):
    nodes = [add(name) for name in ("s_t1", "s_t1ce", "s_t2", "s_flair", "other")]
    assert not RoleFinder().wantsLook(nodes, ROLES)


def test_a_volume_is_looked_at_once_and_again_when_it_has_changed(scene):
    nodes = [add("one"), add("two")]
    finder = RoleFinder()
    ends = []
    while finder.wantsLook(nodes, ROLES):  # in steps, so that a window lives on between them
        ends.append(finder.lookAtNext(nodes, ROLES))
    assert sum(ends) == 2
    assert finder.assign(nodes, ROLES).by_role == {}
    slicer.util.updateVolumeFromArray(nodes[0], np.ones((8, 8, 8), np.int16))
    assert finder.wantsLook(nodes, ROLES)


def test_a_look_begins_anew_when_the_volume_is_changed_meanwhile(scene):
    first = next(iter(make_case().volumes.values()))
    whole = [addVolume(first.array, first.grid.ijk_to_ras, "one")]
    finder = RoleFinder()
    assert finder.lookAtNext(whole, ROLES) is False
    slicer.util.updateVolumeFromArray(whole[0], np.full_like(first.array, 7))
    while finder.wantsLook(whole, ROLES):
        finder.lookAtNext(whole, ROLES)
    assert finder.looks({"T1": whole[0]})["T1"].problem == "it shows too little of a head"


@pytest.mark.shared
def test_a_real_study_without_names_is_told_by_its_looks(scene, shared_dir):
    from MedSegAILib.io import read_volume

    folder = shared_dir / "data" / "brain_tumor_four_sequences" / "BraTS2021_01482"
    truth = {}
    for number, role in enumerate(("FLAIR", "T1", "T2", "T1ce")):
        volume = read_volume(folder / f"{role}.nii.gz")
        truth[role] = addVolume(volume.array, volume.grid.ijk_to_ras, f"Volume_{number}")
    finder, nodes = RoleFinder(), list(truth.values())
    while finder.wantsLook(nodes, ROLES):
        finder.lookAtNext(nodes, ROLES)
    found = finder.assign(nodes, ROLES).by_role
    assert {role: guess.key for role, guess in found.items()} == {role: node.GetID() for role, node in truth.items()}
    assert "it looks like T2: fluid the brightest." in found["T2"].reason
