"""Which node is which sequence: names as studies really carry them, and doubt that ends in no choice."""

from __future__ import annotations

import pytest
from MedSegAISlicer.scene.roles import guessRole, guessRoles

ROLES = ("T1", "T1ce", "T2", "FLAIR")

NAMES = {
    "BraTS20_Training_001_t1": "T1",
    "BraTS20_Training_001_t1ce": "T1ce",
    "BraTS20_Training_001_t2": "T2",
    "BraTS20_Training_001_flair": "FLAIR",
    "BraTS-GLI-00005-100-t1n": "T1",
    "BraTS-GLI-00005-100-t1c": "T1ce",
    "BraTS-GLI-00005-100-t2w": "T2",
    "BraTS-GLI-00005-100-t2f": "FLAIR",
    "T1Gd": "T1ce",
    "5: t1_mprage_sag post Gd": "T1ce",
    "T1 without contrast": "T1",
    "t1 pre contrast": "T1",
    "AX T1 +C": "T1ce",
    "ax T2 FLAIR": "FLAIR",
    "T2-FLAIR_SPACE": "FLAIR",
    "tirm_flair_tra": "FLAIR",
    "T2 TSE axial": "T2",
    "301: T2W_TSE": "T2",
    "BraTS20_Training_001_seg": "",
    "T1 mask": "",
    "flair label": "",
    "localizer": "",
    "DWI b1000": "",
    "T1 T2 map": "",
    "Series 12": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_speaks_of_its_sequence(name):
    assert guessRole(name, ROLES) == NAMES[name]


def test_each_role_gets_the_one_node_that_claims_it():
    names = {"a": "s_t1", "b": "s_t1ce", "c": "s_t2", "d": "s_flair"}
    assert guessRoles(names, ROLES) == {"T1": "a", "T1ce": "b", "T2": "c", "FLAIR": "d"}


def test_two_nodes_for_one_role_leave_it_open():
    assert guessRoles({"a": "t1 first", "b": "t1 second", "c": "flair"}, ROLES) == {"FLAIR": "c"}


def test_a_role_that_the_task_does_not_have_is_not_guessed():
    assert guessRoles({"a": "t2", "b": "flair"}, ("T1", "FLAIR")) == {"FLAIR": "b"}


def test_a_role_of_another_task_is_found_by_its_own_name():
    assert guessRoles({"a": "abdomen CT venous", "b": "PET"}, ("CT",)) == {"CT": "a"}
