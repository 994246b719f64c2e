"""``medsegai inspect``: what a labeled set holds, before anything is trained on it. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from MedSegAILib.core.run import Progress

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.report.dataset import DatasetFacts

MOST_DEFECTS = 20  # that the screen shows; --json has them all


def inspect(
    dataset: Annotated[Path, typer.Argument(help="Folder of a labeled set; layouts: docs/reference/datasets.md.")],
    output: Annotated[Path | None, typer.Option(help="Folder for the plots (PNG).")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first studies.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at a labeled set: classes, intensities, where each label lies, sizes and spacings, defects."""
    from MedSegAILib.report.dataset import look_at_dataset

    with screen.Bar() as bar:
        facts = look_at_dataset(dataset, limit, lambda done, total: bar.update(Progress("read", done, total)))
    files = _write_plots(facts, output) if output is not None else {}
    if as_json:
        screen.give_json({**facts.to_json(), "files": {name: str(path) for name, path in files.items()}})
    else:
        _print(facts)
        for path in files.values():
            screen.say(f"wrote {path}")


def _write_plots(facts: DatasetFacts, output: Path) -> dict[str, Path]:
    from MedSegAILib.io.atomic import write_files
    from MedSegAILib.report.dataset_plots import dataset_plots

    return write_files(output, dataset_plots(facts))


def _print(facts: DatasetFacts) -> None:
    from MedSegAILib.report.dataset import AXES, classes, place, sizes

    parts = sorted({study.part for study in facts.studies if study.part})
    counts = ", ".join(f"{part} {sum(study.part == part for study in facts.studies)}" for part in parts)
    screen.say(f"{facts.name}: {len(facts.studies)} studies{f' ({counts})' if counts else ''}, layout {facts.layout}")
    size = sizes(facts.studies)
    rows: list[tuple[str, ...]] = [("x, y, z as stored", "least", "median", "largest")]
    for name, title in (("voxels", "voxels"), ("spacing_mm", "spacing mm")):
        if size[name]:
            rows.append((title, *(" x ".join(f"{value:g}" for value in triple) for triple in size[name])))
    _table(rows)
    if facts.values:
        rows = [("label", "name", "studies", "voxel share", "mL mean", "mL least to most", "slices")]
        for one in classes(facts):
            span = f"{one.least_ml:.2f} to {one.most_ml:.2f}"
            rows.append((str(one.value), one.name, str(one.studies), f"{one.voxel_share:.5f}", f"{one.mean_ml:.2f}",
                         span, f"{one.slice_share:.0%}"))  # fmt: skip
        _table(rows)
        rows = [("label lies at", *AXES)]
        for value in facts.values:
            where = place(facts, value)
            rows.append((str(value), *(f"{low:.2f} to {high:.2f}" for low, high in
                                       (where[axis]["union"] for axis in AXES))))  # fmt: skip
        _table(rows)
    defects = facts.defects()
    screen.say(f"{len(defects)} defects" if defects else "no defects")
    for name, sentence in defects[:MOST_DEFECTS]:
        screen.say(f"  {name}: {sentence}")
    if len(defects) > MOST_DEFECTS:
        screen.say(f"  ... {len(defects) - MOST_DEFECTS} more with --json")


def _table(rows: list[tuple[str, ...]]) -> None:
    for line in screen.table(rows):
        screen.say(line)
    screen.say()
