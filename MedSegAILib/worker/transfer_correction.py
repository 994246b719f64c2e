"""A correction into its message and back, and its answer; the boxes travel as ``transfer`` has them. Ring 7 (worker).

Only the part of the study around the prompt crosses. The probabilities of the run stay in the worker; the message
names the run by its passport, and where the worker does not know it any more, the correction works without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.case import Case
from MedSegAILib.core.correction import Corrected, Correction
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.prompts import Prompt, prompt_from_json, prompt_to_json
from MedSegAILib.core.result import Passport, Probabilities
from MedSegAILib.core.volume import Grid, Volume

from .protocol import broken
from .transfer import read_array, write_array, write_case

Prompts = tuple[tuple[str, Prompt], ...]
Fill = tuple[Volume, LabelScheme, str, tuple[str, ...], int | None]


def run_of(passport: Passport | None) -> dict[str, Any]:
    """Give what names a run: its package and the checksums of its inputs; empty when nothing is known."""
    return {"package": dict(passport.package), "inputs": dict(passport.inputs)} if passport is not None else {}


def write_correction(correction: Correction, run: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Write the voxels of a correction and give its message.

    Args:
        correction: best of a small part of the study; see ``core.prompt_box.part_around``.
        run: of :func:`run_of`.
        folder: private folder of the job.

    Raises:
        ResourceError: "worker.disk" when they cannot be written.
    """
    images = [
        {"role": role, "array": write_array(image.array, folder / f"image-{index}.raw")}
        for index, (role, image) in enumerate(correction.images.items())
    ]
    return {
        "labels": write_array(correction.labels.array, folder / "labels.raw"),
        "ijk_to_ras": correction.labels.grid.ijk_to_ras.tolist(),
        "images": images,
        "scheme": correction.scheme.to_json(),
        "region": correction.region,
        "prompts": [prompt_to_json(prompt) for prompt in correction.prompts],
        "locked": list(correction.locked),
        "run": dict(run),
    }


def read_correction(message: Mapping[str, Any], folder: Path, probabilities: Probabilities | None) -> Correction:
    """Rebuild a correction.

    Raises:
        WorkerError: "worker.protocol" when message and files do not fit together.
        UsageError: a prompt or a lock that cannot be meant; see ``Correction``.
    """
    try:
        array = read_array(message["labels"], folder)
        depth, height, width = array.shape
        grid = Grid((depth, height, width), np.array(message["ijk_to_ras"], dtype=np.float64))
        images = {
            str(entry["role"]): Volume(read_array(entry["array"], folder), grid, name=str(entry["role"]))
            for entry in message["images"]
        }
        scheme = LabelScheme.from_json(message["scheme"])
        region, locked = str(message["region"]), tuple(str(name) for name in message["locked"])
        prompts = tuple(prompt_from_json(entry) for entry in message["prompts"])
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise broken(f"the correction cannot be read ({type(error).__name__}: {error})") from error
    return Correction(Volume(array, grid), scheme, region, prompts, images, locked, probabilities)


def write_fill(
    labels: Volume, scheme: LabelScheme, region: str, locked: Sequence[str], axis: int, folder: Path
) -> dict[str, Any]:
    """Write a label map of which a region is to be filled between slices, and give its message; axis -1 is any."""
    return {
        "labels": write_array(labels.array, folder / "labels.raw"),
        "ijk_to_ras": labels.grid.ijk_to_ras.tolist(),
        "scheme": scheme.to_json(),
        "region": region,
        "locked": list(locked),
        "axis": axis,
    }


def read_fill(message: Mapping[str, Any], folder: Path) -> Fill:
    """Rebuild what :func:`write_fill` wrote: labels, scheme, region, locks, axis or None.

    Raises:
        WorkerError: "worker.protocol" when message and files do not fit together.
    """
    try:
        labels = _labels(message, folder)
        scheme, axis = LabelScheme.from_json(message["scheme"]), int(message["axis"])
        locked = tuple(str(name) for name in message["locked"])
        return labels, scheme, str(message["region"]), locked, axis if axis in (0, 1, 2) else None
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise broken(f"the region cannot be read ({type(error).__name__}: {error})") from error


def write_corrected(corrected: Corrected, folder: Path) -> dict[str, Any]:
    """Write the label box of an answer and give its message."""
    return {
        "labels": write_array(corrected.labels.array, folder / "corrected.raw"),
        "ijk_to_ras": corrected.labels.grid.ijk_to_ras.tolist(),
        "offset_zyx": list(corrected.offset_zyx),
        "gained_ml": dict(corrected.gained_ml),
        "lost_ml": dict(corrected.lost_ml),
        "facts": dict(corrected.facts),
    }


def read_corrected(message: Mapping[str, Any], folder: Path) -> Corrected:
    """Rebuild an answer, with an array of its own.

    Raises:
        WorkerError: "worker.protocol" when message and files do not fit together.
    """
    try:
        labels = _labels(message, folder)
        z, y, x = (int(value) for value in message["offset_zyx"])
        gained, lost = (
            {str(name): float(value) for name, value in message[key].items()} for key in ("gained_ml", "lost_ml")
        )
        return Corrected(labels, (z, y, x), gained, lost, dict(message["facts"]))
    except (KeyError, TypeError, ValueError, OSError, AttributeError) as error:
        raise broken(f"the corrected labels cannot be read ({type(error).__name__}: {error})") from error


def write_corrections(
    case: Case, masks: tuple[Volume, Volume], prompts: Prompts, facts: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Write images and both label maps (on the grid of the case's reference), and give the message.

    Raises:
        ResourceError: "worker.disk" when they cannot be written.
    """
    before, after = masks
    return {
        "case": write_case(case, folder),
        "before": write_array(before.array, folder / "before.raw"),
        "after": write_array(after.array, folder / "after.raw"),
        "prompts": [[region, prompt_to_json(prompt)] for region, prompt in prompts],
        "facts": dict(facts),
    }


def read_doubt_map(message: Mapping[str, Any], folder: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Rebuild a doubt map: 0 (sure) to 100 (undecided), ``[z, y, x]``, and the 4x4 of its grid.

    Raises:
        WorkerError: "worker.protocol" when message and files do not fit together.
    """
    try:
        return read_array(message["map"], folder), np.array(message["ijk_to_ras"], dtype=np.float64)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise broken(f"the doubt cannot be read ({type(error).__name__}: {error})") from error


def _labels(message: Mapping[str, Any], folder: Path) -> Volume:
    array = read_array(message["labels"], folder)
    depth, height, width = array.shape
    return Volume(array, Grid((depth, height, width), np.array(message["ijk_to_ras"], dtype=np.float64)))
