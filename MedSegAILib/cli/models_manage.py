"""``medsegai models install|remove|export``: packages of this user come and go. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from MedSegAILib.core.errors import UsageError

from . import screen

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def install(
    source: Annotated[Path, typer.Argument(help="Folder or zip of a package.")],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of another version.")] = False,
    as_json: AsJson = False,
) -> None:
    """Install a package for this user; every file is checked first, and it is installed whole or not at all."""
    from MedSegAILib.tasks.install import install_package

    done = install_package(source, replace=replace)
    package = done.package
    if as_json:
        facts = {"task": package.task, "version": package.version, "folder": str(package.folder)}
        screen.give_json({**facts, "change": done.change, "before": done.before})
        return
    words = {
        "new": f"installed {package.task} {package.version}",
        "replaced": f"installed {package.task} {package.version} in place of {done.before or 'a damaged one'}",
        "same": f"{package.task} {package.version} was installed already; every file matches",
    }
    screen.say(f"{words[done.change]}: {package.folder}")


def remove(
    task: Annotated[str, typer.Argument(help="See `medsegai models list`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a package that this user installed; packages that ship with the library stay."""
    from MedSegAILib.tasks.install import installed_folder, remove_package

    folder = installed_folder(task)
    if folder is not None and not yes and (as_json or not typer.confirm(f"Remove {folder}?", err=True)):
        raise UsageError(
            "remove.not_confirmed", f"{task} was not removed.", "Add --yes to remove it without a question."
        )
    folder = remove_package(task)
    if as_json:
        screen.give_json({"task": task, "folder": str(folder)})
        return
    screen.say(f"removed {task}: {folder}")


def export(
    task: Annotated[str, typer.Argument(help="See `medsegai models list`.")],
    output: Annotated[Path, typer.Argument(help="The zip to write; with --monai the folder of the bundle.")],
    monai: Annotated[bool, typer.Option("--monai", help="Write a MONAI bundle instead of a package.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a package to a zip that `models install` takes, or as a bundle for MONAI."""
    from MedSegAILib.tasks.store import find_package

    package = find_package(task)
    if monai:
        from MedSegAILib.tasks.monai_bundle import export_monai_bundle

        written = export_monai_bundle(package, output)
    else:
        from MedSegAILib.tasks.install import zip_package

        written = zip_package(package, output)
    if as_json:
        screen.give_json({"task": package.task, "version": package.version, "output": str(written)})
        return
    screen.say(f"wrote {written}: {package.task} {package.version}")
