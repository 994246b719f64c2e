"""What a file claims to be, told from its header in milliseconds: for looking through hundreds of studies first.

A header that the full reader would refuse is refused here with the same sentence; voxels are not read, so damage among
them shows only later. Ring 1 (io).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.volume import Grid

from . import nifti, nrrd
from .byte_source import GZIP_MAGIC, first_bytes
from .headers import three_axes, voxel_count
from .read import read_volume

# A gzip stream ends with its unpacked size modulo 2^32 (RFC 1952 section 2.3.1).
_SIZE_FIELD_BYTES = 4


def peek_grid(path: Path) -> Grid | None:
    """Give the grid that a file claims to have.

    Args:
        path: as for ``read_volume``.

    Returns:
        None for DICOM, whose place is known only when all slices are put together.

    Raises:
        InputError: "file.*", "volume.*", "grid.*" or "series.*", as ``read_volume`` would.
    """
    path = Path(path)
    start = b"" if os.path.isdir(path) else first_bytes(path)
    with np.errstate(over="ignore", invalid="ignore"):
        if nifti.can_read(path, start):
            return _nifti(path)
        if nrrd.can_read(path, start):
            return _nrrd(path)
        from . import dicom_series  # loads pydicom, which most batches never need

        if dicom_series.can_read(path, start):
            _look_at_dicom(path)
            return None
        # MetaImage is rare and what is no image at all gets its sentence here: both by the full reader.
        return read_volume(path).grid


def _nifti(path: Path) -> Grid:
    claim = nifti.read_claim(path)
    if not claim.is_pair and _is_cut_off(path, claim.byte_count):
        read_volume(path)  # tells exactly what is wrong, or that nothing is
    return claim.grid


def _nrrd(path: Path) -> Grid:
    header = nrrd.read_header(path)
    sizes = [header.sizes[axis] for axis in range(len(header.sizes)) if axis not in header.list_axes()]
    spread = [header.sizes[axis] for axis in header.list_axes() if header.sizes[axis] > 1]
    axes = three_axes(sizes + spread, path.name)
    if spread or voxel_count(axes) > path.stat().st_size * 1100:
        return read_volume(path).grid
    return nrrd.read_grid(header, axes, path.name)[0]


def _is_cut_off(path: Path, wanted_bytes: int) -> bool:
    """Tell whether the last bytes of a gzip file contradict its header; a plain file was measured already."""
    with path.open("rb") as file:
        if file.read(2) != GZIP_MAGIC:
            return False
        file.seek(-_SIZE_FIELD_BYTES, os.SEEK_END)
        return int.from_bytes(file.read(), "little") != wanted_bytes % 2**32


def _look_at_dicom(path: Path) -> None:
    """Look whether there is one series of pictures; nothing is said of its slices yet."""
    from . import dicom_headers, dicom_series

    files = sorted(child for child in path.iterdir() if child.is_file()) if path.is_dir() else [path]
    series: dict[str, int] = {}
    for file in files:
        if file.name.startswith(".") or not dicom_series.can_read(file, first_bytes(file)):
            continue
        for frame in dicom_headers.read_frames(file):
            series[frame.series_uid] = series.get(frame.series_uid, 0) + 1
    if not series:
        raise InputError(
            "series.no_images",
            f"{path.name} holds no DICOM image.",
            "Choose the folder that holds the DICOM files themselves.",
        )
    if len(series) > 1:
        counts = ", ".join(f"{count} images" for count in series.values())
        raise InputError(
            "series.several",
            f"The folder {path.name} holds {len(series)} series: {counts}.",
            "Give a folder with the one series alone.",
        )
