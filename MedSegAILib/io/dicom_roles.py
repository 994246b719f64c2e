"""Which series lie in a folder and what their headers say of their sequence. Reads no pixels and opens no subfolder.

What the tags mean is in ``core.role_tags``. No patient data is kept. Ring 1 (io).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from MedSegAILib.core.role_tags import DICOM_NUMBERS

from .dicom_headers import NOT_IMAGES, PYDICOM_ERRORS, lenient
from .dicom_series import DICOM_SUFFIXES

_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_TAGS = [*DICOM_NUMBERS, "SeriesInstanceUID", "SeriesNumber", "Rows", "EchoPlanarPulseSequence", *_GROUPS]
# Enhanced MR (PS3.3 section C.8.13) keeps the times inside functional groups, under names of their own.
_ENHANCED = {
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
}


@dataclass(frozen=True)
class FolderSeries:
    """One series of a folder.

    Args:
        file: one of its files; ``read_volume`` reads the whole series from it.
        title: what messages call it: its number and how many files it has; never its description.
        count: number of its files.
        tags: value by keyword, see ``core.role_tags``.
    """

    file: Path
    title: str
    count: int
    tags: dict[str, Any]


def series_in(folder: Path) -> list[FolderSeries]:
    """Give the image series whose files lie in a folder, by series number; other files are passed over."""
    found: dict[str, list[Path]] = {}
    heads: dict[str, Dataset] = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        head = _head(path)
        if head is not None:
            uid = str(head.get("SeriesInstanceUID", ""))
            found.setdefault(uid, []).append(path)
            heads.setdefault(uid, head)
    series = [
        FolderSeries(paths[0], _title(heads[uid], len(paths)), len(paths), _tags(heads[uid]))
        for uid, paths in found.items()
    ]
    return sorted(series, key=lambda one: (len(one.title), one.title))


def _head(path: Path) -> Dataset | None:
    """Read the header of a DICOM image; None for anything else."""
    try:
        with path.open("rb") as file:
            start = file.read(132)
        if start[128:] != b"DICM" and path.suffix.lower() not in DICOM_SUFFIXES:
            return None
        with lenient():
            data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS, force=True)
            is_image = "Rows" in data and str(data.get("Modality", "")) not in NOT_IMAGES
            return data if is_image else None
    except PYDICOM_ERRORS:
        return None  # the reader says what is wrong, if the file is chosen


def _title(head: Dataset, count: int) -> str:
    number = head.get("SeriesNumber")
    name = "a series" if number in (None, "") else f"series {number}"
    return f"{name} ({count} file{'s' if count > 1 else ''})"


def _tags(head: Dataset) -> dict[str, Any]:
    with lenient():
        tags = {name: head.get(name) for name in DICOM_NUMBERS}
        tags = {name: str(value) for name, value in tags.items() if value not in (None, "")}
        if head.get("EchoPlanarPulseSequence") == "YES":
            tags["ScanningSequence"] = "EP"
        groups = [next(iter(head.get(name) or []), None) for name in _GROUPS]
        for name, (sequence, inner) in _ENHANCED.items():
            for group in (group for group in groups if group is not None and name not in tags):
                part = next(iter(group.get(sequence) or []), None)
                value = part.get(inner) if part is not None else None
                if value not in (None, ""):
                    tags[name] = str(value)
        return tags
