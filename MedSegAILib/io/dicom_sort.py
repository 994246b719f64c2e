"""Series of a study copied into one folder each. Ring 1 (io).

Which series there are is the matter of ``dicom_study``, which one is which sequence that of ``study_folder``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from MedSegAILib.core.errors import ResourceError

from .dicom_study import StudySeries

LONGEST_FOLDER_NAME = 60


def sort_series(series: Sequence[StudySeries], folder: Path) -> list[Path]:
    """Copy each series into a folder of its own, named by number and description.

    Args:
        series: from ``list_series``.
        folder: made when it is not there; subfolders that are there are refused.

    Returns:
        The folder of each series, in their order.

    Raises:
        ResourceError: "output.not_writable", also when a subfolder is there already.
    """
    places: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in series:
            place = folder / _folder_name(entry, {path.name for path in places})
            place.mkdir()
            for number, file in enumerate(entry.files, 1):
                shutil.copyfile(file, place / f"{number:05d}.dcm")
            places.append(place)
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
