"""``medsegai evaluate``: how well a segmentation agrees with a reference. Ring 8."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from MedSegAILib.core.errors import InputError

from . import screen

if TYPE_CHECKING:
    from MedSegAILib.core.labels import LabelScheme
    from MedSegAILib.core.volume import Array, Volume

LABELS_FILE = "labels.nii.gz"


def evaluate(
    prediction: Annotated[Path, typer.Argument(help="Label map, or the output folder of `medsegai segment`.")],
    reference: Annotated[Path, typer.Argument(help="Label map to compare with.")],
    task: Annotated[str, typer.Option(help="Whose labels and regions these are.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare two label maps: Dice and volumes by region (both empty: Dice 1; one empty: 0)."""
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
    scores = evaluate_regions(ours.array, array, package.scheme, ours.grid.voxel_volume_ml)
    if as_json:
        screen.give_json(
            {"task": task, "regions": [vars(score) for score in scores], "notices": [vars(entry) for entry in notices]}
        )
        return
    rows: list[tuple[str, ...]] = [("region", "Dice  ", "volume mL", "reference mL")]
    rows += [
        (score.region, f"{score.dice:.4f}", f"{score.volume_ml:9.2f}", f"{score.reference_ml:12.2f}")
        for score in scores
    ]
    for line in screen.table(rows):
        screen.say(line)
    for notice in notices:
        screen.say(f"note: {notice.message} {notice.hint}".rstrip())


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
