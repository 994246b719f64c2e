"""What a DICOM header says about a sequence: its descriptions, its times, its contrast agent. Reads no file. Ring 0.

The tags come as a mapping from keyword to value, from wherever they were read (files, Slicer's DICOM database).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .role_words import CLEAR, CONTRADICTED, OTHER, PLAIN_T1, SURE, Claim, claim_of

# PS3.6 keywords that are asked for; DICOM_NUMBERS gives them as Slicer's database wants them.
DICOM_NUMBERS = {
    "Modality": "0008,0060",
    "ImageType": "0008,0008",
    "SeriesDescription": "0008,103e",
    "ProtocolName": "0018,1030",
    "ScanningSequence": "0018,0020",
    "SequenceName": "0018,0024",
    "RepetitionTime": "0018,0080",
    "EchoTime": "0018,0081",
    "InversionTime": "0018,0082",
    "ContrastBolusAgent": "0018,0010",
}
# Times in ms of the usual protocols of the head at 1 to 3 T; between these nothing is claimed.
_LONG_ECHO_MS, _SHORT_ECHO_MS = 60.0, 20.0
_LONG_REPETITION_MS, _SHORT_REPETITION_MS = 2000.0, 1200.0
_FLUID_NULL_MS = 1500.0  # longer inversion times null fluid: FLAIR
_T1_INVERSION_MS = (400.0, 1400.0)  # MPRAGE and inversion recovery T1
_LATE_GRADIENT_ECHO_MS = 12.0  # a gradient echo later than this is T2*
_TIMES_CONFIDENCE = 0.9
_NO_AGENT = re.compile(r"\s*(no|none|non|nein|0|n/?a|without.*|ohne.*|unknown)?\s*", re.IGNORECASE)


def claim_of_tags(tags: Mapping[str, Any], roles: Sequence[str]) -> Claim:
    """Tell what a DICOM header says.

    Args:
        tags: value by PS3.6 keyword, see ``DICOM_NUMBERS``; what is missing is not asked for.
        roles: wanted roles.

    Returns:
        The claim; without a role when the header is silent, with half the confidence when it contradicts itself.
    """
    modality = str(tags.get("Modality") or "")
    if modality and modality != "MR":
        role = next((role for role in roles if role.upper() == modality), OTHER)
        return Claim(role, CLEAR, f"its DICOM header says {modality}")
    text = _text_claim(tags, roles)
    kind, times = _kind_by_times(tags)
    if text.role == OTHER or kind == OTHER:
        return text if text.role == OTHER else Claim(OTHER, SURE, f"its DICOM header says {times}")
    agent = str(tags.get("ContrastBolusAgent") or "")
    is_enhanced = not _NO_AGENT.fullmatch(agent)
    if not text.role:
        return _by_times(kind, times, is_enhanced=is_enhanced, roles=roles)
    text_kind = "T1" if text.role == "T1ce" else text.role
    # Some exports drop the inversion time: a FLAIR by name may then look like a T2 by its times.
    is_lost_inversion = text_kind == "FLAIR" and kind == "T2" and _number(tags, "InversionTime") is None
    if kind and kind != text_kind and not is_lost_inversion:
        return Claim(text.role, CONTRADICTED, f"{text.reason}, but {times} is that of a {kind}")
    if text.role == "T1" and is_enhanced and "T1ce" in roles:
        if not text.is_plain_t1:
            return Claim("T1", CONTRADICTED, f"{text.reason}, but its DICOM header names a contrast agent")
        return Claim("T1ce", PLAIN_T1, f"{text.reason} and its DICOM header names a contrast agent")
    return text


def _text_claim(tags: Mapping[str, Any], roles: Sequence[str]) -> Claim:
    """Give what the first telling one of the descriptions says."""
    claims = [
        claim_of(str(tags.get(keyword) or ""), roles, f"its {title}")
        for keyword, title in (("SeriesDescription", "series description"), ("ProtocolName", "protocol name"))
    ]
    kinds = {claim.role for claim in claims if claim.is_sure}
    if len(kinds) > 1 and kinds != {"T1", "T1ce"}:  # one protocol often serves before and after contrast agent
        return Claim(claims[0].role, CONTRADICTED, f"{claims[0].reason} and {claims[1].reason}")
    return next((claim for claim in claims if claim.role), claims[0])


def _by_times(kind: str, times: str, *, is_enhanced: bool, roles: Sequence[str]) -> Claim:
    if not kind or kind not in roles:
        return Claim("", 0.0, "its DICOM header does not tell the sequence")
    role = "T1ce" if kind == "T1" and is_enhanced and "T1ce" in roles else kind
    agent = " and a contrast agent" if is_enhanced and kind == "T1" else ""
    return Claim(role, _TIMES_CONFIDENCE, f"its DICOM header says {times}{agent}", is_plain_t1=role == "T1")


def _kind_by_times(tags: Mapping[str, Any]) -> tuple[str, str]:
    """Give "T1", "T2", "FLAIR", ``OTHER`` or "", and the times in words."""
    echo_ms, repetition_ms = _number(tags, "EchoTime"), _number(tags, "RepetitionTime")
    inversion_ms = _number(tags, "InversionTime") or 0.0
    if echo_ms is None or repetition_ms is None:
        return "", ""
    words = f"TE {echo_ms:g} ms, TR {repetition_ms:g} ms" + (f", TI {inversion_ms:g} ms" if inversion_ms else "")
    technique = re.findall(r"[A-Z]+", str(tags.get("ScanningSequence") or "").upper())
    name = str(tags.get("SequenceName") or "").lower()
    is_gradient_echo = "GR" in technique and "SE" not in technique
    if "EP" in technique or "tof" in name or (is_gradient_echo and echo_ms > _LATE_GRADIENT_ECHO_MS):
        return OTHER, f"another kind of picture ({'+'.join(technique) or name}, {words})"
    if inversion_ms >= _FLUID_NULL_MS and echo_ms >= _LONG_ECHO_MS:
        return "FLAIR", words
    if echo_ms >= _LONG_ECHO_MS and repetition_ms >= _LONG_REPETITION_MS and not inversion_ms:
        return "T2", words
    has_t1_inversion = _T1_INVERSION_MS[0] <= inversion_ms <= _T1_INVERSION_MS[1]
    if echo_ms <= _SHORT_ECHO_MS and (repetition_ms <= _SHORT_REPETITION_MS or has_t1_inversion):
        return "T1", words
    return "", words


def _number(tags: Mapping[str, Any], keyword: str) -> float | None:
    """Give a number of the header; the first of several, None for what is none."""
    value = tags.get(keyword)
    first = value if isinstance(value, (int, float)) else str(value or "").split("\\")[0].strip("[] ").split(",")[0]
    try:
        return float(first)
    except ValueError:
        return None
