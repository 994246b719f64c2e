"""``medsegai bundle``: packages and libraries for a place without network. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from MedSegAILib.core.errors import PackageError

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.tasks.bundle_install import Change

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Folder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of the bundle.")]
Libraries = Annotated[Path | None, typer.Option(help="Folder for the bundle's libraries; without it they are left.")]

app = typer.Typer(help="Make, check, install and repair an offline bundle; nothing is fetched.", no_args_is_help=True)


@app.command("create")
def create(
    folder: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder to write, new or empty.")],
    tasks: Annotated[list[str] | None, typer.Option("--task", help="Whose package goes in, repeated.")] = None,
    wheels: Annotated[Path | None, typer.Option(help="Folder of wheels to take along.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write packages, and wheels from a folder, with checksums and licenses into one folder."""
    from MedSegAILib.tasks.bundle import create_bundle

    made = create_bundle(folder, tasks or [], wheels)
    if as_json:
        screen.give_json(
            {"folder": str(folder), "packages": list(made.packages), "wheels": list(map(vars, made.wheels))}
        )
        return
    for entry in made.packages:
        screen.say(f"package {entry['task']} {entry['version']}: {entry['license']}")
    for wheel in made.wheels:
        screen.say(f"library {wheel.name} {wheel.version}: {wheel.license}")
    screen.say(f"wrote {folder}: {len(made.checksums)} files with checksums")


@app.command("check")
def check(folder: Folder, as_json: AsJson = False) -> None:
    """Compare every file with its checksum; exit code 4 when one is missing, altered or not listed."""
    from MedSegAILib.tasks.bundle import check_bundle, read_bundle

    bundle = read_bundle(folder)
    faults = check_bundle(bundle)
    if as_json:
        screen.give_json({"files": len(bundle.checksums), "faults": [vars(fault) for fault in faults]})
    else:
        for fault in faults:
            screen.remark(f"error: {fault.file} is {fault.what}")
        if faults:
            screen.remark("next: Copy the bundle again from its source, or take away what is not listed.")
        else:
            screen.say(f"{len(bundle.checksums)} files match their checksums")
    if faults:
        raise typer.Exit(PackageError.exit_code)


@app.command("install")
def install(
    folder: Folder,
    libraries: Libraries = None,
    replace: Annotated[bool, typer.Option("--replace", help="Packages of another version give way.")] = False,
    as_json: AsJson = False,
) -> None:
    """Install the packages for this user, and the libraries into a folder; the bundle is checked first."""
    from MedSegAILib.tasks.bundle import read_bundle
    from MedSegAILib.tasks.bundle_install import install_bundle

    _tell(install_bundle(read_bundle(folder), libraries, replace=replace), as_json=as_json)


@app.command("repair")
def repair(folder: Folder, libraries: Libraries = None, as_json: AsJson = False) -> None:
    """Put back what is missing or altered in this user's packages and libraries, and name it."""
    from MedSegAILib.tasks.bundle import read_bundle
    from MedSegAILib.tasks.bundle_install import repair_bundle

    _tell(repair_bundle(read_bundle(folder), libraries), as_json=as_json)


def _tell(changes: list[Change], *, as_json: bool) -> None:
    if as_json:
        screen.give_json({"changes": [vars(change) for change in changes]})
        return
    for change in changes:
        files = f": {', '.join(change.files)}" if change.files else ""
        screen.say(f"{change.change} {change.part} {change.version}{files}")
