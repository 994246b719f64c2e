"""A DICOM folder, or one file of it, to a volume: one series, one orientation, one even stack.

Slices are ordered by position, never by name or number. A leaning stack (gantry tilt) is straightened and says so.
Enhanced multi-frame files are stacks of their frames. Ring 1 (io).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import Grid, Volume

from .dicom_headers import Frame, read_frames
from .dicom_pixels import read_pixels
from .headers import LPS_TO_RAS, ReadVolume, checked_grid, not_gray
from .slice_stack import Stack, stack_slices, straighten, upright

LOGGER = logging.getLogger(__name__)
DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")
# Directions of one stack agree to rounding; the samples read differ in the seventh digit.
SAME_DIRECTION = 1e-3


def can_read(path: Path, start: bytes) -> bool:
    """Tell whether this is a DICOM file (by content, or by name for old files without the mark) or a folder."""
    return path.is_dir() or start[128:132] == b"DICM" or path.suffix.lower() in DICOM_SUFFIXES


@dataclass(frozen=True, eq=False)
class Series:
    """An even series, its geometry told from the headers alone.

    Args:
        name: what messages call it.
        frames: in the order of the stack.
        stack: as the slices lie; it may lean.
        grid: of the volume that :func:`read` gives: upright, RAS mm.
    """

    name: str
    frames: tuple[Frame, ...]
    stack: Stack
    grid: Grid


def read(path: Path) -> ReadVolume:
    """Read the one series of a folder, or the series of one file with its neighbors in the folder.

    Args:
        path: a folder (not its subfolders) or a DICOM file; a multi-frame file is read by itself.

    Returns:
        Volume ``[z, y, x]``: slices along their normal, rows, columns; right-handed.

    Raises:
        InputError: "series.*" when the files are no single even volume; "volume.color"; "file.damaged".
    """
    return _volume(open_series(path))


def open_series(path: Path) -> Series:
    """Find and order the slices as :func:`read` does, without their pixels; arguments and errors as there."""
    if path.is_dir():
        frames = _one_series(_frames_of(_files(path)), path.name)
    else:
        frames = list(read_frames(path))
        if not frames:
            raise InputError(
                "series.not_an_image",
                f"{path.name} is a DICOM object without a picture of the patient.",
                "Give a file of the image series.",
            )
        if not frames[0].is_multi_frame:
            near = _frames_of(_files(path.parent))
            frames = [frame for frame in near if frame.series_uid == frames[0].series_uid and not frame.is_multi_frame]
    return series_of(frames)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _frames_of(paths: Iterable[Path]) -> list[Frame]:
    """Give the frames of all DICOM files; other files are passed over."""
    frames: list[Frame] = []
    for path in paths:
        with path.open("rb") as file:
            start = file.read(132)
        if path.name.upper() != "DICOMDIR" and len(start) and can_read(path, start):
            found = read_frames(path)
            frames.extend(found)
            if not found:
                LOGGER.debug("%s holds no picture and was left aside.", path.name)
    return frames


def _one_series(frames: list[Frame], folder_name: str) -> list[Frame]:
    if not frames:
        raise InputError(
            "series.no_images",
            f"The folder {folder_name} holds no DICOM image.",
            "Choose the folder that holds the DICOM files themselves.",
        )
    by_series: dict[str, list[Frame]] = {}
    for frame in frames:
        by_series.setdefault(frame.series_uid, []).append(frame)
    if len(by_series) > 1:
        listed = [f"{series[0].series}, {series[0].modality}, {len(series)} images" for series in by_series.values()]
        raise InputError(
            "series.several",
            f"The folder {folder_name} holds {len(by_series)} series: {'; '.join(listed)}.",
            "Choose one: give a file of it, or a folder with that series alone.",
            series=listed,
        )
    return frames


def series_of(frames: Sequence[Frame], name: str = "") -> Series:
    """Order the frames of one series and check that they are one even stack.

    Args:
        frames: in any order.
        name: what messages call the series; empty for its number and description.

    Raises:
        InputError: "series.*", "volume.color".
    """
    first, name = frames[0], name or frames[0].series
    _check_alike(frames, name)
    if first.directions is None or first.spacing_mm is None:
        raise _no_place(name, first)
    directions = np.array(first.directions).reshape(2, 3)
    lengths = np.linalg.norm(directions, axis=1)
    if abs(lengths - 1).max() > SAME_DIRECTION or abs(directions[0] @ directions[1]) > SAME_DIRECTION:
        raise _no_place(name, first)
    directions = directions / lengths[:, None]
    positions = np.array([frame.position_mm for frame in frames], dtype=np.float64)
    spacing = (first.spacing_mm[0], first.spacing_mm[1])
    stack = stack_slices(positions, directions, spacing, first.thickness_mm, name)
    shape = (len(frames), first.rows, first.columns)
    straight, (depth, height, width) = upright(stack, shape) if stack.leans() else (stack, shape)
    grid = checked_grid((width, height, depth), LPS_TO_RAS @ straight.matrix(), name)
    return Series(name, tuple(frames[index] for index in stack.order), stack, grid)


def _volume(series: Series) -> ReadVolume:
    array = read_pixels(series.frames)
    notices: list[Notice] = []
    if len(series.frames) == 1:
        notices.append(_single(series.name, series.frames[0]))
    if series.stack.leans():
        array = straighten(array, series.stack)
        notices.append(
            Notice(
                "series.gantry_tilt",
                f"{series.name} was scanned with a tilt of {series.stack.tilt_degrees():.1f} degrees; its slices were"
                " shifted to an upright volume.",
                "The result lies on the upright volume, not on the original slices.",
            )
        )
    return ReadVolume(Volume(array, series.grid, name=series.name), tuple(notices))


def _check_alike(frames: Sequence[Frame], name: str) -> None:
    """Refuse what is no gray-value stack: colors, no place, several sizes or several orientations."""
    if not all(frame.is_gray for frame in frames):
        raise not_gray(name, "color")
    for frame in frames:
        if not frame.has_place:
            raise _no_place(name, frame)
    sizes = {(frame.rows, frame.columns, frame.spacing_mm) for frame in frames}
    if len({(rows, columns) for rows, columns, _ in sizes}) > 1:
        listed = ", ".join(sorted({f"{columns} x {rows}" for rows, columns, _ in sizes}))
        raise InputError(
            "series.mixed_sizes", f"{name} mixes images of {listed} pixels.", "Give a series of equal slices."
        )
    for what, values in (
        ("orientations", [frame.directions for frame in frames]),
        ("pixel sizes", [frame.spacing_mm for frame in frames]),
    ):
        kinds: list[np.ndarray] = []
        for value in values:
            vector = np.array(value)
            if not any(np.allclose(vector, kind, rtol=0, atol=SAME_DIRECTION) for kind in kinds):
                kinds.append(vector)
        if len(kinds) > 1:
            raise InputError(
                f"series.mixed_{what.replace(' ', '_')}",
                f"{name} mixes images of {len(kinds)} {what}; it is a localizer or several stacks in one.",
                "Give a series of parallel slices.",
            )


def _no_place(name: str, frame: Frame) -> InputError:
    if frame.is_multi_frame:
        message = f"{name} is a multi-frame file that does not say where its frames lie."
    else:
        message = f"{name} ({frame.modality}) does not say where its images lie in the patient."
    return InputError("series.no_geometry", message, "Give a CT or MR series of slices; pictures are not volumes.")


def _single(name: str, frame: Frame) -> Notice:
    thickness = f"{frame.thickness_mm:g} mm as stated" if frame.thickness_mm else "unknown, taken as 1 mm"
    return Notice(
        "series.single_slice",
        f"{name} is a single slice; its thickness is {thickness}.",
        "Give the whole series for a volume.",
    )
