"""``medsegai models create|install|remove|export``: packages come and go. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from MedSegAILib.core.errors import UsageError

from . import screen

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def create(
    folder: Annotated[Path, typer.Argument(help="Folder to write, new or empty; its name names the task.")],
    draft: Annotated[
        Path | None, typer.Option("--from", help="Filled draft with the weights beside it; without it one is written.")
    ] = None,
    like: Annotated[str, typer.Option(help="Task whose manifest a new draft starts from.")] = "brain-tumor",
    precision: Annotated[str, typer.Option(help="Of the written weights: fp16 or fp32.")] = "fp16",
    as_json: AsJson = False,
) -> None:
    """Write a draft to fill in; or, with --from, a checked and sealed package of a filled draft and its weights."""
    from MedSegAILib.tasks.creation import check_precision, check_torch, create_package, write_template
    from MedSegAILib.tasks.store import find_package

    if draft is None:
        files = write_template(folder, find_package(like))
        if as_json:
            screen.give_json({"files": [str(file) for file in files]})
            return
        for file in files:
            screen.say(f"wrote {file}")
        screen.say(
            f"next: fill them in, put the weights beside them, then: medsegai models create PACKAGE --from {folder}"
        )
        return
    check_precision(precision)
    check_torch()
    package = create_package(draft, folder, precision)  # type: ignore[arg-type]  # checked above
    if as_json:
        screen.give_json({"task": package.task, "version": package.version, "folder": str(package.folder)})
        return
    screen.say(f"wrote {folder}: task {package.task} {package.version}, {len(package.checksums)} files")
    screen.say(f"next: medsegai models install {folder}")


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
