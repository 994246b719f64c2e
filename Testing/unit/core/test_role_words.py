"""Names of files, folders, nodes and series to sequences; doubt is no claim."""

from __future__ import annotations

import pytest

from MedSegAILib.core.role_words import OTHER, claim_of, is_result

ROLES = ("T1", "T1ce", "T2", "FLAIR")
NAMES = {
    "T1.nii.gz": "T1",
    "T1ce.nii.gz": "T1ce",
    "t2.NII": "T2",
    "FLAIR.nrrd": "FLAIR",
    "BraTS20_Training_001_t1.nii.gz": "T1",
    "BraTS20_Training_001_t1ce.nii.gz": "T1ce",
    "BraTS20_Training_001_flair.nii.gz": "FLAIR",
    "BraTS2021_00006_t2.nii.gz": "T2",
    "BraTS-GLI-00000-000-t1n.nii.gz": "T1",
    "BraTS-GLI-00000-000-t1c.nii.gz": "T1ce",
    "BraTS-GLI-00000-000-t2w.nii.gz": "T2",
    "BraTS-GLI-00000-000-t2f.nii.gz": "FLAIR",
    "sub-01_ses-1_T2w_FLAIR.nii.gz": "FLAIR",
    "patient_T1_Gd.nii.gz": "T1ce",
    "t1_ce": "T1ce",
    "T1+C axial": "T1ce",
    "ax t1 post contrast": "T1ce",
    "t1 pre contrast.mha": "T1",
    "t1_without_contrast.nii": "T1",
    "t1km.mhd": "T1ce",
    "seg.nii.gz": None,
    "BraTS20_Training_001_seg.nii.gz": None,
    "T1_mask.nii.gz": None,
    "T1ce_label_map.nii.gz": None,
    "auto_consensus_T1ce_grid.nii.gz": None,
    "prediction_flair.nii.gz": None,
    "T1_seg2.nii.gz": None,
    "T1_T2_difference.nii.gz": None,
    "T1_to_FLAIR.nii.gz": None,
    "adc.nii.gz": None,
    "patient1.nii.gz": None,
    "TT1.nii.gz": None,
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
    "BraTS20_Training_001_seg": None,
    "T1 mask": None,
    "flair label": None,
    "localizer": None,
    "DWI b1000": None,
    "T1 T2 map": None,
    "Series 12": None,
    "t1_mprage_sag_ohne_KM": "T1",
    "T1 nach KM axial": "T1ce",
    "T1 nativ": "T1",
    "t1 vor KM": "T1",
    "T1 avec gadolinium": "T1ce",
    "T1 gado": "T1ce",
    "ep2d_diff_b1000 T2": None,
    "T2* GRE": None,
    "T2 star": None,
    "t2 map": None,
    "tirm_tra_dark-fluid": "FLAIR",
    "T1 sans contraste": "T1",
    "BRATS_001_0000": None,
    "MPRAGE": None,
    "T1 C-spine": None,
    "T1 SE post Gadovist": "T1ce",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_settles_its_sequence_or_none(name):
    claim = claim_of(name, ROLES)
    assert (claim.role if claim.is_sure and claim.role != OTHER else None) == NAMES[name]


def test_other_roles_are_looked_for_as_words():
    assert claim_of("abdomen_CT_venous.nii.gz", ["CT"]).role == "CT"
    assert claim_of("actor.nii.gz", ["CT"]).role == ""
    assert claim_of("T1.nii.gz", ["CT"]).role == OTHER


def test_pictures_of_another_kind_are_no_inputs_and_silent_names_may_be():
    assert claim_of("ADC", ROLES).role == OTHER
    assert claim_of("T1_mask", ROLES).role == OTHER
    assert is_result("T1_seg2.nii.gz")
    assert claim_of("Series 12", ROLES).role == ""


def test_a_number_of_a_data_set_says_that_it_is_ambiguous():
    assert claim_of("BRATS_001_0002.nii.gz", ROLES).reason == (
        "its name ends in 0002, and data sets count the sequences differently"
    )


def test_a_t1_that_says_nothing_of_contrast_agent_is_less_sure():
    assert claim_of("t1", ROLES).is_plain_t1
    assert not claim_of("t1 nativ", ROLES).is_plain_t1
    assert claim_of("t1", ROLES).confidence < claim_of("t1 nativ", ROLES).confidence
