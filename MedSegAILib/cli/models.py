"""``medsegai models``: which packages are there, what they say of themselves, whether they are sound. Ring 8."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from MedSegAILib.core.errors import PackageError

from . import models_import, models_manage, screen

if TYPE_CHECKING:
    from MedSegAILib.tasks.expected import Expectation
    from MedSegAILib.tasks.package import Package

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_TEXTS = ("license", "intended_use", "trained_on", "not_for")

app = typer.Typer(help="List, describe, verify, make, install and remove packages.", no_args_is_help=True)
app.add_typer(models_import.app, name="import")
app.command("create")(models_manage.create)
app.command("install")(models_manage.install)
app.command("remove")(models_manage.remove)
app.command("export")(models_manage.export)


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """List the installed tasks, and every package that was refused."""
    from MedSegAILib.tasks.store import list_packages

    packages, refused = list_packages()
    if as_json:
        screen.give_json(
            {"models": [_summary(package) for package in packages], "refused": [error.to_json() for error in refused]}
        )
        return
    for line in screen.table([(p.task, p.version, ", ".join(p.roles), p.title) for p in packages]):
        screen.say(line)
    if not packages:
        screen.say("No package is installed.")
    for error in refused:
        screen.remark(f"refused: {error.message}")


@app.command("info")
def info(task: Annotated[str, typer.Argument(help="See `medsegai models list`.")], as_json: AsJson = False) -> None:
    """Tell what a package is for, what it takes, gives, and is worth."""
    from MedSegAILib.tasks.store import find_package

    package = find_package(task)
    expected = _expected(package)
    if as_json:
        here = {preset: expectation.to_json() for preset, expectation in expected.items()}
        screen.give_json(
            {**package.manifest, "sha256": package.sha256, "folder": str(package.folder), "expected_here": here}
        )
        return
    screen.say(f"{package.task} {package.version}: {package.title}")
    rows: list[tuple[str, ...]] = [(key.replace("_", " "), str(package.manifest[key])) for key in _TEXTS]
    rows.append(("checksum", package.sha256))
    rows += [("input", f"{entry.role}: {entry.title} ({entry.modality})") for entry in package.inputs]
    rows += [("label", f"{label.value} {label.name}: {label.title}") for label in package.scheme.labels]
    rows += [
        ("region", f"{region.name}: {region.title} = {' + '.join(map(str, region.labels))}")
        for region in package.scheme.regions
    ]
    rows += [("trained for", ", ".join(role for role in package.roles if role in set_)) for set_ in package.subsets]
    rows += [
        ("preset", f"{name}: {_words(preset.get('views', ''))}; {expected[name].words()}")
        for name, preset in package.presets.items()
    ]
    rows += [(f"expected {key}", _words(value)) for key, value in dict(package.manifest.get("expected", {})).items()]
    for line in screen.table(rows):
        screen.say(line)


@app.command("verify")
def verify(
    which: Annotated[str, typer.Argument(help="Task or folder of a package; nothing verifies all.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check every file of one package, or of all, against its checksum; exit code 4 when one is refused."""
    sound, refused = _verified(which)
    if as_json:
        screen.give_json(
            {"sound": [_summary(package) for package in sound], "refused": [error.to_json() for error in refused]}
        )
    else:
        for package in sound:
            screen.say(f"{package.task} {package.version}: {len(package.checksums)} files match their checksums")
        for error in refused:
            screen.remark(f"error: {error.message}\nnext: {error.hint}")
    if refused:
        raise typer.Exit(PackageError.exit_code)


def _verified(which: str) -> tuple[list[Package], list[PackageError]]:
    from MedSegAILib.tasks.package import read_package
    from MedSegAILib.tasks.store import find_package, package_folders

    if which and not Path(which).is_dir():
        return [find_package(which)], []
    sound, refused = [], []
    for folder in [Path(which)] if which else package_folders():
        try:
            sound.append(read_package(folder))
        except PackageError as error:
            refused.append(error)
    return sound, refused


def _expected(package: Package) -> dict[str, Expectation]:
    """Give by preset what a run with a typical case will take on this machine and be worth."""
    from MedSegAILib.core.run import PRESETS, RunOptions
    from MedSegAILib.tasks.expected import Expectation, expect
    from MedSegAILib.tasks.history import read_history
    from MedSegAILib.tasks.outlook import expected_dice

    history = read_history()
    return {
        name: expect(package, RunOptions(preset=name), history)  # type: ignore[arg-type]
        if name in PRESETS
        else Expectation(dice=expected_dice(package, name))
        for name in package.presets
    }


def _summary(package: Package) -> dict[str, Any]:
    return {
        "task": package.task,
        "title": package.title,
        "version": package.version,
        "inputs": list(package.roles),
        "regions": [region.name for region in package.scheme.regions],
        "folder": str(package.folder),
    }


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(entry)}" for key, entry in value.items())
    return str(value)
