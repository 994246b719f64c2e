"""One door for every image file: the reader is found by what the file is, not by what it is called. Ring 1 (io)."""

from __future__ import annotations

import logging
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Array, Volume

from .byte_source import first_bytes
from .headers import ReadVolume

LOGGER = logging.getLogger(__name__)

# Format -> module with can_read(path, first_bytes) -> bool and read(path) -> ReadVolume; asked in this order.
READERS: dict[str, str] = {
    "NIfTI": "MedSegAILib.io.nifti",
    "NRRD": "MedSegAILib.io.nrrd",
    "MetaImage": "MedSegAILib.io.metaimage",
    "DICOM": "MedSegAILib.io.dicom_series",
}
# What others give us and we do not read: first bytes -> what it is. Each gets a sentence of its own.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "volume.not_3d", "a PNG picture"),
    (b"\xff\xd8\xff", "volume.not_3d", "a JPEG picture"),
    (b"BM", "volume.not_3d", "a BMP picture"),
    (b"GIF8", "volume.not_3d", "a GIF picture"),
    (b"II*\0", "volume.not_3d", "a TIFF picture"),
    (b"MM\0*", "volume.not_3d", "a TIFF picture"),
    (b"%PDF", "volume.not_3d", "a PDF document"),
    (b"PK\x03\x04", "volume.format", "a zip archive"),
    (b"\x00\x00\x00\x01\x00\x00", "volume.format", "a FreeSurfer MGH/MGZ file"),
    (b"\x89HDF", "volume.format", "an HDF5 or MINC 2 file"),
)
LARGEST_LABEL = 65535


def read_volume(path: Path) -> Volume:
    """Read an image file or a DICOM folder; warnings of the reader go to the log.

    Args:
        path: NIfTI, NRRD, MetaImage, a DICOM file, or a folder with one DICOM series.

    Returns:
        Array ``[z, y, x]`` in the file's own axis order, values scaled by slope and intercept; voxels that are
        not finite stay as they are. Grid in RAS mm.

    Raises:
        InputError: "file.*" for a file that cannot be read, "volume.*" and "grid.*" for an image that is no usable
            3D gray-value volume, "series.*" for DICOM.
    """
    return read_volume_with_notices(path).volume


def read_volume_with_notices(path: Path) -> ReadVolume:
    """Read as :func:`read_volume` and give the reader's warnings too (they also go to the log)."""
    path = Path(path)
    start = b"" if os.path.isdir(path) else first_bytes(path)
    for name, module in READERS.items():
        reader = import_module(module)
        if reader.can_read(path, start):
            LOGGER.debug("Reading as %s.", name)
            # A header may hold any number; what comes of it is judged by the checks, not by warnings of numpy.
            with np.errstate(over="ignore", invalid="ignore"):
                found: ReadVolume = reader.read(path)
            for notice in found.notices:
                LOGGER.warning("%s %s", notice.message, notice.hint)
            return found
    raise _not_an_image(path, start)


def read_label_map(path: Path) -> Volume:
    """Read a label map; warnings of the reader go to the log.

    Returns:
        Array ``[z, y, x]``, uint8 or uint16 (when a value is above 255), 0 is background.

    Raises:
        InputError: "labels.not_whole" for values that are not whole numbers, "labels.negative",
            "labels.too_large" above 65535; else as :func:`read_volume`.
    """
    return read_label_map_with_notices(path).volume


def read_label_map_with_notices(path: Path) -> ReadVolume:
    """Read as :func:`read_label_map` and give the reader's warnings too."""
    found = read_volume_with_notices(path)
    labels = _whole_numbers(found.volume.array, found.volume.name)
    return ReadVolume(Volume(labels, found.volume.grid, name=found.volume.name), found.notices)


def _whole_numbers(array: Array, name: str) -> Array:
    lowest, highest = array.min(), array.max()
    if array.dtype.kind == "f" and not (np.isfinite(lowest) and np.isfinite(highest) and bool((array % 1 == 0).all())):
        raise InputError(
            "labels.not_whole",
            f"{name} is no label map: its values are not all whole numbers.",
            "Give the segmentation itself, not an image or a probability map.",
        )
    if lowest < 0:
        raise InputError(
            "labels.negative",
            f"{name} is no label map: its values go down to {int(lowest)}, and 0 is the lowest label.",
            "Give the segmentation itself, not an image.",
        )
    if highest > LARGEST_LABEL:
        raise InputError(
            "labels.too_large",
            f"{name} has labels up to {int(highest)}; {LARGEST_LABEL} is the highest that can be used.",
            "Give the segmentation itself, not an image.",
        )
    kind: Any = np.uint8 if highest <= np.iinfo(np.uint8).max else np.uint16
    return array.astype(kind)


def _not_an_image(path: Path, start: bytes) -> InputError:
    formats = ", ".join(READERS)
    for magic, code, what in _FOREIGN:
        if start.startswith(magic):
            if code == "volume.not_3d":
                return InputError(
                    code, f"{path.name} is {what}, not a 3D volume.", "Give the volume that the picture shows."
                )
            return InputError(
                code, f"{path.name} is {what}, which is not read.", f"Convert it to one of {formats} first."
            )
    return InputError(
        "file.not_an_image",
        f"{path.name} is not an image in a format that is read ({formats}).",
        "Check that the file is what its name says, or export it again.",
    )
