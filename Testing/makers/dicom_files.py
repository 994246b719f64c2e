"""Small DICOM series made by code: upright, tilted, with gaps, several, multi-frame, without pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import CTImageStorage, EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS, SLICES = 6, 8, 5
PIXEL_MM = (1.5, 1.25)  # between rows, between columns
STEP_MM = 3.0
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def voxels(slices: int = SLICES) -> np.ndarray:
    """Give stored values ``[z, y, x]``, each voxel its own."""
    return np.arange(slices * ROWS * COLUMNS, dtype=np.int16).reshape(slices, ROWS, COLUMNS)


def upright_positions(slices: int = SLICES) -> list[tuple[float, float, float]]:
    """Give the first pixel of each slice of an axial stack, LPS mm."""
    return [(-5.0, 4.0, 10.0 + STEP_MM * k) for k in range(slices)]


def write_series(
    folder: Path,
    *,
    positions: Sequence[tuple[float, float, float]] | None = None,
    array: np.ndarray | None = None,
    directions: tuple[float, ...] = AXIAL,
    scale: tuple[float, float] = (1.0, -1024.0),
    series: str | None = None,
    number: int = 3,
    names: Sequence[str] | None = None,
    **changed: Any,
) -> list[Path]:
    """Write one file a slice; ``changed`` sets or (with None) removes elements of every file."""
    positions = upright_positions() if positions is None else positions
    array = voxels(len(positions)) if array is None else array
    folder.mkdir(parents=True, exist_ok=True)
    series = series or generate_uid(entropy_srcs=[str(number)])
    paths = []
    for k, (position, image) in enumerate(zip(positions, array, strict=True)):
        data = _start(series, number)
        data.ImagePositionPatient = list(position)
        data.ImageOrientationPatient = list(directions)
        data.PixelSpacing = list(PIXEL_MM)
        data.SliceThickness = STEP_MM
        data.RescaleSlope, data.RescaleIntercept = scale
        data.InstanceNumber = k + 1
        _pixels(data, image)
        _change(data, changed)
        path = folder / (names[k] if names else f"IM{k:03d}.dcm")
        data.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def write_head(folder: Path, roles: Sequence[str]) -> None:
    """Write sequences of the phantom head of 2 mm as one folder each; they share study and frame of reference."""
    from .phantoms import make_case

    for number, (role, volume) in enumerate(make_case(roles=tuple(roles)).volumes.items(), 1):
        x, y, z = volume.grid.ijk_to_ras[:3, 3] * (-1, -1, 1)
        write_series(
            folder / role,
            positions=[(x, y, z + 2.0 * k) for k in range(volume.array.shape[0])],
            array=np.rint(volume.array).astype(np.int16),
            scale=(1.0, 0.0),
            number=number,
            Modality="MR",
            SeriesDescription=role,
            PixelSpacing=[2.0, 2.0],
            StudyInstanceUID="1.2.3.1",
            FrameOfReferenceUID="1.2.3.2",
        )


def write_multi_frame(path: Path, *, with_places: bool = True, slopes: Sequence[float] | None = None) -> Path:
    """Write an enhanced MR file; its frames lie in reverse order, so that only positions can sort them."""
    data = _start(generate_uid(entropy_srcs=["multi"]), 6)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = EnhancedMRImageStorage
    data.Modality = "MR"
    data.NumberOfFrames = SLICES
    _pixels(data, voxels()[::-1])
    data.Rows, data.Columns = ROWS, COLUMNS
    if with_places:
        data.SharedFunctionalGroupsSequence = DicomSequence([_shared_group()])
        slopes = slopes or [1.0] * SLICES
        data.PerFrameFunctionalGroupsSequence = DicomSequence(
            [_frame_group(place, slope) for place, slope in zip(upright_positions()[::-1], slopes, strict=True)]
        )
    data.save_as(path, enforce_file_format=True)
    return path


def _start(series: str, number: int) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.PatientName = "MARKED^NAME"
    data.PatientID = "MARKED-ID"
    data.Modality = "CT"
    data.SeriesInstanceUID = series
    data.SeriesNumber = number
    return data


def _pixels(data: Dataset, image: np.ndarray) -> None:
    data.Rows, data.Columns = image.shape[-2:]
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit = 15
    data.PixelRepresentation = 1
    data.PixelData = image.astype("<i2").tobytes()


def _change(data: Dataset, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)


def _shared_group() -> Dataset:
    measures = Dataset()
    measures.PixelSpacing = list(PIXEL_MM)
    measures.SliceThickness = STEP_MM
    plane = Dataset()
    plane.ImageOrientationPatient = list(AXIAL)
    group = Dataset()
    group.PixelMeasuresSequence = DicomSequence([measures])
    group.PlaneOrientationSequence = DicomSequence([plane])
    return group


def _frame_group(position: tuple[float, float, float], slope: float) -> Dataset:
    place, transformation, group = Dataset(), Dataset(), Dataset()
    place.ImagePositionPatient = list(position)
    transformation.RescaleSlope, transformation.RescaleIntercept = slope, 0.0
    transformation.RescaleType = "US"
    group.PlanePositionSequence = DicomSequence([place])
    group.PixelValueTransformationSequence = DicomSequence([transformation])
    return group
