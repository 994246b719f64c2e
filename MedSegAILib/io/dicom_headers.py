"""DICOM headers to frames: where each picture lies, how its values scale, which series it belongs to.

One frame is a single-frame file or one frame of a multi-frame file; both look the same from here on. Reads no
pixels (``dicom_pixels``) and judges no stack (``slice_stack``). No patient data is kept. Ring 1 (io).
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom import config as pydicom_config
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from .headers import damaged

# Objects that lie in a study but are no pictures of it; left aside when a folder is read.
NOT_IMAGES = ("SEG", "SR", "PR", "KO", "RTSTRUCT", "RTPLAN", "RTRECORD", "REG", "DOC", "RWV", "FID", "PLAN")
# What pydicom raises, at reading or only when a value is asked for, when a file is not what it claims to be.
PYDICOM_ERRORS = (
    InvalidDicomError,
    BytesLengthException,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    OSError,
    struct.error,
)
_TAGS = [
    "SOPClassUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality", "Rows", "Columns",
    "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "ImagePositionPatient",
    "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices", "RescaleSlope",
    "RescaleIntercept", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
Vector = tuple[float, ...]


@dataclass(frozen=True)
class Frame:
    """One picture with its place; world is LPS mm as in DICOM PS3.3 section C.7.6.2.1.1.

    Args:
        path: file it is in; ``index`` is its number there, from 0.
        series_uid: SeriesInstanceUID; ``series`` is what messages call the series.
        modality: "CT", "MR", ...
        rows: number of rows; ``columns`` of columns.
        is_gray: one sample a pixel, no palette.
        position_mm: center of the first pixel; None when the file does not say.
        directions: of the row (column index growing), then of the column; None as above.
        spacing_mm: between rows, between columns; None as above.
        thickness_mm: distance to the next slice as stated, 0 when it is not.
        slope: value = slope * stored + intercept.
        is_multi_frame: whether the file states more than one frame.
    """

    path: Path
    index: int
    series_uid: str
    series: str
    modality: str
    rows: int
    columns: int
    is_gray: bool
    position_mm: Vector | None
    directions: Vector | None
    spacing_mm: Vector | None
    thickness_mm: float
    slope: float
    intercept: float
    is_multi_frame: bool

    @property
    def has_place(self) -> bool:
        """Whether position, directions and spacing are all stated."""
        return None not in (self.position_mm, self.directions, self.spacing_mm)


@contextmanager
def lenient() -> Iterator[None]:
    """Keep pydicom from warning about, or refusing, values that we do not use."""
    with warnings.catch_warnings(), pydicom_config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def read_frames(path: Path) -> tuple[Frame, ...]:
    """Give the frames of one DICOM file; none when it is no picture (a report, a segmentation, a plan).

    Raises:
        InputError: "file.damaged" when it is not DICOM or breaks off in the header.
    """
    return read_header(path)[0]


def read_header(path: Path, more: Sequence[str] = ()) -> tuple[tuple[Frame, ...], Dataset]:
    """Give the frames as :func:`read_frames`, and the header itself with the elements ``more`` (PS3.6 keywords)."""
    try:
        with lenient():
            data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*_TAGS, *more], force=True)
            if not data.get("SOPClassUID", "") and "Rows" not in data:
                raise damaged(path.name, "it is no DICOM file")
            return _frames(path, data), data
    except PYDICOM_ERRORS as error:
        raise damaged(path.name, f"its DICOM header is damaged ({type(error).__name__})") from error


def _frames(path: Path, data: Dataset) -> tuple[Frame, ...]:
    if "Rows" not in data or "Columns" not in data or str(data.get("Modality", "")) in NOT_IMAGES:
        return ()
    count = int(data.get("NumberOfFrames", 1) or 1)
    per_frame = list(data.get("PerFrameFunctionalGroupsSequence", []))
    shared = next(iter(data.get("SharedFunctionalGroupsSequence", [])), Dataset())
    if not per_frame:
        return tuple(_frame(path, index, count, data, (data,)) for index in range(count))
    return tuple(_frame(path, index, count, data, (group, shared, data)) for index, group in enumerate(per_frame))


def _frame(path: Path, index: int, count: int, data: Dataset, groups: tuple[Dataset, ...]) -> Frame:
    """Build a frame; each fact is taken from the first group that states it: frame, shared, top level."""

    def fact(sequence: str, name: str) -> Any:
        for group in groups:
            inner = next(iter(group.get(sequence, [])), None) if sequence in group else group
            if inner is not None and inner.get(name) not in (None, ""):
                return inner.get(name)
        return None

    is_gray = int(data.get("SamplesPerPixel", 1) or 1) == 1 and str(
        data.get("PhotometricInterpretation", "MONOCHROME2")
    ).startswith("MONOCHROME")
    slope = fact("PixelValueTransformationSequence", "RescaleSlope")
    intercept = fact("PixelValueTransformationSequence", "RescaleIntercept")
    thickness = data.get("SpacingBetweenSlices") or fact("PixelMeasuresSequence", "SpacingBetweenSlices")
    thickness = thickness or fact("PixelMeasuresSequence", "SliceThickness")
    return Frame(
        path=path,
        index=index,
        series_uid=str(data.get("SeriesInstanceUID", "")),
        series=_series_name(data),
        modality=str(data.get("Modality", "")),
        rows=int(data.Rows),
        columns=int(data.Columns),
        is_gray=is_gray,
        position_mm=_vector(fact("PlanePositionSequence", "ImagePositionPatient"), 3),
        directions=_vector(fact("PlaneOrientationSequence", "ImageOrientationPatient"), 6),
        spacing_mm=_vector(fact("PixelMeasuresSequence", "PixelSpacing"), 2),
        thickness_mm=abs(float(thickness or 0.0)),
        slope=float(1.0 if slope is None else slope),
        intercept=float(0.0 if intercept is None else intercept),
        is_multi_frame=count > 1,
    )


def _series_name(data: Dataset) -> str:
    number, words = data.get("SeriesNumber"), str(data.get("SeriesDescription", "") or "").strip()
    name = "Series" if number in (None, "") else f"Series {number}"
    return f"{name} ({words})" if words else name


def _vector(value: Any, length: int) -> Vector | None:
    if value is None or isinstance(value, str) or len(value) != length:
        return None
    return tuple(float(part) for part in value)
