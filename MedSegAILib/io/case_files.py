"""Several files to one case: by named inputs, or from a study folder. Ring 1 (io)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import Volume

from .read import read_volume_with_notices


def read_case(inputs: Mapping[str, Path], reference: str = "", name: str = "") -> Case:
    """Read the inputs of a run.

    Args:
        inputs: role ("T1ce") -> file or DICOM folder.
        reference: role whose grid the result lies on; empty lets the package choose.
        name: what messages and files call the case; never a patient's name.

    Raises:
        InputError: "case.same_file" when one file is given for two roles; as :func:`read_volume` for each file.
        UsageError: "case.empty", "case.reference".
    """
    return read_case_with_notices(inputs, reference, name)[0]


def read_case_with_notices(
    inputs: Mapping[str, Path], reference: str = "", name: str = ""
) -> tuple[Case, tuple[Notice, ...]]:
    """Read as :func:`read_case` and give the warnings of the readers too (they also go to the log)."""
    each_file_once(inputs)
    volumes: dict[str, Volume] = {}
    notices: list[Notice] = []
    for role, path in inputs.items():
        found = read_volume_with_notices(Path(path))
        volumes[role] = Volume(found.volume.array, found.volume.grid, name=role)
        notices.extend(found.notices)
    return Case(volumes, reference=reference, name=name or "case"), tuple(notices)


def read_study(folder: Path, roles: Sequence[str]) -> Case:
    """Find the inputs in a study folder by name and read them; see ``study_folder.find_inputs``.

    Args:
        folder: holds image files, or one subfolder of DICOM files for each sequence.
        roles: wanted roles ("T1", "T1ce", "T2", "FLAIR"); one that is not found is left out.

    Raises:
        InputError: "study.*" for the folder; as :func:`read_case` for the files.
    """
    from .study_folder import find_inputs

    return read_case(find_inputs(Path(folder), roles))


def each_file_once(inputs: Mapping[str, Path]) -> None:
    """Refuse one file for two roles.

    Raises:
        InputError: "case.same_file".
    """
    seen: dict[Path, str] = {}
    for role, path in inputs.items():
        place = Path(path).resolve()
        if place in seen:
            raise InputError(
                "case.same_file",
                f"{Path(path).name} is given both as {seen[place]} and as {role}.",
                "Give each sequence its own file; leave out the one you do not have.",
            )
        seen[place] = role
