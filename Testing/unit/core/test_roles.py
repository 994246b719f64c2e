"""The roles of a study: one volume a role, doubt left open and asked for."""

from __future__ import annotations

from MedSegAILib.core.role_words import OTHER, Claim, claim_of
from MedSegAILib.core.roles import Candidate, assign, claim_together, wants_look

ROLES = ("T1", "T1ce", "T2", "FLAIR")


def named(*names):
    return [Candidate(name, name, claim_of(name, ROLES)) for name in names]


def roles_of(candidates):
    return {role: guess.key for role, guess in assign(candidates, ROLES).by_role.items()}


def test_clear_names_give_each_role_its_volume_with_a_reason():
    found = assign(named("x_t1", "x_t1ce", "x_t2", "x_flair", "x_adc", "x_seg"), ROLES)
    assert {role: guess.key for role, guess in found.by_role.items()} == {
        "T1": "x_t1", "T1ce": "x_t1ce", "T2": "x_t2", "FLAIR": "x_flair",
    }  # fmt: skip
    assert not found.in_doubt
    assert found.by_role["FLAIR"].reason == "Its name says FLAIR."
    assert all(guess.confidence >= 0.9 for guess in found.by_role.values())


def test_two_volumes_for_one_role_leave_it_open_with_both_named():
    found = assign(named("t1 first", "t1 second", "flair"), ROLES)
    assert list(found.by_role) == ["FLAIR"]
    assert set(found.in_doubt["T1"]) == {"t1 first", "t1 second"}
    assert found.question("T1") == (
        "It is not certain which image is T1: t1 first (its name says T1); t1 second (its name says T1)."
    )


def test_a_silent_name_takes_no_role_and_disturbs_none():
    assert roles_of(named("t1", "something", "else")) == {"T1": "t1"}


def test_a_given_volume_keeps_its_role_whatever_else_is_there():
    given = Candidate("mine", "mine", Claim("T1", 1.0, "it was given as T1"))
    assert roles_of([given, *named("flair", "scan", "other scan")]) == {"T1": "mine", "FLAIR": "flair"}


def test_volumes_are_looked_at_only_where_words_leave_a_role_open():
    assert not wants_look(named("t1", "t1ce", "t2", "flair", "scan"), ROLES)
    assert wants_look(named("t1", "scan"), ROLES)
    assert wants_look(named("t1 a", "t1 b"), ROLES)
    assert not wants_look(named("t1", "adc"), ROLES)
    assert not wants_look([Candidate("a", "a", claim_of("scan", ["CT"]))], ["CT"])


def test_sources_that_exclude_each_other_settle_nothing():
    flair, t2 = claim_of("flair", ROLES), claim_of("t2", ROLES, "its series description")
    assert not claim_together([flair, t2]).is_sure
    assert claim_together([claim_of("t1", ROLES), claim_of("t1 km", ROLES)]).role == "T1ce"
    assert not claim_together([claim_of("t1 nativ", ROLES), claim_of("t1 km", ROLES)]).is_sure
    assert claim_together([flair, Claim(OTHER, 0.97, "its DICOM header says CT")]).role == OTHER
    assert claim_together([claim_of("scan", ROLES), t2]).role == "T2"


def test_no_volume_gives_no_role():
    assert assign([], ROLES).by_role == {}
