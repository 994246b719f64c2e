"""``medsegai dicom``: the series in a folder or an archive of DICOM files, listed and sorted. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from MedSegAILib.core.errors import InputError

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.io.dicom_study import Study as FoundStudy
    from MedSegAILib.io.dicom_study import StudySeries

Study = Annotated[Path, typer.Argument(help="Folder with DICOM files at any depth, or an archive (zip, tar).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

app = typer.Typer(help="List and sort the series of a DICOM study.", no_args_is_help=True)


@app.command("list")
def list_study(
    study: Study,
    task: Annotated[str, typer.Option(help="Also tell which series may be an input of this task.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the series of a study: number, description, images, size, and why one is no volume."""
    from MedSegAILib.io.dicom_study import list_series, open_study
    from MedSegAILib.io.study_series import damaged_files

    roles = _roles(task)
    with open_study(study) as folder:
        found = list_series(folder)
        _check_any(study, found)
        facts = [_facts(entry, folder, roles) for entry in found.series]
        damaged = [path.relative_to(folder).as_posix() for path in found.damaged]
    if as_json:
        screen.give_json({"series": facts, "damaged": damaged})
        return
    rows: list[tuple[str, ...]] = [("role" if roles else "", "series", "images", "size", "a file of it")]
    rows += [
        (fact["role"] or ("-" if roles else ""), fact["name"], str(fact["images"]), _size(fact), fact["file"])
        for fact in facts
    ]
    for line in screen.table(rows):
        screen.say(line.strip())
    for fact in facts:
        if fact["problem"]:
            screen.say(f"note: {fact['problem']['message']} {fact['problem']['hint']}")
    if damaged:
        told = damaged_files(found)
        screen.say(f"note: {told.message} {told.hint}")
    _tell_candidates(facts, roles)


@app.command("sort")
def sort(
    study: Study,
    output: Annotated[Path, typer.Option(help="Folder for one subfolder a series.")],
    as_json: AsJson = False,
) -> None:
    """Copy each series of a study into a folder of its own, named by number and description."""
    from MedSegAILib.io.dicom_study import list_series, open_study
    from MedSegAILib.io.study_series import sort_series

    with open_study(study) as folder:
        found = list_series(folder)
        _check_any(study, found)
        places = sort_series(found.series, output)
    if as_json:
        screen.give_json({"folders": {uid: str(place) for uid, place in places.items()}})
        return
    for entry in found.series:
        screen.say(f"{places[entry.uid]}: {entry.name}, {entry.image_count} images")


def _roles(task: str) -> tuple[str, ...]:
    from MedSegAILib.tasks.store import find_package

    return find_package(task).roles if task else ()


def _check_any(study: Path, found: FoundStudy) -> None:
    if not found.series:
        raise InputError(
            "series.no_images",
            f"{study.name} holds no DICOM image.",
            "Choose the folder or archive that holds the DICOM files themselves.",
        )


def _facts(series: StudySeries, folder: Path, roles: tuple[str, ...]) -> dict[str, Any]:
    from MedSegAILib.io.study_series import series_role

    return {
        "uid": series.uid,
        "number": series.number,
        "name": series.name,
        "modality": series.modality,
        "images": series.image_count,
        "shape_zyx": series.shape_zyx,
        "spacing_zyx_mm": series.spacing_zyx_mm,
        "tags": series.tags,
        "file": series.path.relative_to(folder).as_posix(),
        "role": series_role(series, roles),
        "problem": series.problem and series.problem.to_json(),
    }


def _size(fact: dict[str, Any]) -> str:
    if fact["shape_zyx"] is None:
        return "no volume"
    count = " x ".join(map(str, fact["shape_zyx"][::-1]))
    return f"{count}, {' x '.join(f'{size:.3g}' for size in fact['spacing_zyx_mm'][::-1])} mm"


def _tell_candidates(facts: list[dict[str, Any]], roles: tuple[str, ...]) -> None:
    for role in roles:
        names = [fact["name"] for fact in facts if fact["role"] == role and not fact["problem"]]
        if len(names) > 1:
            screen.say(f"choose: {len(names)} series may be {role}: {'; '.join(names)}; give --input {role}=FILE")
        elif not names:
            screen.say(f"not found: {role}")
