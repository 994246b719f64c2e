"""A folder for each study, with ``<role>.nii.gz`` and ``seg.nii.gz`` (any image ending). Ring 1 (io)."""

from __future__ import annotations

from pathlib import Path

from .listing import LabeledStudy, images_in

REFERENCE = "seg"


def can_read(root: Path) -> bool:
    """Tell whether some subfolder holds an image called ``seg`` and another one beside it."""
    return any(REFERENCE in images and len(images) > 1 for images in map(images_in, _folders(root)))


def read(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List the studies; ``roles`` empty takes every file for a role of its own name."""
    studies = []
    for place in _folders(root):
        images = images_in(place)
        reference = images.pop(REFERENCE, None)
        given = {role: images[role] for role in roles or tuple(images) if role in images}
        if given or reference:
            studies.append(LabeledStudy(place.name, given, reference))
    return studies


def _folders(root: Path) -> list[Path]:
    return sorted(child for child in root.iterdir() if child.is_dir() and not child.name.startswith("."))
