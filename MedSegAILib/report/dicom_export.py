"""A result as a DICOM segmentation: of a run that has just ended, or of its files. Ring 5.

How the object is written is the matter of ``io.dicom_seg``, what its series must have that of ``io.dicom_source``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice, Result
from MedSegAILib.io.atomic import write_file
from MedSegAILib.io.dicom_seg import LONGEST_LABEL, Algorithm, DicomSeg, dicom_seg
from MedSegAILib.io.dicom_source import Source, read_source
from MedSegAILib.io.segmentation_nrrd import Segment, read_segmentation

from .file_names import PASSPORT_FILE, SEGMENTATION_FILE

DICOM_FILE = "segmentation.dcm"


def add_dicom_seg(result: Result, source: Source) -> tuple[Result, dict[str, bytes]]:
    """Make the DICOM segmentation of a result; what stands against it becomes a notice, never the end of a run.

    Args:
        result: on the voxels of the series.
        source: checked before the run.

    Returns:
        The result with what a user must know of the object, and the file by its name; no file when none was made.
    """
    segments = [
        Segment(region.name, region.title, region.color, result.region_mask(region.name), region.terminology)
        for region in result.scheme.regions
    ]
    try:
        made = dicom_seg(segments, result.labels.grid, source, algorithm_of(result.passport.to_json()))
    except InputError as error:
        told = Notice("dicom_seg.not_written", f"No DICOM segmentation was written: {error.message}", error.hint)
        return replace(result, notices=(*result.notices, told)), {}
    return replace(result, notices=(*result.notices, *made.notices)), {DICOM_FILE: made.content}


def export_dicom_seg(result: Path, series: Path, output: Path, *, is_edited: bool = False) -> DicomSeg:
    """Write the segments of a finished result as a DICOM segmentation.

    Args:
        result: output folder of a run, or a ``.seg.nrrd`` file, which counts as edited.
        series: DICOM folder or file of the reference input.
        output: the file to write; one that is there is replaced.
        is_edited: whether a person changed the segments.

    Raises:
        InputError: "dicom_seg.no_result" when the folder holds no result; "dicom_seg.*", "series.*",
            "segmentation.not_one".
        SetupError: "setup.highdicom_missing".
        ResourceError: "output.disk_full", "output.not_writable".
    """
    file = result / SEGMENTATION_FILE if result.is_dir() else result
    if not file.is_file():
        raise InputError(
            "dicom_seg.no_result",
            f"{result.name} holds no {SEGMENTATION_FILE}." if result.is_dir() else f"{result.name} is not there.",
            "Give the output folder of `medsegai segment`, or a .seg.nrrd file.",
        )
    source = read_source(series)
    segments, grid = read_segmentation(file)
    passport = _passport(file.parent / PASSPORT_FILE)
    made = dicom_seg(segments, grid, source, algorithm_of(passport, is_edited=is_edited or not result.is_dir()))
    write_file(output, made.content)
    return made


def algorithm_of(passport: Mapping[str, Any], *, is_edited: bool = False) -> Algorithm:
    """Tell from the JSON of a passport what made the segments; an empty one gives an unknown version."""
    package, engine, options = (dict(passport.get(part) or {}) for part in ("package", "engine", "options"))
    facts = {
        "library": passport.get("library"),
        "preset": options.get("preset"),
        "backend": engine.get("backend"),
        "device": engine.get("device"),
        **{f"sha256 {file}": str(value)[:16] for file, value in dict(package.get("sha256") or {}).items()},
    }
    return Algorithm(
        f"MedSegAI {passport.get('task', '')}".strip()[:LONGEST_LABEL],
        str(package.get("version", "unknown")),
        {name: str(value) for name, value in facts.items() if value},
        is_edited,
    )


def _passport(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return dict(found) if isinstance(found, dict) else {}
