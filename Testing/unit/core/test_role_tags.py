"""DICOM headers to sequences: descriptions, times, contrast agent; what contradicts itself settles nothing."""

from __future__ import annotations

import pytest

from MedSegAILib.core.role_tags import claim_of_tags
from MedSegAILib.core.role_words import OTHER

ROLES = ("T1", "T1ce", "T2", "FLAIR")
HEADERS = {
    "description": ({"SeriesDescription": "ax T2 FLAIR"}, "FLAIR"),
    "protocol, where the description is silent": ({"SeriesDescription": "AX 5mm", "ProtocolName": "t2_tse"}, "T2"),
    "times of a FLAIR": ({"EchoTime": "90", "RepetitionTime": "9000", "InversionTime": "2500"}, "FLAIR"),
    "times of a T2": ({"EchoTime": "98", "RepetitionTime": "4500", "ScanningSequence": "SE"}, "T2"),
    "times of a T1": ({"EchoTime": "9", "RepetitionTime": "500", "ScanningSequence": "SE"}, "T1"),
    "times of an MPRAGE": ({"EchoTime": "3", "RepetitionTime": "2300", "InversionTime": "900"}, "T1"),
    "times of a T1 and an agent": (
        {"EchoTime": "9", "RepetitionTime": "500", "ContrastBolusAgent": "Gadovist"},
        "T1ce",
    ),
    "plain T1 and an agent": ({"SeriesDescription": "t1 tra", "ContrastBolusAgent": "APPLIED"}, "T1ce"),
    "plain T1, agent none": ({"SeriesDescription": "t1 tra", "ContrastBolusAgent": "None"}, "T1"),
    "one protocol before and after": ({"SeriesDescription": "t1 tra +KM", "ProtocolName": "t1 tra"}, "T1ce"),
    "FLAIR whose inversion time was lost": (
        {"SeriesDescription": "FLAIR", "EchoTime": "90", "RepetitionTime": "9000"},
        "FLAIR",
    ),
    "diffusion": ({"ScanningSequence": "['EP', 'SE']", "EchoTime": "90", "RepetitionTime": "5000"}, OTHER),
    "T2 star": ({"ScanningSequence": "GR", "EchoTime": "25", "RepetitionTime": "600"}, OTHER),
    "CT": ({"Modality": "CT", "SeriesDescription": "T1"}, OTHER),
}
UNSURE = {
    "native by name, agent by header": {"SeriesDescription": "t1 nativ", "ContrastBolusAgent": "Gadovist"},
    "T1 by name, T2 by times": {"SeriesDescription": "t1 tra", "EchoTime": "98", "RepetitionTime": "4500"},
    "silent": {"SeriesDescription": "AX 5mm"},
    "between T1 and T2": {"EchoTime": "40", "RepetitionTime": "2500"},
    "not a number": {"EchoTime": "short", "RepetitionTime": "500"},
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_settles_its_sequence(case):
    tags, role = HEADERS[case]
    claim = claim_of_tags(tags, ROLES)
    assert (claim.role, claim.is_sure) == (role, True)


@pytest.mark.parametrize("case", UNSURE)
def test_a_header_that_is_silent_or_contradicts_itself_settles_nothing(case):
    assert not claim_of_tags(UNSURE[case], ROLES).is_sure


def test_a_ct_is_the_input_of_a_task_that_wants_one():
    assert claim_of_tags({"Modality": "CT"}, ("CT",)).role == "CT"
