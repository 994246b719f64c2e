"""Which file or series of a study folder is which sequence: by names, by headers, and by looks where these are silent.

What words, headers and looks say is weighed in ``core.roles``, the same way as for the nodes of a scene. Voxels are
read only when names and headers leave a role open. What lies in the folder is told by ``study_images``. Ring 1 (io).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError, MedSegAIError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.role_looks import look
from MedSegAILib.core.role_words import OTHER, Claim
from MedSegAILib.core.roles import Assignment, Candidate, Guess, assign, wants_look

from .dicom_study import Study, list_series
from .read import read_volume
from .study_images import StudyImage, damaged_files, images_in, inputs_of

MOST_IMAGES = 10  # in one sentence


@dataclass(frozen=True)
class FoundStudy:
    """The inputs of a study folder.

    Args:
        paths: role -> file or DICOM folder, in the order of the roles; what was not found is left out.
        guesses: what was found about every image of the folder, with confidence and reason.
        notices: roles that only the looks told, series that are no volume, DICOM files that cannot be read.
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


@dataclass(frozen=True, eq=False)
class WeighedStudy:
    """What was found about the images of a study folder, before anything is asked for.

    Args:
        images: files, then series.
        found: roles of the images and of the given ones.
        notices: series that are no volume, DICOM files that cannot be read.
        passed_over: how many series lie in folders that are named like a result.
    """

    images: tuple[StudyImage, ...]
    found: Assignment
    notices: tuple[Notice, ...]
    passed_over: int


def find_inputs(folder: Path, roles: Sequence[str]) -> dict[str, Path]:
    """Give the paths of :func:`find_study`; arguments and errors as there."""
    return dict(find_study(folder, roles).paths)


def find_study(
    folder: Path, roles: Sequence[str], given: Mapping[str, Path] | None = None, listed: Study | None = None
) -> FoundStudy:
    """Find one file or DICOM series for each role.

    Args:
        folder: the study folder; its own image files and the DICOM files at any depth below it are looked at.
        roles: wanted roles; "T1", "T1ce", "T2", "FLAIR" have many spellings, any other is looked for as a word.
        given: role -> path that the user has named; these are taken, and not looked for.
        listed: what ``list_series`` gave for this folder or one above it; None reads the headers.

    Raises:
        InputError: "study.missing" without the folder; "study.ambiguous" with the candidates when it is not certain
            which image has a role; "study.nothing_found" when nothing tells of any role.
    """
    weighed = weigh_study(folder, roles, given, listed)
    found = weighed.found
    _ask(weighed, roles)
    by_role = found.by_role
    paths = {role: Path(by_role[role].key) for role in roles if role in by_role}
    if not paths:
        raise _nothing(weighed, roles)
    looked = [guess for guess in found.guesses if guess.role and guess.source == "looks"]
    return FoundStudy(paths, found.guesses, (*weighed.notices, *_by_looks(looked)))


def weigh_study(
    folder: Path, roles: Sequence[str], given: Mapping[str, Path] | None = None, listed: Study | None = None
) -> WeighedStudy:
    """Weigh what is known of the images as :func:`find_study` does, and leave open what is not certain.

    Raises:
        InputError: "study.missing" without the folder.
    """
    if not folder.is_dir():
        raise InputError("study.missing", f"There is no folder {folder.name}.", "Check the path of the study.")
    given = dict(given or {})
    listed = list_series(folder) if listed is None else listed
    taken = {path.resolve() for path in given.values()}
    images = tuple(
        image
        for image in images_in(folder, roles, listed)
        if not (taken and any(place.resolve() in taken for place in image.places))
    )
    study = inputs_of(listed, folder)
    notices = [damaged_files(study)] if study.damaged else []
    candidates = [
        Candidate(str(path), path.name, Claim(role, 1.0, f"it was given as {role}")) for role, path in given.items()
    ]
    for image in images:
        one, problem = _without_given(image.candidate, given), image.series.problem if image.series else None
        if problem is not None:
            if one.claim.role in roles and one.claim.role not in given:
                notices.append(_left_aside(one, problem))
            one = replace(one, claim=Claim(OTHER, 1.0, f"{one.claim.reason}, but it is no volume"))
        candidates.append(one)
    if wants_look(candidates, roles):
        candidates = [_looked_at(one) for one in candidates]
    passed_over = len(listed.below(folder).series) - len(study.series)
    return WeighedStudy(images, assign(candidates, roles), tuple(notices), passed_over)


def _ask(weighed: WeighedStudy, wanted: Sequence[str]) -> None:
    """Ask for the first role that is in doubt."""
    found = weighed.found
    role = next((role for role in wanted if role in found.in_doubt), None)
    if role is None:
        return
    titles = {guess.key: guess.title for guess in found.guesses}
    series = {image.candidate.key for image in weighed.images if image.series}
    where = " `medsegai dicom list` names a file of each series." if series & set(found.in_doubt[role]) else ""
    raise InputError(
        "study.ambiguous",
        found.question(role),
        f"Name the right one beside the study: --input {role}=FILE.{where}",
        role=role,
        candidates=[titles[key] for key in found.in_doubt[role]],
    )


def _nothing(weighed: WeighedStudy, roles: Sequence[str]) -> InputError:
    """Say which series are there when none of them has a wanted role."""
    series = {image.candidate.key for image in weighed.images if image.series}
    there = [
        f"{guess.title} ({guess.reason[:1].lower()}{guess.reason[1:-1]})"
        for guess in weighed.found.guesses
        if guess.key in series
    ]
    if not there and weighed.passed_over:
        return InputError(
            "study.nothing_found",
            f"All DICOM series of the study ({weighed.passed_over}) lie in folders that are named like a result.",
            "Rename the folder (labels, manual, seg, ...), or name a file of each series: --input T1=FILE.",
        )
    if not there:
        damaged = next((notice.message for notice in weighed.notices if notice.code == "study.damaged_files"), "")
        return InputError(
            "study.nothing_found",
            f"No name in the study folder fits any of {', '.join(roles)}. {damaged}".strip(),
            "Name the files by their sequence (T1.nii.gz), or give each one: --input T1=FILE.",
        )
    more = f"; and {len(there) - MOST_IMAGES} more" if len(there) > MOST_IMAGES else ""
    return InputError(
        "study.nothing_found",
        f"No DICOM series of the study tells that it is any of {', '.join(roles)}:"
        f" {'; '.join(there[:MOST_IMAGES])}{more}.",
        "See `medsegai dicom list`, then name a file of each series: --input T1=FILE.",
    )


def _by_looks(looked: Sequence[Guess]) -> tuple[Notice, ...]:
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


def _left_aside(one: Candidate, problem: MedSegAIError) -> Notice:
    return Notice(
        "study.series_left_aside",
        f"{one.title} may be {one.claim.role} but is no volume: {problem.message}",
        "Check that the right series was taken.",
    )


def _without_given(one: Candidate, given: Mapping[str, Path]) -> Candidate:
    """Leave out an image that claims a role which the user gave to another one."""
    if one.claim.is_sure and one.claim.role in given:
        return replace(one, claim=Claim(OTHER, 1.0, f"{one.claim.reason}, which was given"))
    return one


def _looked_at(one: Candidate) -> Candidate:
    """Look at the voxels of an image, unless it is known to be no input."""
    if one.claim.role == OTHER:
        return one
    try:
        return replace(one, look=look(read_volume(Path(one.key))))
    except InputError:
        return one  # the reader will say what is wrong, if the image is chosen
