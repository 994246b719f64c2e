"""The series of a DICOM study as inputs by role: what is certain is taken, what is not is asked for. Ring 1 (io).

Sorting files into series is the matter of ``dicom_study``, the words of roles that of ``study_folder``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from MedSegAILib.core.errors import InputError, ResourceError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.role_tags import claim_of_tags

from .dicom_study import Study, StudySeries, list_series
from .study_folder import find_inputs

LONGEST_FOLDER_NAME = 60


def find_study_inputs(folder: Path, roles: Sequence[str]) -> tuple[dict[str, Path], tuple[Notice, ...]]:
    """Find one file or series for each role: by the names of files and subfolders, else by those of DICOM series.

    Args:
        folder: of the study, from ``open_study``.
        roles: wanted roles; one that is not found is left out.

    Returns:
        Role -> path that ``read_volume`` takes; and what a user must know: files that cannot be read, series that look
        like a wanted role but are no volume.

    Raises:
        InputError: "study.ambiguous" with the candidates when several series may have a role; "study.nothing_found".
    """
    try:
        return find_inputs(folder, roles), ()
    except InputError as error:
        if error.code != "study.nothing_found":
            raise
        nothing = error
    study = list_series(folder)
    series = study.series
    found = {role: [entry for entry in series if series_role(entry, roles) == role] for role in roles}
    if not any(found.values()):
        if not series:
            raise nothing
        raise InputError(
            "study.nothing_found",
            f"None of the {len(series)} DICOM series says that it is any of {', '.join(roles)}:"
            f" {'; '.join(_words(entry) for entry in series)}.",
            "See `medsegai dicom list`, then name a file of each series: --input T1=FILE.",
        )
    notices = [damaged_files(study)] if study.damaged else []
    for role, entries in found.items():
        for entry in entries:
            if entry.problem is not None:
                notices.append(_left_aside(role, entry))
        usable = [entry for entry in entries if entry.problem is None]
        if len(usable) > 1:
            raise InputError(
                "study.ambiguous",
                f"{len(usable)} series may be {role}: {'; '.join(_words(entry) for entry in usable)}.",
                f"Name a file of the right one: --input {role}=FILE; `medsegai dicom list` gives them.",
                role=role,
                candidates=[entry.name for entry in usable],
            )
        found[role] = usable
    return {role: entries[0].path for role, entries in found.items() if entries}, tuple(notices)


def damaged_files(study: Study) -> Notice:
    """Tell which DICOM files of a study cannot be read."""
    names = ", ".join(path.name for path in study.damaged[:5])
    more = f" and {len(study.damaged) - 5} more" if len(study.damaged) > 5 else ""
    return Notice(
        "study.damaged_files",
        f"{len(study.damaged)} DICOM files of the study cannot be read: {names}{more}.",
        "Export the study again if one of its series is not whole.",
    )


def series_role(series: StudySeries, roles: Sequence[str]) -> str | None:
    """Tell which role the header of a series names with certainty; None when it names none."""
    claim = claim_of_tags(series.tags, roles)
    return claim.role if claim.is_sure and claim.role in roles else None


def sort_series(series: Sequence[StudySeries], folder: Path) -> dict[str, Path]:
    """Copy each series into a folder of its own, named by number and description.

    Args:
        series: from ``list_series``.
        folder: made when it is not there; subfolders that are there are refused.

    Returns:
        Series UID -> folder.

    Raises:
        ResourceError: "output.not_writable", also when a subfolder is there already.
    """
    places: dict[str, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in series:
            place = folder / _folder_name(entry, {path.name for path in places.values()})
            place.mkdir()
            for number, file in enumerate(entry.files, 1):
                shutil.copyfile(file, place / f"{number:05d}.dcm")
            places[entry.uid] = place
    except OSError as error:
        raise ResourceError(
            "output.not_writable",
            f"Nothing can be written to {folder.name} ({error.strerror or type(error).__name__}).",
            "Choose an empty folder in which you may write.",
        ) from error
    return places


def _folder_name(series: StudySeries, taken: set[str]) -> str:
    words = series.tags.get("SeriesDescription", "") or series.modality
    slug = re.sub(r"[^A-Za-z0-9+]+", "_", f"{series.number or 'x'}_{words}").strip("_")[:LONGEST_FOLDER_NAME]
    name, again = slug, 2
    while name in taken:
        name, again = f"{slug}_{again}", again + 1
    return name


def _words(series: StudySeries) -> str:
    size = " x ".join(str(count) for count in series.shape_zyx[::-1]) if series.shape_zyx else "no volume"
    return f"{series.name}, {size}"


def _left_aside(role: str, series: StudySeries) -> Notice:
    reason = series.problem.message if series.problem else ""
    return Notice(
        "study.series_left_aside",
        f"{series.name} may be {role} but is no volume: {reason}",
        "Check that the right series was taken.",
    )
