"""A folder for each study, with ``<role>.nii.gz`` and ``seg.nii.gz``: the layout of our own sets.

Layouts give three names: ``can_read``, ``read`` and their place in ``LAYOUTS``. Beside the library (training).
"""

from __future__ import annotations

from pathlib import Path

from .study import Found

REFERENCE = "seg.nii.gz"


def can_read(root: Path) -> bool:
    """Tell whether some subfolder holds a ``seg.nii.gz`` and a NIfTI file beside it."""
    return any(len(list(place.parent.glob("*.nii.gz"))) > 1 for place in root.glob(f"*/{REFERENCE}"))


def read(root: Path, roles: tuple[str, ...]) -> list[Found]:
    """List the studies; ``roles`` empty takes every file for a role of its own name."""
    studies = []
    for place in sorted(child for child in root.iterdir() if child.is_dir()):
        files = {path.name.removesuffix(".nii.gz"): path for path in sorted(place.glob("*.nii.gz"))}
        reference = files.pop("seg", None)
        given = {role: files[role] for role in roles or tuple(files) if role in files}
        if given or reference:
            studies.append(Found(place.name, given, reference))
    return studies
