"""PROMISE12: ``Case00.mhd`` with ``Case00_segmentation.mhd``, flat or in subfolders. Ring 1 (io).

Source: Litjens et al., Med Image Anal 18(2), 2014; file names as distributed.
"""

from __future__ import annotations

import re
from pathlib import Path

from .listing import LabeledStudy

_CASE = re.compile(r"^Case\d\d\.mhd$")


def can_read(root: Path) -> bool:
    """Tell whether there are such cases."""
    return bool(_cases(root))


def read(root: Path, roles: tuple[str, ...] = ()) -> list[LabeledStudy]:
    """List the cases; those of the challenge's test part have no reference."""
    (role,) = roles[:1] or ("T2",)
    studies = []
    for path in _cases(root):
        reference = path.with_name(f"{path.stem}_segmentation.mhd")
        studies.append(LabeledStudy(path.stem, {role: path}, reference if reference.is_file() else None))
    return studies


def _cases(root: Path) -> list[Path]:
    return sorted((p for p in root.rglob("Case*.mhd") if _CASE.match(p.name)), key=lambda path: path.name)
