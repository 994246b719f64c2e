"""What lies in a study folder that may be an input: image files and DICOM series, and what names and headers say.

Which of them gets which role is the matter of ``study_folder``. Reads no voxels. Ring 1 (io).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from MedSegAILib.core.result import Notice
from MedSegAILib.core.role_tags import claim_of_tags
from MedSegAILib.core.role_words import Claim, claim_of, is_result
from MedSegAILib.core.roles import Candidate, claim_together

from .dicom_study import Study, StudySeries

IMAGE_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
MOST_NAMES = 5  # of damaged files in one sentence


@dataclass(frozen=True, eq=False)
class StudyImage:
    """One image of a study folder.

    Args:
        candidate: for ``core.roles``; its key is the path that ``read_volume`` takes.
        places: the files and folders by which a user may name it.
        series: the series that it is; None for an image file and for a folder whose DICOM files are all damaged.
    """

    candidate: Candidate
    places: tuple[Path, ...]
    series: StudySeries | None = None


def images_in(folder: Path, roles: Sequence[str], listed: Study) -> list[StudyImage]:
    """List the images: files of the folder itself by name, then DICOM series at any depth by number.

    Args:
        folder: of the study; folders below it that are named like a result are passed over.
        roles: wanted roles.
        listed: from ``list_series``; what lies elsewhere in it is passed over.
    """
    study = inputs_of(listed, folder)
    files = sorted((path for path in folder.iterdir() if _is_image_file(path)), key=lambda path: path.name.lower())
    images = [StudyImage(Candidate(str(path), path.name, claim_of(path.name, roles)), (path,)) for path in files]
    images += [_of_series(entry, folder, roles, study) for entry in study.series]
    known = {folder, *(place for entry in study.series for place in entry.folders)}
    for place in sorted({path.parent for path in study.damaged} - known):
        # Nothing of it can be read: its name may still be that of an input, and the reader says what is wrong.
        title = place.relative_to(folder).as_posix()
        images.append(StudyImage(Candidate(str(place), title, claim_of(place.name, roles)), (place,)))
    return images


def inputs_of(listed: Study, folder: Path) -> Study:
    """Give the part of a listing that lies below a folder and in no folder that is named like a result."""

    def may_hold_inputs(place: Path) -> bool:
        return not any(is_result(name) for name in place.relative_to(folder).parts)

    study = listed.below(folder)
    return Study(
        tuple(entry for entry in study.series if all(may_hold_inputs(place) for place in entry.folders)),
        tuple(path for path in study.damaged if may_hold_inputs(path.parent)),
    )


def damaged_files(study: Study) -> Notice:
    """Tell which DICOM files of a study cannot be read."""
    names = ", ".join(path.name for path in study.damaged[:MOST_NAMES])
    more = f" and {len(study.damaged) - MOST_NAMES} more" if len(study.damaged) > MOST_NAMES else ""
    return Notice(
        "study.damaged_files",
        f"{len(study.damaged)} DICOM files of the study cannot be read: {names}{more}.",
        "Export the study again if one of its series is not whole.",
    )


def _is_image_file(path: Path) -> bool:
    lower = path.name.lower()
    # Hidden files are also the "._T1.nii.gz" that macOS leaves on foreign disks.
    is_named = lower.endswith(IMAGE_SUFFIXES) and not lower.endswith(".seg.nrrd") and not lower.startswith(".")
    return is_named and path.is_file()


def _of_series(entry: StudySeries, folder: Path, roles: Sequence[str], study: Study) -> StudyImage:
    place = min(entry.folders)
    shared = any(place in other.folders for other in study.series if other is not entry)
    has_own_folder = entry.folders == {place} and place != folder and not shared
    below = place.relative_to(folder).as_posix()
    path, title = (place, below) if has_own_folder else (entry.path, entry.title)
    if not has_own_folder and entry.folders == {place} and place != folder:
        title = f"{entry.title} in {below}"
    claims = [claim_of_tags(entry.tags, roles)]
    if has_own_folder:
        claims.insert(0, _claim_of_folders(entry, folder, roles, study))
    places = (*entry.files, place) if has_own_folder else entry.files
    return StudyImage(Candidate(str(path), title, claim_together(claims)), places, entry)


def _claim_of_folders(entry: StudySeries, folder: Path, roles: Sequence[str], study: Study) -> Claim:
    """Give what the folder of a series says, else one above it that holds this series alone ("T1/DICOM/0001.dcm")."""
    place = min(entry.folders)
    nearest = claim = claim_of(place.name, roles)
    while not claim.role and place.parent != folder:
        place = place.parent
        if len(study.below(place).series) > 1:
            break
        claim = claim_of(place.name, roles)
    return claim if claim.role else nearest
