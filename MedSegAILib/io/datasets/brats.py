"""BraTS 2013 to 2023: a folder for each patient, flat or in HGG and LGG. Ring 1 (io).

Three ways of naming: 2013 and 2015 have a folder for each sequence (``VSD.Brain.XX.O.MR_T1c.123/...mha``), 2017 to 2021
end in ``_t1ce.nii.gz`` and ``_seg.nii.gz``, 2023 in ``-t1c.nii.gz`` and ``-seg.nii.gz``. Labels become 1, 2, 4: up to
2015 the 3 is non-enhancing core and joins 1, in 2023 it is the enhancing tumor.

Source: the data pages of the challenges, braintumorsegmentation.org and smir.ch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from .listing import LabeledStudy, images_in, stem_of

ROLES = ("T1", "T1ce", "T2", "FLAIR")
GRADES = ("", "HGG", "LGG")
_VSD = re.compile(r"^VSD\.Brain.*\.(?P<what>MR_T1c|MR_T1|MR_T2|MR_Flair|OT)\.\d+$")
_VSD_ROLES = {"MR_T1": "T1", "MR_T1c": "T1ce", "MR_T2": "T2", "MR_Flair": "FLAIR", "OT": "seg"}
_ENDINGS = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR", "seg": "seg"}
_ENDINGS_2023 = {"t1n": "T1", "t1c": "T1ce", "t2w": "T2", "t2f": "FLAIR", "seg": "seg"}
NON_ENHANCING_TO_CORE = {3: 1}
ENHANCING_OF_2023 = {3: 4}


def can_read(root: Path) -> bool:
    """Tell whether some folder holds sequences under the names of a challenge."""
    return any(_files(place)[0] for place in _patients(root))


def read(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List the patients; a sequence that is not asked for is left out."""
    studies = []
    for place in _patients(root):
        files, relabel = _files(place)
        if not files:
            continue
        given = {role: files[role] for role in roles or ROLES if role in files}
        studies.append(LabeledStudy(place.name, given, files.get("seg"), relabel=relabel))
    return studies


def _patients(root: Path) -> list[Path]:
    places = [place for grade in GRADES for place in (root / grade).glob("*") if place.is_dir()]
    return sorted(place for place in places if place.name not in GRADES)


def _files(place: Path) -> tuple[dict[str, Path], Mapping[int, int]]:
    """Give the files of a patient's folder by role and "seg", and what their labels mean here."""
    old = {}
    for child in place.iterdir():
        match = _VSD.match(child.name) if child.is_dir() else None
        image = next(iter(images_in(child).values()), None) if match else None
        if match and image:
            old[_VSD_ROLES[match["what"]]] = image
    if old:
        return old, NON_ENHANCING_TO_CORE
    for separator, endings, relabel in (("_", _ENDINGS, {}), ("-", _ENDINGS_2023, ENHANCING_OF_2023)):
        found = {}
        for path in images_in(place).values():
            name, _, ending = (stem_of(path) or "").rpartition(separator)
            if name == place.name and ending in endings:
                found[endings[ending]] = path
        if found:
            return found, relabel
    return {}, {}
