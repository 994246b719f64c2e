"""NIfTI-1, NIfTI-2, header-and-data pairs, plain or gzipped: reading every case that occurs, writing one clean form.

Own code instead of ITK's reader, which refuses NIfTI-2, trusts the file name about compression and prints to the
terminal. The place in space, and which of the two that a file may hold is taken, is in ``nifti_forms``. Ring 1 (io).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import Array, Grid, Volume

from .byte_source import ByteSource
from .headers import (
    ReadVolume,
    damaged,
    data_file_beside,
    not_gray,
    three_axes,
    voxel_count,
)
from .nifti_forms import Forms, grid_of_forms, qform_of_grid

# NIfTI-1 section "DATATYPE": code -> numpy type; color and complex voxels have codes of their own.
_DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_COLOR_CODES = (128, 2304)
_COMPLEX_CODES = (32, 1792, 2048)
_UNITS_MM = {1: 1000.0, 3: 0.001}  # xyzt_units: 1 meter, 3 micrometer; all else is mm
HEADER_1_BYTES, HEADER_2_BYTES, EXTENSION_FIELD_BYTES = 348, 540, 4
WRITTEN_OFFSET = HEADER_1_BYTES + EXTENSION_FIELD_BYTES
COMPRESSION_LEVEL = 6


@dataclass(frozen=True, eq=False)
class _Header:
    """The fields that matter, the same for both versions."""

    dims: tuple[int, ...]
    dtype_code: int
    byte_order: str
    voxel_offset: int
    slope: float
    intercept: float
    forms: Forms
    is_pair: bool


def can_read(path: Path, start: bytes) -> bool:
    """Tell from the first (unpacked) bytes whether this is NIfTI."""
    return _byte_order(start) is not None


def read(path: Path) -> ReadVolume:
    """Read a NIfTI file; values scaled by slope and intercept, geometry by the rule of ``nifti_forms``.

    Args:
        path: ``.nii``, ``.nii.gz``, or the ``.hdr`` of a pair; the content decides, not the name.

    Returns:
        Volume ``[z, y, x]`` in the file's own axis order, native byte order; its own dtype when not scaled, else
        float32 (float64 for 32-bit integers and wider).

    Raises:
        InputError: "volume.*", "grid.*" or "file.*" with what is wrong.
    """
    with ByteSource(path) as source:
        header, header_bytes = _read_header(source, path.name)
        sizes = three_axes(header.dims, path.name)
        dtype = _dtype(header, path.name)
        grid, notices = grid_of_forms(header.forms, sizes, path.name)
        if header.is_pair:
            data_path = data_file_beside(path, _data_name(path))
            with ByteSource(data_path) as data:
                data.skip(header.voxel_offset)
                array, more = _voxels(data, sizes, dtype)
        else:
            # Voxels of a single file start after the 4 bytes of the extension field at the earliest.
            source.skip(max(header.voxel_offset - header_bytes, EXTENSION_FIELD_BYTES))
            array, more = _voxels(source, sizes, dtype)
    array = _scaled(array, header.slope, header.intercept)
    return ReadVolume(Volume(array, grid, name=path.name), (*notices, *more))


@dataclass(frozen=True, eq=False)
class Claim:
    """What a header says of its file: grid, unpacked bytes of the whole file, whether the voxels lie in another one."""

    grid: Grid
    byte_count: int
    is_pair: bool


def read_claim(path: Path) -> Claim:
    """Read the header alone; refused as by :func:`read`, as far as that shows without unpacking the voxels."""
    with ByteSource(path) as source:
        header, header_bytes = _read_header(source, path.name)
        sizes = three_axes(header.dims, path.name)
        voxel_bytes = voxel_count(sizes) * _dtype(header, path.name).itemsize
        grid, _ = grid_of_forms(header.forms, sizes, path.name)
        start = max(header.voxel_offset, header_bytes + EXTENSION_FIELD_BYTES)
        if header.is_pair:
            data_file_beside(path, _data_name(path))
        else:
            source.skip(start - header_bytes)
            source.require(voxel_bytes)
    return Claim(grid, start + voxel_bytes, header.is_pair)


def nifti_bytes(volume: Volume) -> bytes:
    """Give the volume as the bytes of a ``.nii.gz`` (NIfTI-1), the same bytes every time.

    Both forms are written with code 1 and the same place, so that every program takes the same one. The sform holds
    the matrix as float32; a matrix that came from a NIfTI sform comes back bit by bit.

    Args:
        volume: array ``[z, y, x]`` of a dtype that NIfTI has.
    """
    dtype = volume.array.dtype.newbyteorder("<")
    code = next(code for code, name in _DTYPES.items() if np.dtype(name) == volume.array.dtype.newbyteorder("="))
    header = bytearray(WRITTEN_OFFSET)
    quaternion, offset, pixdim = qform_of_grid(volume.grid)
    struct.pack_into("<i", header, 0, HEADER_1_BYTES)
    struct.pack_into("<8h", header, 40, 3, *volume.array.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, dtype.itemsize * 8)
    struct.pack_into("<8f", header, 76, *pixdim, 1, 0, 0, 0)
    struct.pack_into("<3f", header, 108, WRITTEN_OFFSET, 1.0, 0.0)
    header[123] = 2  # xyzt_units: mm
    struct.pack_into("<2h", header, 252, 1, 1)
    struct.pack_into("<6f", header, 256, *quaternion, *offset)
    struct.pack_into("<12f", header, 280, *volume.grid.ijk_to_ras[:3].ravel())
    header[344:348] = b"n+1\0"
    packer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, 31)
    voxels = np.ascontiguousarray(volume.array, dtype=dtype)
    return packer.compress(bytes(header)) + packer.compress(voxels.tobytes()) + packer.flush()


def _byte_order(start: bytes) -> str | None:
    for order in "<>":
        if len(start) >= 4 and struct.unpack_from(f"{order}i", start)[0] in (HEADER_1_BYTES, HEADER_2_BYTES):
            return order
    return None


def _read_header(source: ByteSource, name: str) -> tuple[_Header, int]:
    start = source.take(HEADER_1_BYTES).tobytes()
    order = _byte_order(start)
    if order is None:
        raise damaged(name, "it is no NIfTI file")
    if struct.unpack_from(f"{order}i", start)[0] == HEADER_2_BYTES:
        start += source.take(HEADER_2_BYTES - HEADER_1_BYTES).tobytes()
        return _header_2(start, order, name), HEADER_2_BYTES
    return _header_1(start, order, name), HEADER_1_BYTES


def _header_1(data: bytes, order: str, name: str) -> _Header:
    magic = data[344:347]
    if magic not in (b"n+1", b"ni1"):
        raise InputError(
            "volume.format",
            f"{name} is an Analyze 7.5 file, which does not say where left and right are.",
            "Convert it to NIfTI with a program that knows its orientation.",
        )

    def field(layout: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + layout, data, offset)

    slope, intercept = field("2f", 112)
    return _Header(
        dims=_dims(field("8h", 40), name),
        dtype_code=field("h", 70)[0],
        byte_order=order,
        voxel_offset=_offset(field("f", 108)[0], name),
        slope=slope,
        intercept=intercept,
        forms=Forms(
            qform_code=field("h", 252)[0],
            sform_code=field("h", 254)[0],
            pixdim=field("4f", 76),
            quaternion=field("3f", 256),
            offset_xyz=field("3f", 268),
            sform_rows=field("12f", 280),
            unit_mm=_UNITS_MM.get(data[123] & 7, 1.0),
        ),
        is_pair=magic == b"ni1",
    )


def _header_2(data: bytes, order: str, name: str) -> _Header:
    def field(layout: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from(order + layout, data, offset)

    slope, intercept = field("2d", 176)
    return _Header(
        dims=_dims(field("8q", 16), name),
        dtype_code=field("h", 12)[0],
        byte_order=order,
        voxel_offset=_offset(field("q", 168)[0], name),
        slope=slope,
        intercept=intercept,
        forms=Forms(
            qform_code=field("i", 344)[0],
            sform_code=field("i", 348)[0],
            pixdim=field("4d", 104),
            quaternion=field("3d", 352),
            offset_xyz=field("3d", 376),
            sform_rows=field("12d", 400),
            unit_mm=_UNITS_MM.get(field("i", 500)[0] & 7, 1.0),
        ),
        is_pair=data[4:7] == b"ni2",
    )


def _dims(raw: tuple[int, ...], name: str) -> tuple[int, ...]:
    if not 1 <= raw[0] <= 7:
        raise damaged(name, f"its header claims {raw[0]} axes, 1 to 7 are possible")
    return raw[1 : raw[0] + 1]


def _offset(raw: float, name: str) -> int:
    if not np.isfinite(raw) or not 0 <= raw < 2**40:
        raise damaged(name, f"its header claims that the voxels start at byte {raw}")
    return int(raw)


def _dtype(header: _Header, name: str) -> np.dtype[Any]:
    if header.dtype_code in _COLOR_CODES:
        raise not_gray(name, "RGB")
    if header.dtype_code in _COMPLEX_CODES:
        raise not_gray(name, "complex")
    if header.dtype_code not in _DTYPES:
        raise damaged(name, f"its voxels have the unknown type {header.dtype_code}")
    return np.dtype(header.byte_order + _DTYPES[header.dtype_code])


def _data_name(path: Path) -> str:
    """Give the name of the data file of a pair: ``.img`` for ``.hdr``, packed or not."""
    stem = path.name[: -len(".gz")] if path.name.lower().endswith(".gz") else path.name
    name = Path(stem).with_suffix(".img").name
    return name + ".gz" if (path.parent / f"{name}.gz").exists() else name


def _voxels(source: ByteSource, sizes: tuple[int, int, int], dtype: np.dtype[Any]) -> tuple[Array, tuple[Notice, ...]]:
    raw = source.take(voxel_count(sizes) * dtype.itemsize)
    notices = source.finish()
    array: Array = raw.view(dtype).reshape(sizes[::-1])
    return array.astype(dtype.newbyteorder("="), copy=False), notices


def _scaled(array: Array, slope: float, intercept: float) -> Array:
    """Apply slope and intercept; a slope of 0 or NaN means "not scaled" (NIfTI-1, scl_slope)."""
    if not np.isfinite(slope) or not np.isfinite(intercept) or slope == 0 or (slope == 1 and intercept == 0):
        return array
    precise = array.dtype.itemsize > 4 or (array.dtype.kind in "iu" and array.dtype.itemsize == 4)
    kind: Any = np.float64 if precise else np.float32
    scaled: Array = array.astype(kind)
    scaled *= kind(slope)
    scaled += kind(intercept)
    return scaled
