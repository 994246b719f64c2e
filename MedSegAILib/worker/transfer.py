"""Arrays as raw files beside the messages: a case into its message and back, a result into its message and back.

Geometry stays float64 to the last bit (JSON carries it); voxels are written once, mapped by the server without a
copy, and of a label map only the box that holds labels crosses. The folder is ``private_folder``'s. Ring 7 (worker).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.box import StageBox
from MedSegAILib.core.case import Case
from MedSegAILib.core.doubt import Doubt
from MedSegAILib.core.errors import ResourceError, UsageError
from MedSegAILib.core.filled_box import filled_box
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.result import Notice, Passport, Probabilities, Result
from MedSegAILib.core.run import RunOptions
from MedSegAILib.core.volume import Grid, Volume

from .protocol import broken

Array = npt.NDArray[Any]
Written = TypeVar("Written")
Writing = Generator[None, None, Written]

# For choosing a place only: label maps are at most uint16, and no task shows more float32 channels than this.
_LABEL_BYTES = 2
_MOST_PROBABILITY_BYTES = 4 * 8
_REAL_KINDS = "biuf"
# Written at once: some milliseconds, so that a window lives on between two portions.
_PORTION_BYTES = 4_000_000


def needed_bytes(case: Case, options: RunOptions) -> int:
    """Give the most that a job will write: its inputs and its result."""
    inputs = sum(volume.array.nbytes for volume in case.volumes.values())
    voxels = int(np.prod(case.reference_grid().shape_zyx))
    return inputs + voxels * (_LABEL_BYTES + (_MOST_PROBABILITY_BYTES if options.keep_probabilities else 0))


def write_case(case: Case, folder: Path) -> dict[str, Any]:
    """Write the voxels of a case and give its message.

    Raises:
        UsageError: "transfer.dtype" when voxels are not real numbers.
        ResourceError: "worker.disk" when they cannot be written.
    """
    return _all_of(writing_case(case, folder))


def writing_case(case: Case, folder: Path, still: Callable[[], None] | None = None) -> Writing[dict[str, Any]]:
    """Write the voxels of a case portion by portion, a yield after each.

    Args:
        case: whose arrays are read while this goes on.
        folder: private folder of the job.
        still: called before each portion is read; raises when the arrays may not be read any more.

    Returns:
        A generator that gives nothing at each step, and what :func:`write_case` gives at its end; errors as there.
    """
    volumes = []
    for index, (role, volume) in enumerate(case.volumes.items()):
        entry = yield from _writing_array(volume.array, folder / f"input-{index}.raw", still)
        grid = volume.grid.ijk_to_ras.tolist()
        volumes.append({"role": role, "name": volume.name, "array": entry, "ijk_to_ras": grid})
    return {"name": case.name, "reference": case.reference, "volumes": volumes}


def read_case(message: Mapping[str, Any], folder: Path) -> Case:
    """Rebuild a case; its arrays are read-only maps of the files, ``[z, y, x]``.

    Raises:
        WorkerError: "worker.protocol" when message and files do not fit together.
        InputError: a grid that is none, as ``Grid`` says.
    """
    try:
        volumes = {}
        for entry in message["volumes"]:
            array = _map(entry["array"], folder)
            grid = Grid(_shape3(array), np.array(entry["ijk_to_ras"], dtype=np.float64))
            volumes[str(entry["role"])] = Volume(array, grid, name=str(entry["name"]))
        return Case(volumes, reference=str(message["reference"]), name=str(message["name"]))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise broken(f"the case cannot be read ({type(error).__name__}: {error})") from error


def write_result(result: Result, folder: Path, *, with_probabilities: bool) -> dict[str, Any]:
    """Write the labels of a result, the box of the non-zero ones only, and give its message.

    Args:
        result: as the pipeline gave it.
        folder: private folder of the job.
        with_probabilities: also write the region probabilities, when the result has them.

    Raises:
        ResourceError: "worker.disk" when they cannot be written.
    """
    labels = result.labels
    box = filled_box(labels.array)
    kept = result.probabilities if with_probabilities else None
    return {
        "labels": {
            "name": labels.name,
            "shape_zyx": list(labels.grid.shape_zyx),
            "ijk_to_ras": labels.grid.ijk_to_ras.tolist(),
            "dtype": labels.array.dtype.str,
            "offset_zyx": [part.start for part in box],
            "box": write_array(labels.array[box], folder / "labels.raw") if labels.array[box].size else None,
        },
        "scheme": result.scheme.to_json(),
        "passport": result.passport.to_json(),
        "notices": [[notice.code, notice.message, notice.hint] for notice in result.notices],
        "probabilities": kept
        and {
            "array": write_array(kept.array, folder / "probabilities.raw"),
            "regions": list(kept.regions),
            "ijk_to_ras": np.asarray(kept.ijk_to_ras).tolist(),
        },
        "doubt": result.doubt and result.doubt.to_json(),
        "boxes": [stage_box.to_json() for stage_box in result.boxes],
    }


def read_result(message: Mapping[str, Any], folder: Path) -> Result:
    """Rebuild a result with arrays of its own, so that the folder can go.

    Raises:
        WorkerError: "worker.protocol" when message and files do not fit together.
        PackageError: "labels.scheme", as ``LabelScheme`` says.
    """
    try:
        entry = message["labels"]
        array: Array = np.zeros([int(count) for count in entry["shape_zyx"]], np.dtype(entry["dtype"]))
        if entry["box"] is not None:
            box = read_array(entry["box"], folder)
            array[_slices(entry["offset_zyx"], box.shape)] = box
        grid = Grid(_shape3(array), np.array(entry["ijk_to_ras"], dtype=np.float64))
        kept = message["probabilities"]
        return Result(
            Volume(array, grid, name=str(entry["name"])),
            LabelScheme.from_json(message["scheme"]),
            Passport.from_json(message["passport"]),
            tuple(Notice(*(str(part) for part in notice)) for notice in message["notices"]),
            kept
            and Probabilities(
                read_array(kept["array"], folder),
                tuple(str(name) for name in kept["regions"]),
                np.array(kept["ijk_to_ras"], dtype=np.float64),
            ),
            message["doubt"] and Doubt.from_json(message["doubt"]),
            tuple(StageBox.from_json(entry) for entry in message["boxes"]),
        )
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise broken(f"the result cannot be read ({type(error).__name__}: {error})") from error


def write_array(array: Array, path: Path) -> dict[str, Any]:
    """Write an array in C order and give its entry; slab by slab, so that a view is never copied as a whole.

    Raises:
        UsageError: "transfer.dtype".
        ResourceError: "worker.disk".
    """
    return _all_of(_writing_array(array, path, None))


def _writing_array(array: Array, path: Path, still: Callable[[], None] | None) -> Writing[dict[str, Any]]:
    """Write an array, a yield after each portion. Plain writes and no map: on a full disk a map ends in SIGBUS."""
    if array.dtype.kind not in _REAL_KINDS:
        raise UsageError(
            "transfer.dtype",
            f"Voxels of type {array.dtype} cannot be sent to the worker.",
            "Give integers or floating point numbers.",
        )
    rows = np.atleast_1d(array)
    step = max(1, _PORTION_BYTES // max(1, rows[:1].nbytes))
    try:
        with path.open("wb") as file:
            for start in range(0, len(rows), step):
                if still is not None:
                    still()
                file.write(np.ascontiguousarray(rows[start : start + step]).reshape(-1).view(np.uint8).data)
                yield
    except OSError as error:
        raise ResourceError(
            "worker.disk",
            f"{array.nbytes / 1e6:.0f} MB could not be written for the worker ({error.strerror}).",
            "Free disk space or memory, then run it again.",
        ) from error
    return {"file": path.name, "dtype": array.dtype.str, "shape": list(array.shape)}


def _all_of(writing: Writing[Written]) -> Written:
    """Write everything at once."""
    while True:
        try:
            next(writing)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # mypy does not follow what a generator returns


def _map(entry: Mapping[str, Any], folder: Path) -> Array:
    path, dtype, shape = _checked(entry, folder)
    return np.asarray(np.memmap(path, dtype, mode="r", shape=shape))


def read_array(entry: Mapping[str, Any], folder: Path) -> Array:
    """Read an array of its own by the entry that :func:`write_array` gave.

    Raises:
        ValueError, OSError: the file is not the one of the entry.
    """
    path, dtype, shape = _checked(entry, folder)
    return np.fromfile(path, dtype).reshape(shape)


def _checked(entry: Mapping[str, Any], folder: Path) -> tuple[Path, np.dtype[Any], tuple[int, ...]]:
    """Give path, dtype and shape of an entry; the file must lie in the folder and have just that size."""
    name, dtype, shape = str(entry["file"]), np.dtype(entry["dtype"]), tuple(int(count) for count in entry["shape"])
    path = folder / name
    if Path(name).name != name or dtype.kind not in _REAL_KINDS or min(shape) < 1:
        raise ValueError(f"the array {name!r} of {dtype} {shape}")
    wanted = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if path.stat().st_size != wanted:
        raise ValueError(f"the file {name} has {path.stat().st_size} bytes, not {wanted}")
    return path, dtype, shape


def _slices(offset: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(int(start), int(start) + count) for start, count in zip(offset, shape, strict=True))


def _shape3(array: Array) -> tuple[int, int, int]:
    depth, height, width = array.shape
    return depth, height, width
