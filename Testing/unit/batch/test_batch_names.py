"""What studies are called: as their folders, unless that may be a patient's name."""

import pytest

from MedSegAILib.batch.names import study_ids, without_names


@pytest.mark.parametrize(
    "place", ["DOE^JANE", "Doe, Jane", "Müller_Hans_1961", "schmidt/mri", "site1/SCHMIDT 1961", "patient Weiß 3"]
)
def test_folder_that_may_carry_a_name_gets_a_code(place):
    (name,) = study_ids([place])
    assert name.startswith("study-")
    assert len(name) == len("study-") + 8


@pytest.mark.parametrize(
    "place", ["BraTS2021_01476", "BraTS20_Training_001", "brats_2013_pat0004_1", "OAS30001", "sub-01_ses-2", "case 7"]
)
def test_folder_of_a_data_set_keeps_its_name(place):
    assert study_ids([place]) == [place.replace(" ", "-")]


def test_word_that_most_studies_share_is_no_name():
    places = [f"UCSF-PDGM-{number:04d}" for number in range(5)]
    assert study_ids(places) == places
    assert study_ids([*places, "UCSF-SMITH-0009"])[-1].startswith("study-")


def test_code_depends_on_the_place_only():
    assert study_ids(["Doe_Jane"]) == study_ids(["case1", "Doe_Jane"])[1:]


def test_names_are_kept_when_asked_for():
    assert study_ids(["DOE^JANE"], keep_names=True) == ["DOE-JANE"]


def test_ids_differ_also_where_case_does_not_count_and_signs_are_replaced():
    names = study_ids(["case1", "Case1", "case 1", "case-1", "a/1", "a_1", "CON", "..", "1" * 300])
    assert len({name.lower() for name in names}) == 9
    assert all(name == name.strip(".") and "/" not in name and len(name) <= 90 for name in names)


def test_messages_call_files_by_their_role():
    text = without_names("DOE_JANE_t1.nii.gz is empty.", {"DOE_JANE_t1.nii.gz": "the file of T1"})
    assert text == "The file of T1 is empty."
