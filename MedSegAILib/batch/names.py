"""What a study is called in files, tables and pages: its folder's name, unless that may be a patient's. Ring 6 (batch).

A word that stands alone (no digit touches it), has three letters or more, belongs to no list of neutral words and is
not shared by most studies of the batch may be a name. Such a study is called by a code that depends on its place only,
so the same study has the same code in every run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")
_NEUTRAL_WORDS = """
    adc anat axial baseline brain brats case center clinical contrast control cor coronal corrupt data
    dataset demo dicom dwi empty exam example exams flair fold followup group head healthy image images
    imaging institution left mri native nifti pat patient patients phantom pilot post pre raw right sag
    sagittal sample scan scans series ses session site split stripped studies study sub subj subject
    subjects swi tce test tra train training trial tumor tumour validation visit volume
"""
_NEUTRAL = frozenset(_NEUTRAL_WORDS.split())
_SHARED_FROM = 3  # studies; with fewer, a shared word says nothing
LONGEST = 80
_DEVICE_NAMES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def study_ids(places: Sequence[str], *, keep_names: bool = False) -> list[str]:
    """Give an id for each study, in the same order: usable as a file name everywhere, no two alike.

    Args:
        places: of each study: its folder relative to the root with "/" between, or what the table calls it.
        keep_names: also words that may be a patient's name are kept.

    >>> study_ids(["site1/case 7", "DOE_JANE", "case8"])
    ['site1_case-7', 'study-d318fa4c', 'case8']
    """
    shared = _shared_words(places)
    found = [_code(place) if not keep_names and _may_be_name(place, shared) else _safe(place) for place in places]
    counts: dict[str, int] = {}
    for name in found:
        counts[name.lower()] = counts.get(name.lower(), 0) + 1
    # "Case1" and "case1" are one file on some systems.
    return [
        name if counts[name.lower()] == 1 else f"{name[: LONGEST - 9]}-{_digest(place)}"
        for name, place in zip(found, places, strict=True)
    ]


def without_names(text: str, paths: Mapping[str, str]) -> str:
    """Give a sentence in which files are called by their role.

    Args:
        text: a message that may quote a path or the name of a file or folder.
        paths: what may be quoted -> what is said instead.
    """
    for quoted in sorted(paths, key=len, reverse=True):
        if quoted:
            text = text.replace(quoted, paths[quoted])
    return text[:1].upper() + text[1:]


def _may_be_name(place: str, shared: frozenset[str]) -> bool:
    words = {word.lower() for word in _WORD.findall(place)}
    return "^" in place or "," in place or bool(words - _NEUTRAL - shared)


def _shared_words(places: Sequence[str]) -> frozenset[str]:
    """Give the words that stand in more than half of the names: those of a data set, not of a person."""
    counts: dict[str, int] = {}
    for place in places:
        for word in {word.lower() for word in _WORD.findall(place)}:
            counts[word] = counts.get(word, 0) + 1
    enough = max(_SHARED_FROM, len(places) // 2 + 1)
    return frozenset(word for word, count in counts.items() if count >= enough)


def _safe(place: str) -> str:
    name = re.sub(r"[^\w.-]+", "-", place.replace("/", "_")).strip("-._")
    if not name or len(name) > LONGEST or _DEVICE_NAMES.fullmatch(name):
        return f"{name[: LONGEST - 9]}-{_digest(place)}".lstrip("-")
    return name


def _code(place: str) -> str:
    return f"study-{_digest(place)}"


def _digest(place: str) -> str:
    return hashlib.sha256(place.encode()).hexdigest()[:8]
