"""What the header of a DICOM file says that tells sequences apart, as text by keyword. Ring 1 (io).

What it means for a role is in ``core.role_tags``. Nothing of it names a patient.
"""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from MedSegAILib.core.role_tags import DICOM_NUMBERS

from .dicom_headers import PYDICOM_ERRORS, lenient

TAGS = (
    *DICOM_NUMBERS, "SequenceVariant", "ScanOptions", "MRAcquisitionType", "BodyPartExamined", "FlipAngle",
    "EchoTrainLength", "MagneticFieldStrength", "AcquisitionTime", "DiffusionBValue", "PixelPresentation",
    "AcquisitionContrast",
)  # fmt: skip
# Elements that a header must be read with for :func:`sequence_tags`.
ASKED_TAGS = (*TAGS, "EchoPlanarPulseSequence")
# Enhanced MR (PS3.3 section C.8.13) keeps the times inside functional groups, under names of their own.
_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_ENHANCED = {
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
}


def sequence_tags(head: Dataset) -> dict[str, str]:
    """Give what there is of ``TAGS``; several values are joined by a backslash as in DICOM.

    Args:
        head: read with ``ASKED_TAGS`` and the functional groups of a multi-frame file.
    """
    tags = {name: text_of(head, name) for name in TAGS}
    if text_of(head, "EchoPlanarPulseSequence") == "YES":
        tags["ScanningSequence"] = "EP"
    groups = [_first(head, name) for name in _GROUPS]
    for name, (sequence, inner) in _ENHANCED.items():
        parts = [_first(group, sequence) for group in groups if group is not None]
        told = [text_of(part, inner) for part in parts if part is not None]
        tags[name] = tags[name] or next((text for text in told if text), "")
    return {name: text for name, text in tags.items() if text}


def text_of(head: Dataset, name: str) -> str:
    """Give an element as text; empty when it is missing or damaged."""
    value = _value(head, name)
    if value is None:
        return ""
    return "\\".join(map(str, value)) if isinstance(value, MultiValue) else str(value).strip()


def _first(head: Dataset, name: str) -> Dataset | None:
    """Give the first item of a sequence."""
    items = _value(head, name)
    return items[0] if items else None


def _value(head: Dataset, name: str) -> Any:
    try:
        with lenient():
            return head.get(name)
    except PYDICOM_ERRORS:
        return None
