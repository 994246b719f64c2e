"""Which file or series of a study folder is which sequence: by names, by headers, and by looks where these are silent.

What words, headers and looks say is weighed in ``core.roles``, the same way as for the nodes of a scene. Voxels are
read only when names and headers leave a role open. Ring 1 (io).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.role_looks import look
from MedSegAILib.core.role_tags import claim_of_tags
from MedSegAILib.core.role_words import OTHER, Claim, claim_of, is_result
from MedSegAILib.core.roles import Assignment, Candidate, Guess, assign, claim_together, wants_look

from .dicom_roles import FolderSeries, series_in
from .dicom_series import DICOM_SUFFIXES
from .read import read_volume

IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


@dataclass(frozen=True)
class FoundStudy:
    """The inputs of a study folder.

    Args:
        paths: role -> file or DICOM folder, in the order of the roles; what was not found is left out.
        guesses: what was found about every image of the folder, with confidence and reason.
        notices: roles that no name and no header told, but the looks.
    """

    paths: Mapping[str, Path]
    guesses: tuple[Guess, ...]
    notices: tuple[Notice, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Give one dictionary an image: its name, role, confidence, reason and source."""
        return [
            {
                "image": guess.title,
                "role": guess.role or None,
                "confidence": round(guess.confidence, 3),
                "reason": guess.reason,
                "source": guess.source or None,
            }
            for guess in self.guesses
        ]


def find_inputs(folder: Path, roles: Sequence[str]) -> dict[str, Path]:
    """Give the paths of :func:`find_study`; arguments and errors as there."""
    return dict(find_study(folder, roles).paths)


def find_study(folder: Path, roles: Sequence[str], given: Mapping[str, Path] | None = None) -> FoundStudy:
    """Find one file, DICOM subfolder or DICOM series for each role.

    Args:
        folder: the study folder; only its own level, and the DICOM files of its subfolders, are looked at.
        roles: wanted roles; "T1", "T1ce", "T2", "FLAIR" have many spellings, any other is looked for as a word.
        given: role -> path that the user has named; these are taken, and not looked for.

    Raises:
        InputError: "study.missing" without the folder; "study.ambiguous" with the candidates when it is not certain
            which image has a role; "study.nothing_found" when nothing tells of any role.
    """
    if not folder.is_dir():
        raise InputError("study.missing", f"There is no folder {folder.name}.", "Check the path of the study.")
    given = dict(given or {})
    places = {path.resolve() for path in given.values()}
    others = [one for one in _candidates(folder, roles) if Path(one.key).resolve() not in places]
    candidates = [
        *(Candidate(str(path), path.name, Claim(role, 1.0, f"it was given as {role}")) for role, path in given.items()),
        *(_without_given(one, given) for one in others),
    ]
    if wants_look(candidates, roles):
        candidates = [_looked_at(one) for one in candidates]
    found = assign(candidates, roles)
    _ask(found, roles)
    by_role = found.by_role
    paths = {role: Path(by_role[role].key) for role in roles if role in by_role}
    if not paths:
        raise InputError(
            "study.nothing_found",
            f"No name in the study folder fits any of {', '.join(roles)}.",
            "Name the files by their sequence (T1.nii.gz), or give each one: --input T1=FILE.",
        )
    looked = [guess for guess in found.guesses if guess.role and guess.source == "looks"]
    return FoundStudy(paths, found.guesses, _notices(looked))


def _ask(found: Assignment, wanted: Sequence[str]) -> None:
    """Ask for the first role that is in doubt."""
    role = next((role for role in wanted if role in found.in_doubt), None)
    if role is None:
        return
    titles = {guess.key: guess.title for guess in found.guesses}
    names = [titles[key] for key in found.in_doubt[role]]
    raise InputError(
        "study.ambiguous",
        found.question(role),
        f"Name the right one beside the study: --input {role}=FILE.",
        role=role,
        candidates=names,
    )


def _notices(looked: Sequence[Guess]) -> tuple[Notice, ...]:
    if not looked:
        return ()
    words = ", ".join(f"{guess.title} as {guess.role} ({guess.confidence:.0%})" for guess in looked)
    return (
        Notice(
            "study.roles_by_looks",
            f"No name told the sequence; by their looks these were taken: {words}.",
            "Compare them with the picture; name a wrong one with --input ROLE=FILE.",
        ),
    )


def _without_given(one: Candidate, given: Mapping[str, Path]) -> Candidate:
    """Leave out an image that claims a role which the user gave to another one."""
    if one.claim.is_sure and one.claim.role in given:
        return replace(one, claim=Claim(OTHER, 1.0, f"{one.claim.reason}, which was given"))
    return one


def _candidates(folder: Path, roles: Sequence[str]) -> list[Candidate]:
    paths = sorted((path for path in folder.iterdir() if _may_be_input(path)), key=lambda path: path.name.lower())
    candidates = [Candidate(str(path), path.name, claim_of(path.name, roles)) for path in paths if path.is_file()]
    candidates += [_of_series(one, "", roles) for one in series_in(folder)]
    for path in (path for path in paths if path.is_dir()):
        series = [] if is_result(path.name) else series_in(path)
        if len(series) > 1:
            candidates += [_of_series(one, path.name, roles) for one in series]
        else:
            claims = [claim_of(path.name, roles), *(claim_of_tags(one.tags, roles) for one in series)]
            candidates.append(Candidate(str(path), path.name, claim_together(claims)))
    return candidates


def _of_series(one: FolderSeries, folder_name: str, roles: Sequence[str]) -> Candidate:
    title = f"{one.title} in {folder_name}" if folder_name else one.title
    return Candidate(str(one.file), title, claim_of_tags(one.tags, roles))


def _looked_at(one: Candidate) -> Candidate:
    """Look at the voxels of an image, unless it is known to be no input."""
    if one.claim.role == OTHER:
        return one
    try:
        return replace(one, look=look(read_volume(Path(one.key))))
    except InputError:
        return one  # the reader will say what is wrong, if the image is chosen


def _may_be_input(path: Path) -> bool:
    if path.name.startswith("."):  # also the "._T1.nii.gz" that macOS leaves on foreign disks
        return False
    if path.is_dir():
        return any(
            child.is_file() and (child.suffix.lower() in (*DICOM_SUFFIXES, "") or child.suffix[1:].isdigit())
            for child in path.iterdir()
            if not child.name.startswith(".")
        )
    lower = path.name.lower()
    return lower.endswith(IMAGE_SUFFIXES) and not lower.endswith(".seg.nrrd")
