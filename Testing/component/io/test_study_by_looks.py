"""Real studies whose names tell nothing: roles by their looks; what is not certain is asked for, nothing is guessed."""

from __future__ import annotations

import json
import shutil
from itertools import combinations

import pytest

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.role_looks import look
from MedSegAILib.core.role_odds import HEAD_ROLES, LookOdds
from MedSegAILib.core.role_words import Claim, claim_of
from MedSegAILib.core.roles import Candidate, assign
from MedSegAILib.io import read_volume
from MedSegAILib.io.study_folder import find_study

pytestmark = pytest.mark.shared
SILENT = Claim("", 0.0, "its name names no sequence")
SET = "brain_tumor_four_sequences"


@pytest.fixture(scope="module")
def studies(shared_dir):
    """Looks by role, of all studies with the four sequences."""
    found = {}
    for name in (SET, "brain_tumor_native_grids"):
        splits = json.loads((shared_dir / "data" / name / "splits.json").read_text(encoding="utf-8"))
        for patient in splits["train"] + splits["test"]:
            folder = shared_dir / "data" / name / patient
            if (folder / "T1.nii.gz").is_file():
                found[patient] = {role: look(read_volume(folder / f"{role}.nii.gz")) for role in HEAD_ROLES}
    return found


@pytest.fixture(scope="module")
def all_odds(studies):
    return {patient: LookOdds(list(looks.values())) for patient, looks in studies.items()}


def told(looks, roles):
    guesses = assign([Candidate(role, role, SILENT, looks[role]) for role in roles], HEAD_ROLES).guesses
    return {guess.key: guess.role for guess in guesses if guess.role}


def test_four_sequences_are_told_without_one_error(studies):
    assert len(studies) == 11
    right = asked = 0
    for patient, looks in studies.items():
        for role, said in told(looks, HEAD_ROLES).items():
            assert role == said, patient
            right += 1
        asked = 4 * len(studies) - right
    assert (right, asked) == (42, 2)


def test_fewer_sequences_are_told_right_or_asked_for(studies):
    for patient in ("BraTS2021_01479", "BraTS2021_01484", "TCGA-FG-6692"):  # the three that come nearest to an error
        looks = studies[patient]
        for count in (1, 2, 3):
            for roles in combinations(HEAD_ROLES, count):
                found = told(looks, roles)
                assert all(role == said for role, said in found.items()), (patient, roles)
                # One T1 alone is called neither native nor enhanced.
                assert {"T1", "T1ce"} <= set(roles) or not {"T1", "T1ce"} & set(found), (patient, roles)


@pytest.mark.parametrize("pair", list(combinations(HEAD_ROLES, 2)), ids="-".join)
def test_exchanged_names_are_noticed_and_right_ones_never(all_odds, pair):
    noticed = 0
    for patient, odds in all_odds.items():
        right = dict(enumerate(HEAD_ROLES))
        assert odds.misnamed(right) == {}, patient
        exchange = dict(zip(pair, pair[::-1], strict=True))
        wrong = {index: exchange.get(role, role) for index, role in right.items()}
        noticed += odds.misnamed(wrong) == {index: role for index, role in right.items() if role in pair}
    assert noticed >= 10


def test_a_body_ct_and_a_copy_are_no_fifth_sequence(studies, shared_dir):
    looks = studies["BraTS2021_01482"]
    body = look(read_volume(shared_dir / "data" / "abdomen_ct" / "images" / "ircadb_01.nii.gz"))
    assert "as CT does" in body.problem
    candidates = [Candidate(role, role, SILENT, one) for role, one in {**looks, "body": body}.items()]
    assert {guess.key: guess.role for guess in assign(candidates, HEAD_ROLES).guesses}["body"] == ""
    copied = [Candidate(key, key, SILENT, looks[key[:2]]) for key in ("T2", "T2 copy")]
    found = assign(copied, HEAD_ROLES)
    assert found.by_role == {}


def test_a_folder_without_names_is_read_and_says_how_its_roles_were_found(tmp_path, shared_dir):
    source = shared_dir / "data" / SET / "BraTS2021_01482"
    for number, role in enumerate(("FLAIR", "T1", "T2", "T1ce")):
        shutil.copy(source / f"{role}.nii.gz", tmp_path / f"image_{number}.nii.gz")
    found = find_study(tmp_path, HEAD_ROLES)
    names = {role: path.name for role, path in found.paths.items()}
    assert names == {
        "T1": "image_1.nii.gz",
        "T1ce": "image_3.nii.gz",
        "T2": "image_2.nii.gz",
        "FLAIR": "image_0.nii.gz",
    }
    assert [notice.code for notice in found.notices] == ["study.roles_by_looks"]
    assert {entry["source"] for entry in found.to_json()} == {"looks"}


def test_a_t1_and_a_flair_without_names_are_asked_for(tmp_path, shared_dir):
    source = shared_dir / "data" / SET / "BraTS2021_01482"
    for number, role in enumerate(("FLAIR", "T1")):
        shutil.copy(source / f"{role}.nii.gz", tmp_path / f"BRATS_0000_000{number}.nii.gz")
    with pytest.raises(InputError) as asked:
        find_study(tmp_path, HEAD_ROLES)
    assert asked.value.code == "study.ambiguous"
    assert asked.value.hint.startswith("Name the right one beside the study: --input T1")
    assert "data sets count the sequences differently" in asked.value.message


def test_looks_tell_two_t1_apart_but_never_choose_between_two_of_one_name(studies):
    looks = studies["BraTS2021_01482"]
    names = {"t1 a": "T1", "t1 b": "T1ce", "t2": "T2", "flair": "FLAIR"}

    def named(**names):
        return [Candidate(key, key, claim_of(key, HEAD_ROLES), looks[role]) for key, role in names.items()]

    found = assign(named(**names), HEAD_ROLES).by_role
    assert {role: guess.key for role, guess in found.items()} == {role: key for key, role in names.items()}
    twice = assign(named(**{"t2 a": "T2", "t2 b": "FLAIR", "t1": "T1", "t1ce": "T1ce"}), HEAD_ROLES)
    assert set(twice.in_doubt["T2"]) == {"t2 a", "t2 b"}
    assert set(twice.by_role) == {"T1", "T1ce"}
