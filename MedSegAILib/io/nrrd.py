"""NRRD and its header: images, and what ``segmentation_nrrd`` needs of it. Attached or detached, raw, gzip, ascii.

Own code instead of ITK's reader, which allocates what a header claims, follows data files out of the folder and
loses the key/value order. Format: teem.sourceforge.net/nrrd/format.html (NRRD0001 to NRRD0005). Ring 1 (io).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import Array, Grid, Matrix, Volume

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

LARGEST_HEADER_BYTES = 4 << 20
_DTYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_DTYPE_OF = {name: dtype for dtype, names in _DTYPES.items() for name in names}
# Space -> signs that bring its axes to RAS. Only these say where the patient's sides are.
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}
_SPATIAL_KINDS = ("domain", "space")
_FIELD = re.compile(r"^([^:=]+): (.*)$")
_VECTOR = re.compile(r"none|\([^)]*\)")
_KEY_VALUE = re.compile(r"^(.*?):=(.*)$")


@dataclass(frozen=True, eq=False)
class NrrdHeader:
    """A parsed header; axes fastest first.

    Args:
        fields: field name in lower case -> text.
        values: key/value pairs in the order of the file, unescaped.
        sizes: voxels along each axis.
        kinds: kind of each axis in lower case; "domain" where none is stated.
        data_offset: first byte after the header.
    """

    fields: Mapping[str, str]
    values: Mapping[str, str]
    sizes: tuple[int, ...]
    kinds: tuple[str, ...]
    data_offset: int

    def list_axes(self) -> tuple[int, ...]:
        """Give the axes that do not lie in space (layers, channels, time)."""
        return tuple(axis for axis, kind in enumerate(self.kinds) if kind not in _SPATIAL_KINDS)


def can_read(path: Path, start: bytes) -> bool:
    """Tell from the first bytes whether this is NRRD."""
    return start.startswith(b"NRRD000")


def read(path: Path) -> ReadVolume:
    """Read a 3D NRRD image.

    Returns:
        Volume ``[z, y, x]`` in the file's own axis order and dtype.

    Raises:
        InputError: "volume.*", "grid.*" or "file.*" with what is wrong.
    """
    header = read_header(path)
    if "Segment0_ID" in header.values and any(header.sizes[axis] > 1 for axis in header.list_axes()):
        raise InputError(
            "labels.layers",
            f"{path.name} is a segmentation with overlapping segments in layers, not a single label map.",
            "Give the label map instead (labels.nii.gz), or export one from Slicer.",
        )
    _refuse_color(header, path.name)
    spatial = [axis for axis in range(len(header.sizes)) if header.kinds[axis] in _SPATIAL_KINDS]
    spread = [size for axis, size in enumerate(header.sizes) if axis not in spatial and size > 1]
    sizes = three_axes([header.sizes[axis] for axis in spatial] + spread, path.name)
    grid, notices = read_grid(header, sizes, path.name)
    array, more = read_voxels(path, header)
    return ReadVolume(Volume(array.reshape(sizes[::-1]), grid, name=path.name), (*notices, *more))


def read_header(path: Path) -> NrrdHeader:
    """Parse the header, touching no voxel.

    Raises:
        InputError: "file.damaged" for a header that contradicts the format; "file.too_short" for one that is cut off.
    """
    with path.open("rb") as file:
        start = file.read(LARGEST_HEADER_BYTES)
    end = re.search(rb"\r?\n\r?\n", start)
    text = start[: end.start()] if end else start
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    for line in text.decode("utf-8", errors="replace").splitlines()[1:]:
        if line.startswith("#") or not line.strip():
            continue
        if field := _FIELD.match(line):
            fields[field[1].strip().lower()] = field[2].strip()
        elif pair := _KEY_VALUE.match(line):
            values[_unescape(pair[1])] = _unescape(pair[2])
    try:
        sizes = tuple(int(word) for word in fields["sizes"].split())
        dimension = int(fields["dimension"])
    except (KeyError, ValueError) as error:
        raise damaged(path.name, "its NRRD header does not state the sizes of its axes") from error
    if dimension != len(sizes):
        raise damaged(path.name, f"its header claims {dimension} axes and states {len(sizes)} sizes")
    kinds = tuple(word.lower() for word in fields.get("kinds", "").split())
    if not kinds or "?" in kinds or "???" in kinds:
        kinds = _kinds_from_directions(fields, dimension)
    if len(kinds) != dimension:
        raise damaged(path.name, f"its header claims {dimension} axes and states {len(kinds)} kinds")
    return NrrdHeader(fields, values, sizes, kinds, end.end() if end else len(start))


def read_grid(header: NrrdHeader, sizes_xyz: tuple[int, int, int], name: str) -> tuple[Grid, tuple[Notice, ...]]:
    """Give the grid of the spatial axes, RAS mm; a notice when the file does not say where the patient's sides are.

    Raises:
        InputError: "grid.matrix", "grid.sheared", "file.damaged".
    """
    try:
        matrix = _matrix(header)
    except (ValueError, IndexError) as error:
        raise damaged(name, "its NRRD header has unreadable space directions") from error
    signs = _SPACES.get(header.fields.get("space", "").lower())
    if signs is not None:
        return checked_grid(sizes_xyz, np.diag([*signs, 1.0]) @ matrix, name), ()
    notice = Notice(
        "volume.no_orientation",
        f"{name} does not say how it lies in the patient; its axes were taken as left, posterior, superior.",
        "Check left and right before you use the result.",
    )
    return checked_grid(sizes_xyz, LPS_TO_RAS @ matrix, name), (notice,)


def read_voxels(path: Path, header: NrrdHeader) -> tuple[Array, tuple[Notice, ...]]:
    """Give the voxels in C order (slowest axis first), native byte order, and notices of the container.

    Raises:
        InputError: "file.*" for data that is missing, outside the folder, too short or damaged.
    """
    name = path.name
    type_name = header.fields.get("type", "").lower()
    if type_name not in _DTYPE_OF:
        raise damaged(name, f"its voxels have the unknown type {type_name!r}")
    dtype = np.dtype(_DTYPE_OF[type_name])
    if dtype.itemsize > 1:
        dtype = dtype.newbyteorder(">" if header.fields.get("endian", "little").lower() == "big" else "<")
    encoding = header.fields.get("encoding", "").lower()
    data, offset = _data_place(path, header)
    count = voxel_count(header.sizes)
    if encoding in ("ascii", "text", "txt"):
        array = _ascii(data, offset, dtype, count, name)
        return array.reshape(header.sizes[::-1]), ()
    if encoding not in ("raw", "gzip", "gz"):
        raise InputError(
            "volume.format",
            f"{name} has the NRRD encoding {encoding!r}, which is not read.",
            "Save it again with encoding raw or gzip.",
        )
    with ByteSource(data, offset, "none" if encoding == "raw" else "gzip") as source:
        source.skip(_byte_skip(header, name))
        raw = source.take(count * dtype.itemsize)
        notices = source.finish()
    array = raw.view(dtype).reshape(header.sizes[::-1])
    return array.astype(dtype.newbyteorder("="), copy=False), notices


def _refuse_color(header: NrrdHeader, name: str) -> None:
    for axis in header.list_axes():
        kind = header.kinds[axis]
        if kind == "complex":
            raise not_gray(name, "complex")
        if header.sizes[axis] > 1 and kind not in ("time", "list", "none"):
            raise not_gray(name, "RGB" if "color" in kind else kind)


def _kinds_from_directions(fields: Mapping[str, str], dimension: int) -> tuple[str, ...]:
    """Take an axis without a direction in space as a list, when the kinds are not stated."""
    words = _VECTOR.findall(fields.get("space directions", ""))
    if len(words) != dimension:
        return ("domain",) * dimension
    return tuple("list" if word == "none" else "domain" for word in words)


def _vectors(text: str) -> list[list[float]]:
    """Give the vectors of a field, "none" left out; ValueError when one is unreadable."""
    return [[float(part) for part in word[1:-1].split(",")] for word in _VECTOR.findall(text) if word != "none"]


def _matrix(header: NrrdHeader) -> Matrix:
    """Give index to the file's own world, 4x4; unit steps where nothing is stated."""
    matrix = np.eye(4)
    directions = _vectors(header.fields.get("space directions", ""))
    if directions:
        matrix[:3, :3] = np.array(directions, dtype=np.float64).T
    elif "spacings" in header.fields:
        words = header.fields["spacings"].split()
        spatial = [float(word) for axis, word in enumerate(words) if header.kinds[axis] in _SPATIAL_KINDS]
        matrix[:3, :3] = np.diag([step if np.isfinite(step) else 1.0 for step in spatial])
    origin = _vectors(header.fields.get("space origin", ""))
    if origin:
        matrix[:3, 3] = origin[0]
    return matrix


