"""Which file of a study folder is which sequence, told from the names. Reads no voxel. Ring 1 (io).

A name is split into words at everything that is no letter or digit ("BraTS20_Training_001_t1ce.nii.gz" has the
words brats20, training, 001, t1ce); the words decide. Names of segmentations are never inputs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from MedSegAILib.core.errors import InputError

IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
_FLAIR = {"flair", "t2f", "t2flair", "flairt2", "fla"}
_T1CE = {"t1ce", "t1c", "t1gd", "t1gad", "t1km", "t1post", "t1contrast", "t1wce", "t1wc", "t1wgd", "t1cwm", "t1wpost"}
_T1 = {"t1", "t1n", "t1w", "t1pre", "t1native", "t1wpre"}
_T2 = {"t2", "t2w"}
_CONTRAST = {"ce", "c", "gd", "gad", "gadolinium", "km", "post", "postcontrast", "contrast", "enhanced"}
_NO_CONTRAST = {"pre", "native", "precontrast", "without", "no", "non", "unenhanced"}
# What programs call their results; a file with one of these words is never an input.
_RESULT_WORDS = re.compile(
    r"segs?|segmentations?|labels?|labelmap|masks?|brainmask|preds?|predict(ed|ions?)|consensus|gt|(ground)?truth"
    r"|annotations?|rois?|results?|overlay|prob(ability|abilities)?|ventricles|manual|(seg|mask|label|pred)[0-9]+"
)


def find_inputs(folder: Path, roles: Sequence[str]) -> dict[str, Path]:
    """Find one file (or DICOM subfolder) for each role.

    Args:
        folder: the study folder; only its own level is looked at.
        roles: wanted roles; "T1", "T1ce", "T2", "FLAIR" have many spellings, any other is looked for as a word.

    Returns:
        Role -> path, in the order of ``roles``; a role that is not there is left out.

    Raises:
        InputError: "study.missing" without the folder; "study.ambiguous" with the candidates when two names fit one
            role; "study.nothing_found" when no name fits any role.
    """
    if not folder.is_dir():
        raise InputError("study.missing", f"There is no folder {folder.name}.", "Check the path of the study.")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.name.lower()):
        role = role_of(path.name, roles) if _may_be_input(path) else None
        if role is not None:
            found.setdefault(role, []).append(path)
    for role, paths in found.items():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise InputError(
                "study.ambiguous",
                f"{len(paths)} names in the study folder fit {role}: {names}.",
                f"Name the right one: --input {role}=FILE.",
                role=role,
                candidates=[path.name for path in paths],
            )
    if not found:
        raise InputError(
            "study.nothing_found",
            f"No name in the study folder fits any of {', '.join(roles)}.",
            "Name the files by their sequence (T1.nii.gz), or give each one: --input T1=FILE.",
        )
    return {role: found[role][0] for role in roles if role in found}


def role_of(name: str, roles: Sequence[str]) -> str | None:
    """Tell which of the roles a file or folder name stands for; None for none and for names of segmentations.

    >>> role_of("BraTS-GLI-00001-000-t1c.nii.gz", ["T1", "T1ce", "T2", "FLAIR"])
    'T1ce'
    >>> role_of("sub-01_T2w_FLAIR.nii.gz", ["T1", "T1ce", "T2", "FLAIR"])
    'FLAIR'
    >>> role_of("auto_consensus_T1ce_grid.nii.gz", ["T1ce"]) is None
    True
    """
    words = set(re.findall(r"[a-z0-9]+", _without_suffix(name).lower().replace("+", " ce ")))
    if any(_RESULT_WORDS.fullmatch(word) for word in words):
        return None
    kind = _mr_sequence(words)
    by_lower = {role.lower(): role for role in roles}
    if kind is not None:
        return by_lower.get(kind)
    fitting = [role for lower, role in by_lower.items() if lower in words]
    return fitting[0] if len(fitting) == 1 else None


def _mr_sequence(words: set[str]) -> str | None:
    """Give "flair", "t1ce", "t2" or "t1"; None when no word or two different ones say so."""
    if words & _FLAIR:
        return None if words & (_T1 | _T1CE) else "flair"
    if words & _T1CE:
        return None if words & _T2 else "t1ce"
    if words & _T1:
        if words & _T2:
            return None
        return "t1ce" if words & _CONTRAST and not words & _NO_CONTRAST else "t1"
    return "t2" if words & _T2 else None


def _may_be_input(path: Path) -> bool:
    if path.name.startswith("."):  # also the "._T1.nii.gz" that macOS leaves on foreign disks
        return False
    if path.is_dir():
        return any(child.is_file() and not child.name.startswith(".") for child in path.iterdir())
    lower = path.name.lower()
    return lower.endswith(IMAGE_SUFFIXES) and not lower.endswith(".seg.nrrd")


def _without_suffix(name: str) -> str:
    for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
