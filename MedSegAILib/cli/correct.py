"""``medsegai correct``: clicks on a finished result, from files to files. Ring 8."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from MedSegAILib.core.errors import InputError, UsageError

from . import screen
from .segment import check_output

if TYPE_CHECKING:
    from MedSegAILib.core.result import Passport


def correct(  # noqa: PLR0913 - an option of the shell is a parameter here
    result: Annotated[Path, typer.Argument(help="Output folder of `medsegai segment`.")],
    study: Annotated[Path, typer.Option(help="Folder of the inputs.")],
    region: Annotated[str, typer.Option(help="Name of the region, for example WT.")],
    output: Annotated[Path, typer.Option(help="Folder to write to.")],
    include: Annotated[list[str] | None, typer.Option(metavar="R,A,S", help="The region is here (mm).")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="R,A,S", help="It is not here (mm).")] = None,
    lock: Annotated[list[str] | None, typer.Option(metavar="REGION", help="This region may not change.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Correct a region of a finished result by points: includes first, then excludes, each from what the last left."""
    from MedSegAILib.api import correct as apply
    from MedSegAILib.core.prompts import Click
    from MedSegAILib.core.result import Result
    from MedSegAILib.io import read_label_map, read_study
    from MedSegAILib.report.file_names import LABELS_FILE, PASSPORT_FILE
    from MedSegAILib.report.outputs import write_outputs
    from MedSegAILib.tasks.store import find_package

    check_output(output, overwrite=overwrite)
    passport = _passport(result / PASSPORT_FILE)
    package = find_package(passport.task)
    given = ((include or [], True), (exclude or [], False))
    prompts = [Click(_point(text), is_include) for texts, is_include in given for text in texts]
    labels = read_label_map(result / LABELS_FILE)
    case = read_study(study, package.roles)
    role = next((role for role, volume in case.volumes.items() if volume.grid.is_same_as(labels.grid)), case.reference)
    before = Result(labels, package.scheme, passport)
    after, done = apply(before, replace(case, reference=role), region, prompts, locked=lock or [])
    told = [f"{'include' if prompt.is_include else 'exclude'} {prompt.position_ras_mm}" for prompt in prompts]
    record = replace(passport, repairs=(*passport.repairs, *(f"corrected by hand, {region}: {text}" for text in told)))
    files = write_outputs(replace(after, passport=record), replace(case, reference=role), output)
    if as_json:
        steps = [{"gained_ml": dict(step.gained_ml), "lost_ml": dict(step.lost_ml)} for step in done]
        screen.give_json({"files": {name: str(path) for name, path in files.items()}, "steps": steps})
        return
    for text, step in zip(told, done, strict=True):
        screen.say(f"{region}, {text}: {step.words(region)}")
    screen.say(f"wrote {output}")


def _point(text: str) -> tuple[float, float, float]:
    try:
        right, anterior, superior = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            "prompt.points", f"{text!r} is no point.", "Give right, anterior, superior in mm, as 12.5,-30,41."
        ) from error
    return right, anterior, superior


def _passport(path: Path) -> Passport:
    from MedSegAILib.core.result import Passport

    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        known = {name: data[name] for name in Passport.__dataclass_fields__ if name in data}
        return Passport.from_json(known)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            "correct.no_result",
            f"{path.parent.name} is no output folder of a run ({type(error).__name__}).",
            "Give the folder that `medsegai segment --output` wrote.",
        ) from error
