"""``medsegai export``: a finished result in the form of another system. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from MedSegAILib.core.errors import UsageError

from . import screen


def export(
    result: Annotated[Path, typer.Argument(help="Output folder of `medsegai segment`, or a .seg.nrrd file.")],
    dicom_seg: Annotated[Path, typer.Option(metavar="SERIES", help="DICOM folder or file of the reference input.")],
    output: Annotated[Path | None, typer.Option(help="File to write; else segmentation.dcm beside the result.")] = None,
    edited: Annotated[bool, typer.Option("--edited", help="A person changed the segments.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Write a finished result as a DICOM segmentation (SEG) that refers to its series."""
    from MedSegAILib.report.dicom_export import DICOM_FILE, export_dicom_seg

    file = output or (result if result.is_dir() else result.parent) / DICOM_FILE
    if file.exists() and not overwrite:
        raise UsageError("output.exists", f"The file {file} is there.", "Give another file, or add --overwrite.")
    made = export_dicom_seg(result, dicom_seg, file, is_edited=edited)
    if as_json:
        screen.give_json(
            {"file": str(file), "segments": list(made.segments), "notices": [vars(entry) for entry in made.notices]}
        )
        return
    for notice in made.notices:
        screen.say(f"note: {notice.message} {notice.hint}".rstrip())
    screen.say(f"wrote {file}: {', '.join(made.segments)}")
