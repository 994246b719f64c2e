"""What the words of a name say about a sequence: file, folder, node and series names. Reads nothing. Ring 0.

A name is split into words at everything that is no letter or digit ("BraTS20_Training_001_t1ce.nii.gz" has the words
brats20, training, 001, t1ce); the words decide. Names of results (masks, labels) are never inputs. Spellings are
English, German, French and Spanish, as they stand in series descriptions and public data sets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# A claim of at least this much settles a role; what is below is asked for.
SURE = 0.9
CLEAR, PLAIN_T1, CONTRADICTED = 0.97, 0.92, 0.5
OTHER = "other"

_FLAIR = {"flair", "t2f", "t2flair", "flairt2", "fla", "darkfluid", "tirm"}
_T1CE = {"t1ce", "t1c", "t1gd", "t1gad", "t1km", "t1post", "t1contrast", "t1wce", "t1wc", "t1wgd", "t1cwm", "t1wpost"}
_T1 = {"t1", "t1n", "t1w", "t1wi", "t1pre", "t1native", "t1nativ", "t1wpre", "t1flair"}
_T1_METHODS = {"mprage", "rage", "bravo", "fspgr", "spgr", "tfl3d"}  # often, not always, before contrast agent
_T2 = {"t2", "t2w", "t2wi"}
_CONTRAST = {
    *("ce", "c", "gd", "gad", "gado", "gadolinium", "gadovist", "dotarem", "km", "post", "postcontrast", "contrast"),
    *("kontrast", "kontrastmittel", "contraste", "enhanced", "injecte", "injection"),
}
_NO_CONTRAST = {
    *("pre", "native", "nativ", "precontrast", "noncontrast", "without", "no", "non", "unenhanced"),
    *("ohne", "vor", "sans", "avant", "sin", "antes"),
}
# Pictures of a head that are none of the four sequences, though their names may hold one ("T2 star", "T1 map").
_OTHER_KIND = re.compile(
    r"dwi|adc|b[0-9]{3,4}|trace[a-z]*|dti|ep2d|perf[a-z]*|dsc|dce|asl|r?cb[vf]|mtt|swi|mip|tof|mra|mrv|bold|fmri|star"
    r"|t2star|t2s|t2sw|map|maps|localizer|localiser|scout|survey|spine|pd|pdw|diff|difference|subtraction"
)
# What programs call their results; a file with one of these words is never an input.
_RESULT = re.compile(
    r"segs?|segmentations?|labels?|labelmap|masks?|brainmask|preds?|predict(ed|ions?)|consensus|gt|(ground)?truth"
    r"|annotations?|rois?|results?|overlay|prob(ability|abilities)?|ventricles|manual|(seg|mask|label|pred)[0-9]+"
)
_NUMBERED = re.compile(r"(.*[^0-9])?(000[0-3])$")
_SUFFIX = re.compile(r"\.(nii(\.gz)?|nrrd|nhdr|mha|mhd|dcm|ima|dicom)$")
_BY_LOWER = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}


@dataclass(frozen=True)
class Claim:
    """What one source says about one volume.

    Args:
        role: the role it speaks of, ``OTHER`` for a picture that is no input, "" when it says nothing.
        confidence: 0 to 1; at least ``SURE`` settles it.
        reason: why, as a sentence without its period.
        is_plain_t1: says T1 and nothing of contrast agent; it may be the enhanced one after all.
    """

    role: str = ""
    confidence: float = 0.0
    reason: str = ""
    is_plain_t1: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether it settles the role."""
        return bool(self.role) and self.confidence >= SURE


def words_of(text: str) -> list[str]:
    """Give the words of a name, lower case; the suffix of an image file is left out.

    >>> words_of("Patient 7, T1+C.nii.gz")
    ['patient', '7', 't1', 'ce', 'c']
    """
    plain = _SUFFIX.sub("", text.lower()).replace("+", " ce ").replace("t2*", "t2star").replace("dark-fluid", "flair")
    return re.findall(r"[a-z0-9]+", plain)


def is_result(text: str) -> bool:
    """Tell whether a name is that of a mask, a label map or another result."""
    return any(_RESULT.fullmatch(word) for word in words_of(text))


def claim_of(text: str, roles: Sequence[str], what: str = "its name") -> Claim:
    """Tell what a name says.

    Args:
        text: a file, folder, node or series name.
        roles: wanted roles; "T1", "T1ce", "T2", "FLAIR" have many spellings, any other is looked for as a word.
        what: what the reason calls the text.

    >>> claim_of("BraTS-GLI-00001-000-t1c.nii.gz", ["T1", "T1ce", "T2", "FLAIR"]).role
    'T1ce'
    >>> claim_of("auto_consensus_T1ce_grid.nii.gz", ["T1ce"]).role
    'other'
    """
    words = words_of(text)
    if any(_RESULT.fullmatch(word) for word in words):
        return Claim(OTHER, 1.0, f"{what} is that of a segmentation")
    kind, is_plain = _kind(words)
    if kind:
        role = next((role for role in roles if role.lower() == kind), OTHER)
        confidence = PLAIN_T1 if is_plain else CLEAR
        return Claim(role, confidence, f"{what} says {_BY_LOWER.get(kind, 'another kind of picture')}", is_plain)
    own = [role for role in roles if role.lower() in words and role.lower() not in _BY_LOWER]
    if len(own) == 1:
        return Claim(own[0], CLEAR, f"{what} says {own[0]}")
    if set(words) & _T1_METHODS and "T1" in roles:
        return Claim("T1", CONTRADICTED, f"{what} is that of a T1 with or without contrast agent", is_plain_t1=True)
    numbered = _NUMBERED.match(_SUFFIX.sub("", text.lower()))
    if numbered:
        # The Decathlon's brain tumors are FLAIR, T1, T1ce, T2; others count T1, T1ce, T2, FLAIR.
        return Claim("", 0.0, f"{what} ends in {numbered.group(2)}, and data sets count the sequences differently")
    return Claim("", 0.0, f"{what} names no sequence")


def _kind(words: Sequence[str]) -> tuple[str, bool]:
    """Give "flair", "t1ce", "t2", "t1", ``OTHER`` or "" (none, or two that exclude each other); and if T1 alone."""
    found = set(words)
    if any(_OTHER_KIND.fullmatch(word) for word in words):
        return OTHER, False
    is_flair = bool(found & _FLAIR) or any("flair" in word and "t1" not in word for word in words)
    is_t1, is_t1ce, is_t2 = bool(found & _T1), bool(found & _T1CE), bool(found & _T2)
    if is_flair:
        return ("" if is_t1 or is_t1ce else "flair"), False
    if is_t2 and (is_t1 or is_t1ce):
        return "", False
    if is_t1ce:
        return "t1ce", False
    if is_t1:
        says_no = bool(found & (_NO_CONTRAST | {"t1n", "t1pre", "t1native", "t1nativ", "t1wpre"}))
        if found & _CONTRAST and not says_no:
            return "t1ce", False
        return "t1", not says_no
    return ("t2" if is_t2 else ""), False
