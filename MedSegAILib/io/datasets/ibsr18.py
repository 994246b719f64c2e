"""IBSR18 as it is given out: ``IBSR_01/IBSR_01.nii.gz`` with ``IBSR_01_seg.nii.gz``, or the repository's own names.

The repository calls the stripped image ``_ana_strip`` and the three tissues ``_segTRI_ana``, or ``_segTRI_fill_ana``
with the sulci filled; courses hand out ``Training_Set/IBSR_01`` and so on. Ring 1 (io).

Source: Internet Brain Segmentation Repository, IBSR V2.0; file names as distributed.
"""

from __future__ import annotations

import re
from pathlib import Path

from .listing import LabeledStudy, images_in

_SUBJECT = re.compile(r"^IBSR_\d\d$")
IMAGES = ("", "_ana_strip", "_ana")  # the stripped one first
REFERENCES = ("_seg", "_segTRI_fill_ana", "_segTRI_ana")
PARTS = {"training_set": "train", "validation_set": "test", "test_set": "test"}


def can_read(root: Path) -> bool:
    """Tell whether some folder is called like a subject and holds the subject's image."""
    return any(_first(place, IMAGES) for place in _subjects(root))


def read(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List the subjects; the folders of a course tell the part."""
    (role,) = roles[:1] or ("T1",)
    studies = []
    for place in _subjects(root):
        image, reference = _first(place, IMAGES), _first(place, REFERENCES)
        files = {role: image} if image else {}
        studies.append(LabeledStudy(place.name, files, reference, PARTS.get(place.parent.name.lower(), "")))
    return studies


def _subjects(root: Path) -> list[Path]:
    places = [*root.glob("IBSR_*"), *root.glob("*/IBSR_*")]
    return sorted((place for place in places if place.is_dir() and _SUBJECT.match(place.name)), key=lambda p: p.name)


def _first(place: Path, endings: tuple[str, ...]) -> Path | None:
    images = images_in(place)
    return next((images[place.name + ending] for ending in endings if place.name + ending in images), None)
