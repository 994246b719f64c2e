"""``medsegai evaluate``: how well a segmentation agrees with a reference. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from MedSegAILib.core.errors import InputError

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.core.labels import LabelScheme
    from MedSegAILib.core.volume import Array, Volume

LABELS_FILE = "labels.nii.gz"
# Heading, key of a score, format; what is not defined shows as "-".
COLUMNS = (
    ("Dice", "dice", ".4f"),
    ("volume mL", "volume_ml", ".2f"),
    ("reference mL", "reference_ml", ".2f"),
    ("sensitivity", "sensitivity", ".4f"),
    ("specificity", "specificity", ".4f"),
    ("precision", "precision", ".4f"),
    ("Jaccard", "jaccard", ".4f"),
    ("HD mm", "hausdorff_mm", ".2f"),
    ("HD95 mm", "hausdorff95_mm", ".2f"),
    ("surface mm", "surface_mm", ".2f"),
    ("volume diff", "volume_difference", ".4f"),
)
HEAD = ("region", *(heading for heading, _, _ in COLUMNS))


def evaluate(
    prediction: Annotated[Path, typer.Argument(help="Label map, or the output folder of `medsegai segment`.")],
    reference: Annotated[Path, typer.Argument(help="Label map to compare with.")],
    task: Annotated[str, typer.Option(help="Whose labels and regions these are.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the numbers to this file too.")] = None,
) -> None:
    """Compare two label maps by region: overlap, volumes, surfaces (both empty: Dice 1; one empty: 0)."""
    from MedSegAILib.image.metrics import evaluate_regions
    from MedSegAILib.io import read_label_map_with_notices
    from MedSegAILib.tasks.store import find_package

    package = find_package(task)
    read_ours = read_label_map_with_notices(prediction / LABELS_FILE if prediction.is_dir() else prediction)
    read_theirs = read_label_map_with_notices(reference)
    ours, theirs = read_ours.volume, read_theirs.volume
    notices = (*read_ours.notices, *read_theirs.notices)
    for side, volume in (("prediction", ours), ("reference", theirs)):
        check_labels(side, volume, package.scheme)
    array = on_grid_of(ours, theirs)
    scores = evaluate_regions(ours.array, array, package.scheme, ours.grid)
    if csv_file:
        write_csv([vars(score) for score in scores], csv_file)
    if as_json:
        screen.give_json(
            {"task": task, "regions": [vars(score) for score in scores], "notices": [vars(entry) for entry in notices]}
        )
        return
    for line in screen.table([HEAD, *(_row(vars(score)) for score in scores)]):
        screen.say(line)
    for notice in notices:
        screen.say(f"note: {notice.message} {notice.hint}".rstrip())


def write_csv(scores: list[dict[str, Any]], path: Path) -> None:
    """Write scores as CSV, UTF-8, one line a region; a cell is empty where a number is not defined.

    Raises:
        InputError: "evaluate.csv" when the file cannot be written.
    """
    import csv

    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(scores[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(scores)
    except OSError as error:
        raise InputError(
            "evaluate.csv",
            f"The table {path.name} cannot be written ({error.strerror}).",
            "Choose a file in a folder that exists and can be written.",
        ) from error


def _row(score: dict[str, Any]) -> tuple[str, ...]:
    cells = ("-" if score[key] is None else format(score[key], form) for _, key, form in COLUMNS)
    return (score["region"], *cells)


def check_labels(side: str, volume: Volume, scheme: LabelScheme) -> None:
    """Refuse values that the task does not know: another label convention would give wrong scores in silence.

    Raises:
        InputError: "evaluate.labels" with the values found and known.
    """
    import numpy as np

    known = [label.value for label in scheme.labels]
    unknown = sorted(set(np.unique(volume.array).tolist()) - {0, *known})
    if unknown:
        raise InputError(
            "evaluate.labels",
            f"The {side} has the label {unknown[0]}; this task has {', '.join(map(str, known))}.",
            "Relabel the file to the task's values first.",
        )


def on_grid_of(wanted: Volume, other: Volume) -> Array:
    """Give the voxels of ``other`` in the axis order of ``wanted``, ``[z, y, x]``; never resampled.

    Raises:
        InputError: "evaluate.grids_differ" when the voxels are not the same ones in space.
    """
    from MedSegAILib.image.geometry import reorientation_to

    to_common, from_common = reorientation_to(other.grid), reorientation_to(wanted.grid)
    if not to_common.grid(other.grid).is_same_as(from_common.grid(wanted.grid)):
        raise InputError(
            "evaluate.grids_differ",
            "Prediction and reference do not lie on the same voxels "
            f"({_size(wanted)} against {_size(other)}, or at another place).",
            "Resample the reference to the grid of the prediction with nearest neighbors first.",
        )
    return from_common.undo(to_common.apply(other.array))


def _size(volume: Volume) -> str:
    return " x ".join(str(count) for count in volume.grid.shape_zyx[::-1])
