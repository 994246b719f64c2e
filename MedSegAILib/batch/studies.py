"""Which studies there are: one folder each below a root, or the lines of a table. Reads no image. Ring 6 (batch).

A study that cannot be used is in the list too, with what is wrong with it: nothing is passed over in silence.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from MedSegAILib.core.errors import InputError, MedSegAIError, UsageError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.role_words import claim_of
from MedSegAILib.io.dicom_study import Study as Listing
from MedSegAILib.io.dicom_study import list_series
from MedSegAILib.io.study_folder import FoundStudy, find_study
from MedSegAILib.io.study_images import IMAGE_SUFFIXES, inputs_of

from .names import study_ids

ID_COLUMNS = ("study", "id", "case")
FOLDER_COLUMN = "folder"
REFERENCE_COLUMN = "reference"


@dataclass(frozen=True)
class Study:
    """One study to segment.

    Args:
        id: what files, tables and pages call it.
        place: where it was found, for the private key only: a folder relative to the root, or its name in the table.
        inputs: role -> file or DICOM folder.
        reference: role whose grid the result lies on; empty lets the package choose.
        error: why it cannot be segmented; None when nothing speaks against it yet.
        notices: what a user must know of how the inputs were found.
    """

    id: str
    place: str
    inputs: Mapping[str, Path] = field(default_factory=dict)
    reference: str = ""
    error: MedSegAIError | None = None
    notices: tuple[Notice, ...] = ()


def find_studies(source: Path, roles: Sequence[str], output: Path, *, keep_names: bool = False) -> list[Study]:
    """List the studies of a folder or a table.

    Args:
        source: a folder with one folder a study (nested as deep as you like), or a CSV table.
        roles: of the task.
        output: of the batch; it may lie below the root and is never searched.
        keep_names: see ``names.study_ids``.

    Raises:
        UsageError: "batch.source" when there is neither; "batch.nothing" when no study is in it; "batch.table".
    """
    if source.is_dir():
        listed = list_series(source)  # each header is read once, for all studies
        found = [_of_folder(folder, source, roles, listed) for folder in _study_folders(source, roles, output, listed)]
    elif source.is_file():
        found = _of_table(source, roles)
    else:
        raise UsageError(
            "batch.source", f"There is no folder or table {source.name!r}.", "Give the root of the studies, or a table."
        )
    if not found:
        raise UsageError(
            "batch.nothing",
            "No study was found there.",
            "Give a folder that holds one folder a study, or a table with one line a study.",
        )
    ids = study_ids([study.place for study in found], keep_names=keep_names)
    named = [replace(study, id=name) for name, study in zip(ids, found, strict=True)]
    return sorted(named, key=lambda study: study.id)


def _study_folders(root: Path, roles: Sequence[str], output: Path, listed: Listing) -> list[Path]:
    """Give every folder that holds inputs, and every innermost one that does not: it may have lost them."""
    found: list[Path] = []
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        children = sorted(
            child
            for child in folder.iterdir()
            if child.is_dir() and not child.name.startswith(".") and child.resolve() != output.resolve()
        )
        is_innermost = not children and folder != root
        if _holds_image_files(folder) or _holds_one_study(folder, root, roles, listed) or is_innermost:
            found.append(folder)
        else:
            waiting.extend(children)
    return found


def _holds_image_files(folder: Path) -> bool:
    return any(child.is_file() and child.name.lower().endswith(IMAGE_SUFFIXES) for child in folder.iterdir())


def _holds_one_study(folder: Path, root: Path, roles: Sequence[str], listed: Listing) -> bool:
    """Tell whether the DICOM files below a folder are one study and this is its folder.

    They are when the folder holds them itself, when its subfolders are named by sequence, or when all state one
    StudyInstanceUID; two patients are never taken for one because each has a sequence that the other lacks.
    """
    study = inputs_of(listed, folder)
    places = {place for entry in study.series for place in entry.folders} | {path.parent for path in study.damaged}
    if not places or folder in places:
        return bool(places)
    if all(place.parent == folder and claim_of(place.name, roles).role for place in places):
        return True
    uids = {entry.study_uid for entry in study.series}
    if len(uids) != 1 or "" in uids:
        return False
    branches = {place.relative_to(folder).parts[0] for place in places}
    is_way_in = folder != root and sum(child.is_dir() for child in folder.iterdir()) == 1
    return len(branches) > 1 or is_way_in


def _of_folder(folder: Path, root: Path, roles: Sequence[str], listed: Listing) -> Study:
    place = folder.relative_to(root).as_posix() if folder != root else folder.name
    try:
        study = find_study(folder, roles, listed=listed)
        return Study("", place, study.paths, notices=study.notices)
    except InputError as error:
        return Study("", place, error=error)


def _of_table(path: Path, roles: Sequence[str]) -> list[Study]:
    lines = _lines(path)
    columns = {name.strip().lower(): name for name in (lines[0] if lines else {})}
    id_column = next((columns[name] for name in ID_COLUMNS if name in columns), None)
    by_role = {role: columns[role.lower()] for role in roles if role.lower() in columns}
    folder_column = columns.get(FOLDER_COLUMN)
    if id_column is None or not (by_role or folder_column):
        raise UsageError(
            "batch.table",
            f"The table {path.name} has the columns {', '.join(columns) or 'none'}.",
            f"It needs study and folder, or study and some of {', '.join(roles)}.",
        )
    studies: dict[str, Study] = {}
    for number, line in enumerate(lines, start=2):
        name = (line[id_column] or "").strip()
        if not name or name in studies:
            what = "a study that was named before" if name else "no name of a study"
            raise UsageError(
                "batch.table",
                f"Line {number} of {path.name} has {what}.",
                "Give each study one line with a name of its own.",
            )
        reference = (line.get(columns.get(REFERENCE_COLUMN, ""), "") or "").strip()
        given = {role: text.strip() for role, column in by_role.items() if (text := line[column] or "").strip()}
        folder = (line[folder_column] or "").strip() if folder_column else ""
        studies[name] = _of_line(name, path.parent, folder, given, roles, reference)
    return list(studies.values())


def _of_line(
    name: str, root: Path, folder: str, given: Mapping[str, str], roles: Sequence[str], reference: str
) -> Study:
    try:
        paths = {role: root / text for role, text in given.items()}
        found = find_study(root / folder, roles, paths) if folder else FoundStudy(paths, (), ())
    except InputError as error:
        return Study("", name, reference=reference, error=error)
    if found.paths:
        return Study("", name, found.paths, reference, notices=found.notices)
    nothing = InputError("study.nothing_found", "The line names no input.", "Give a folder, or a file for each role.")
    return Study("", name, reference=reference, error=nothing)


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "batch.table", f"The table {path.name} cannot be read as text.", "Save it as CSV in UTF-8."
        ) from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    return list(csv.DictReader(text.splitlines(), delimiter=delimiter, restval=""))