def _data_place(path: Path, header: NrrdHeader) -> tuple[Path, int]:
    named = header.fields.get("data file", header.fields.get("datafile"))
    if named is None:
        return path, header.data_offset
    if named.upper().startswith("LIST") or "%" in named:
        raise InputError(
            "volume.format",
            f"{path.name} spreads its voxels over several files, which is not read.",
            "Save it again as one file.",
        )
    return data_file_beside(path, named), 0


def _byte_skip(header: NrrdHeader, name: str) -> int:
    text = header.fields.get("byte skip", header.fields.get("byteskip", "0"))
    if not text.isdigit() or header.fields.get("line skip", header.fields.get("lineskip", "0")) != "0":
        raise damaged(name, "its NRRD header skips lines or counts from the end of the data file, which is not read")
    return int(text)


def _ascii(data: Path, offset: int, dtype: np.dtype[Any], count: int, name: str) -> Array:
    with ByteSource(data, offset, "none") as source:
        if count > source.at_most():  # each value takes a byte at least
            raise InputError(
                "file.too_short",
                f"{name} is incomplete: its header claims {count} values.",
                "Copy the file again from where it came from; it was cut off.",
            )
        words = source.take(source.at_most()).tobytes().split()
    try:
        array = np.array([float(word) for word in words[:count]], dtype=np.float64).astype(dtype.newbyteorder("="))
    except ValueError as error:
        raise damaged(name, "its values are not numbers") from error
    if len(array) < count:
        raise InputError(
            "file.too_short",
            f"{name} is incomplete: its header claims {count} values, {len(array)} are there.",
            "Copy the file again from where it came from; it was cut off.",
        )
    return array


def _unescape(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\\\", "\\")
