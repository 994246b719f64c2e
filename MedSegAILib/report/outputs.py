"""The output folder of a run: label map, segmentation, passport, volumes, doubt, picture; all or none. Ring 5."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from MedSegAILib.core.case import Case
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.result import Result
from MedSegAILib.core.volume import Volume
from MedSegAILib.io.atomic import write_files
from MedSegAILib.io.nifti import nifti_bytes
from MedSegAILib.io.segmentation_nrrd import segmentation_bytes

from .file_names import DOUBT_FILE, LABELS_FILE, OVERLAY_FILE, PASSPORT_FILE, SEGMENTATION_FILE, VOLUMES_FILE
from .overlay import overlay_png
from .tables import doubt_csv, volumes_csv


def write_outputs(result: Result, case: Case, folder: Path, more: Mapping[str, bytes] | None = None) -> dict[str, Path]:
    """Write a result; a folder never holds files of two runs, even when the disk fills up.

    Args:
        result: what the run gave.
        case: its inputs; the picture shows the one that the result lies on.
        folder: made when it is not there; files of these six names are replaced.
        more: other files of the same set, by name.

    Returns:
        File name -> path.

    Raises:
        UsageError: "overlay.grid" when no input lies on the grid of the result.
        ResourceError: "output.disk_full", "output.not_writable"; earlier files are untouched then.
    """
    return write_files(Path(folder), {**output_contents(result, case), **(more or {})})


def output_contents(result: Result, case: Case) -> dict[str, bytes]:
    """Give the files of a result, name -> bytes; the same result gives the same bytes.

    Raises:
        UsageError: "overlay.grid" when no input lies on the grid of the result.
    """
    return {
        LABELS_FILE: nifti_bytes(result.labels),
        SEGMENTATION_FILE: segmentation_bytes(result),
        PASSPORT_FILE: passport_json(result),
        VOLUMES_FILE: volumes_csv(result),
        DOUBT_FILE: doubt_csv(result),
        OVERLAY_FILE: overlay_png(result, reference_of(result, case)),
    }


def passport_json(result: Result) -> bytes:
    """Give the passport with the notices and the doubt of the result as JSON, UTF-8, keys sorted."""
    record = result.passport.to_json()
    record["notices"] = [
        {"code": notice.code, "message": notice.message, "hint": notice.hint} for notice in result.notices
    ]
    record["doubt"] = result.doubt and result.doubt.to_json()
    return (json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def reference_of(result: Result, case: Case) -> Volume:
    """Give the input that the result lies on; the named reference first.

    Raises:
        UsageError: "overlay.grid" when none lies on the grid of the result.
    """
    roles = [role for role in (case.reference, *case.volumes) if role]
    for role in roles:
        if case.volumes[role].grid.is_same_as(result.labels.grid):
            return case.volumes[role]
    raise UsageError(
        "overlay.grid",
        f"The result lies on the grid of none of the inputs {', '.join(case.volumes)}.",
        "Give the case that the result was made from.",
    )
