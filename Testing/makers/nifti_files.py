"""NIfTI files made field by field, sound and faulty ones; our own writer has no part in them."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SHAPE_ZYX = (5, 4, 6)
SPACING_XYZ = (1.0, 1.2, 2.5)
CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "u2": 512}
COMPLEX_CODE, RGB_CODE = 32, 128


def ramp(dtype: str = "i2") -> np.ndarray:
    """Give ``[z, y, x]`` in which every voxel has a value of its own."""
    return np.arange(np.prod(SHAPE_ZYX)).reshape(SHAPE_ZYX).astype(dtype)


def plain_matrix() -> np.ndarray:
    """Give an axis-aligned RAS matrix with an offset."""
    matrix = np.diag([*SPACING_XYZ, 1.0])
    matrix[:3, 3] = (-12, -11, -20)
    return matrix


def nifti_raw(
    array: np.ndarray | None = None,
    *,
    dims: tuple[int, ...] | None = None,
    code: int | None = None,
    forms: tuple[int, int] = (0, 1),
    sform: np.ndarray | None = None,
    quaternion: tuple[float, float, float] = (0.0, 0.0, 0.0),
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
    pixdim: tuple[float, ...] = (1.0, *SPACING_XYZ),
    scale: tuple[float, float] = (0.0, 0.0),
    order: str = "<",
    units: int = 2,
    magic: bytes = b"n+1\0",
) -> bytes:
    """Give the bytes of an uncompressed NIfTI-1 file; ``dims`` and ``code`` may contradict the array."""
    array = ramp() if array is None else array
    dims = array.shape[::-1] if dims is None else dims
    kind = array.dtype.str.lstrip("<>|=")
    header = bytearray(352)
    struct.pack_into(f"{order}i", header, 0, 348)
    struct.pack_into(f"{order}8h", header, 40, *([len(dims), *dims] + [1] * 7)[:8])
    struct.pack_into(f"{order}2h", header, 70, CODES[kind] if code is None else code, array.itemsize * 8)
    struct.pack_into(f"{order}{len(pixdim)}f", header, 76, *pixdim)
    struct.pack_into(f"{order}3f", header, 108, 352.0, *scale)
    header[123] = units
    struct.pack_into(f"{order}2h", header, 252, *forms)
    struct.pack_into(f"{order}6f", header, 256, *quaternion, *offset)
    matrix = plain_matrix() if sform is None else sform
    struct.pack_into(f"{order}12f", header, 280, *matrix[:3].ravel())
    header[344:348] = magic
    return bytes(header) + array.astype(array.dtype.newbyteorder(order)).tobytes()


def nifti2_raw(array: np.ndarray | None = None) -> bytes:
    """Give the bytes of an uncompressed NIfTI-2 file with an sform."""
    array = ramp() if array is None else array
    header = bytearray(544)
    struct.pack_into("<i", header, 0, 540)
    header[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into("<2h", header, 12, CODES[array.dtype.str.lstrip("<>|=")], array.itemsize * 8)
    struct.pack_into("<8q", header, 16, 3, *array.shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<4d", header, 104, 1.0, *SPACING_XYZ)
    struct.pack_into("<q2d", header, 168, 544, 0.0, 0.0)
    struct.pack_into("<2i", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, *plain_matrix()[:3].ravel())
    return bytes(header) + array.tobytes()


def packed(raw: bytes) -> bytes:
    """Give the gzipped bytes."""
    return gzip.compress(raw, 6, mtime=0)


def _claims_30000_cubed() -> bytes:
    return packed(nifti_raw(dims=(30000, 30000, 30000)))


def _sheared() -> np.ndarray:
    matrix = plain_matrix()
    matrix[1, 2] = 1.1
    return matrix


def _singular() -> np.ndarray:
    matrix = plain_matrix()
    matrix[:3, 2] = 0
    return matrix


# Name -> (how the file is made, code of the one error it must give).
FAULTY_NIFTI: dict[str, tuple[Callable[[], bytes], str]] = {
    "2d.nii": (lambda: nifti_raw(ramp()[0]), "volume.not_3d"),
    "4d.nii.gz": (lambda: packed(nifti_raw(np.stack([ramp()] * 3))), "volume.not_3d"),
    "5d.nii": (lambda: nifti_raw(np.stack([ramp()] * 3)[:, None]), "volume.not_3d"),
    "rgb.nii": (lambda: nifti_raw(code=RGB_CODE), "volume.color"),
    "complex.nii": (lambda: nifti_raw(code=COMPLEX_CODE), "volume.complex"),
    "unknown_type.nii": (lambda: nifti_raw(code=1536), "file.damaged"),
    "nine_axes.nii": (lambda: nifti_raw(dims=(9,) * 9), "file.damaged"),
    "negative_dim.nii": (lambda: nifti_raw(dims=(-6, 4, 5)), "volume.empty_axis"),
    "claims_30000_cubed.nii.gz": (_claims_30000_cubed, "file.too_short"),
    "claims_more.nii": (lambda: nifti_raw(dims=(6, 4, 50)), "file.too_short"),
    "truncated.nii.gz": (lambda: packed(nifti_raw())[:100], "file.too_short"),
    "header_only.nii": (lambda: nifti_raw()[:200], "file.too_short"),
    "wrong_checksum.nii.gz": (lambda: packed(nifti_raw())[:-8] + b"\0" * 4 + packed(nifti_raw())[-4:], "file.damaged"),
    "no_checksum.nii.gz": (lambda: packed(nifti_raw())[:-8], "file.too_short"),
    "sheared.nii": (lambda: nifti_raw(sform=_sheared()), "grid.sheared"),
    "singular.nii": (lambda: nifti_raw(sform=_singular()), "grid.matrix"),
    "nan_matrix.nii": (lambda: nifti_raw(sform=np.full((4, 4), np.nan)), "grid.matrix"),
    "zero_pixdim.nii": (lambda: nifti_raw(forms=(1, 0), pixdim=(1.0, 0.0, 0.0, 0.0)), "grid.matrix"),
    "analyze.hdr": (lambda: nifti_raw(magic=b"\0\0\0\0"), "volume.format"),
    "pair_without_data.hdr": (lambda: nifti_raw(magic=b"ni1\0"), "file.data_missing"),
    "empty.nii.gz": (lambda: b"", "file.empty"),
    "text.nii.gz": (lambda: b"this is not an image\n", "file.not_an_image"),
    "packed_text.nii.gz": (lambda: packed(b"this is not an image\n" * 50), "file.not_an_image"),
    "noise_after_magic.nii.gz": (lambda: b"\x1f\x8b" + bytes(range(200)), "file.not_an_image"),
    "picture.png": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(40), "volume.not_3d"),
    "surfer.mgz": (lambda: packed(bytes([0, 0, 0, 1, 0, 0, 0, 3]) + bytes(300)), "volume.format"),
}


def write(path: Path, content: Any) -> Path:
    """Write bytes and give the path."""
    path.write_bytes(content)
    return path
