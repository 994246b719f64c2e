"""MetaImage (.mha, .mhd with a data file beside it), raw or zlib-compressed. Ring 1 (io).

Own code for the reasons of ``nrrd``. World is LPS mm in these files, as ITK writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Array, Matrix, Volume

from .byte_source import ByteSource
from .headers import (
    LPS_TO_RAS,
    ReadVolume,
    checked_grid,
    damaged,
    data_file_beside,
    not_gray,
    three_axes,
    voxel_count,
)

LARGEST_HEADER_BYTES = 1 << 20
_DTYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_LAST_FIELD = "ElementDataFile"


def can_read(path: Path, start: bytes) -> bool:
    """Tell from the first bytes whether this is MetaImage."""
    return start.lstrip().startswith((b"ObjectType", b"NDims")) and b"=" in start


def read(path: Path) -> ReadVolume:
    """Read a 3D MetaImage.

    Returns:
        Volume ``[z, y, x]`` in the file's own axis order and dtype.

    Raises:
        InputError: "volume.*", "grid.*" or "file.*" with what is wrong.
    """
    fields, end = _fields(path)
    try:
        sizes = three_axes([int(word) for word in fields["DimSize"].split()], path.name)
        matrix = _matrix(fields)
        channels = int(fields.get("ElementNumberOfChannels", "1"))
        header_size = int(fields.get("HeaderSize", "0"))
    except (KeyError, ValueError) as error:
        raise damaged(path.name, "its MetaImage header lacks sizes or has unreadable numbers") from error
    if channels != 1:
        raise not_gray(path.name, f"{channels}-channel")
    grid = checked_grid(sizes, LPS_TO_RAS @ matrix, path.name)
    named = fields[_LAST_FIELD]
    if named.upper().startswith("LIST") or "%" in named:
        raise InputError(
            "volume.format",
            f"{path.name} spreads its voxels over several files, which is not read.",
            "Save it again as one file.",
        )
    is_local = named.upper() == "LOCAL"
    data = path if is_local else data_file_beside(path, named)
    is_packed = fields.get("CompressedData", "False").lower() == "true"
    dtype = _dtype(fields, path.name)
    byte_count = voxel_count(sizes) * dtype.itemsize
    offset = end if is_local else header_size
    if header_size < 0:  # "the voxels are the last bytes of the file"
        offset = max(0, data.stat().st_size - byte_count)
    with ByteSource(data, offset, "zlib" if is_packed else "none") as source:
        raw = source.take(byte_count)
        notices = source.finish()
    array: Array = raw.view(dtype).reshape(sizes[::-1])
    return ReadVolume(Volume(array.astype(dtype.newbyteorder("="), copy=False), grid, name=path.name), notices)


def _fields(path: Path) -> tuple[Mapping[str, str], int]:
    """Give the fields and the first byte after the header; it ends with ``ElementDataFile``."""
    with path.open("rb") as file:
        start = file.read(LARGEST_HEADER_BYTES)
    fields: dict[str, str] = {}
    position = 0
    while position < len(start):
        end = start.find(b"\n", position)
        end = len(start) if end < 0 else end
        name, _, value = start[position:end].decode("utf-8", errors="replace").partition("=")
        position = end + 1
        fields[name.strip()] = value.strip()
        if name.strip() == _LAST_FIELD:
            return fields, position
    raise damaged(path.name, f"its MetaImage header does not name {_LAST_FIELD}")


def _dtype(fields: Mapping[str, str], name: str) -> np.dtype[Any]:
    element = fields.get("ElementType", "")
    if element not in _DTYPES:
        raise damaged(name, f"its voxels have the unknown type {element!r}")
    if fields.get("BinaryData", "True").lower() == "false":
        raise InputError("volume.format", f"{name} keeps its voxels as text, which is not read.", "Save it as binary.")
    is_big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False")).lower() == "true"
    return np.dtype((">" if is_big else "<") + _DTYPES[element])


def _matrix(fields: Mapping[str, str]) -> Matrix:
    """Give index to LPS mm; ``TransformMatrix`` lists the direction of each axis in turn."""

    def numbers(names: tuple[str, ...], default: str) -> list[float]:
        text = next((fields[name] for name in names if name in fields), default)
        return [float(word) for word in text.split()][: len(default.split())]

    directions = np.array(numbers(("TransformMatrix", "Rotation", "Orientation"), "1 0 0 0 1 0 0 0 1"))
    spacing = np.array(numbers(("ElementSpacing", "ElementSize"), "1 1 1"))
    matrix = np.eye(4)
    matrix[:3, :3] = directions.reshape(3, 3).T * spacing
    matrix[:3, 3] = numbers(("Offset", "Position", "Origin"), "0 0 0")
    return matrix
