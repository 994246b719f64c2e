"""``medsegai models import``: a package from foreign weights that lie on this machine. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from MedSegAILib.core.errors import UsageError

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.tasks.importers import Imported

app = typer.Typer(help="Make a package of foreign weights; nothing is fetched.", no_args_is_help=True)


@app.callback()
def _kinds() -> None:
    """Make a package of foreign weights; nothing is fetched."""  # with a callback one kind is still a verb


@app.command("brats2020")
def import_brats2020(
    runs: Annotated[list[Path], typer.Argument(metavar="FOLDER", help="Holds model_best.pth.tar and its yaml.")],
    output: Annotated[Path, typer.Option(help="Folder of the package, new or empty; its name names the task.")],
    precision: Annotated[str, typer.Option(help="Of the written weights: fp32 or fp16.")] = "fp32",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Import runs of the published BraTS 2020 code; each becomes a member of pipeline A or B."""
    from MedSegAILib.tasks.importers import PRECISIONS, load_importer

    if precision not in PRECISIONS:
        raise UsageError(
            "import.precision", f"There is no precision {precision!r}.", f"Choose one of {', '.join(PRECISIONS)}."
        )
    imported = load_importer("brats2020")(runs, output, precision)
    if as_json:
        screen.give_json(
            {
                "task": imported.package.task,
                "folder": str(imported.package.folder),
                "members": list(imported.members),
                "notices": [vars(notice) for notice in imported.notices],
            }
        )
    else:
        _print(imported)


def _print(imported: Imported) -> None:
    rows: list[tuple[str, ...]] = [
        (m["file"], m["ensemble"], m["network"]["name"], f"{m['parameters']} parameters", m["source"])
        for m in imported.members
    ]
    for line in screen.table(rows):
        screen.say(line)
    for notice in imported.notices:
        screen.remark(f"note: {notice.message} {notice.hint}")
    package = imported.package
    screen.say(f"wrote {package.folder}: task {package.task}, {len(package.checksums)} files")
    screen.say(
        f"next: medsegai models verify {package.folder}; to use it, name the folder in MEDSEGAI_PACKAGES "
        "or put it into ~/.MedSegAI/packages"
    )
