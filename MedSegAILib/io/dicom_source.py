"""The source series of a DICOM segmentation: looked at before anything is computed, so that a refusal comes first.

Not here: ordering slices (``dicom_series``), writing the object (``dicom_seg``). The headers keep what the standard
wants copied into the new object, patient included; nothing of it is logged or put into a message. Ring 1 (io).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pydicom.valuerep import format_number_as_ds

from MedSegAILib.core.errors import InputError
from MedSegAILib.core.result import Notice

from .byte_source import first_bytes
from .dicom_headers import PYDICOM_ERRORS, Vector, lenient
from .dicom_series import Series, can_read, open_series
from .headers import damaged

# PS3.3 sections C.12.1 (SOP Common), C.7.2.1 (General Study), C.7.3.1 (General Series): Type 1, never empty.
_REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
# PS3.3 sections C.7.1.1 (Patient), C.7.2.1 (General Study), C.7.4.1 (Frame of Reference): Type 2, may be empty.
_MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName", "PositionReferenceIndicator",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Source:
    """A series that a segmentation can refer to.

    Args:
        series: its geometry.
        headers: one dataset a file, without pixels, in the order of the stack.
        notices: what had to be filled in.
    """

    series: Series
    headers: tuple[Dataset, ...]
    notices: tuple[Notice, ...]

    def places(self) -> list[int]:
        """Give for each slice of the stack its place among the files, or among the frames of the one file."""
        frames = self.series.frames
        return [frame.index for frame in frames] if frames[0].is_multi_frame else list(range(len(frames)))


def read_source(path: Path) -> Source:
    """Read the headers of a series and check that a DICOM segmentation can refer to it.

    Args:
        path: a folder with one series, or a file of the series.

    Raises:
        InputError: "dicom_seg.not_dicom"; "dicom_seg.missing_attributes", "dicom_seg.same_instance",
            "dicom_seg.frames_of_reference", "dicom_seg.several_files" with what was found; "series.*" when the files
            are no single even stack (missing slice, mixed orientations, several series); "file.*".
    """
    if not path.is_dir() and not can_read(path, first_bytes(path)):
        raise InputError(
            "dicom_seg.not_dicom",
            f"{path.name} is no DICOM series, so no DICOM segmentation can refer to it.",
            "Give the DICOM folder that the image was made from, or use the .seg.nrrd and NIfTI files.",
        )
    series = open_series(path)
    files = list(dict.fromkeys(frame.path for frame in series.frames))
    if series.frames[0].is_multi_frame and len(files) > 1:
        raise InputError(
            "dicom_seg.several_files",
            f"{series.name} is spread over {len(files)} multi-frame files; a segmentation refers to one.",
            "Give one of the files as the input.",
        )
    headers = [_header(file) for file in files]
    _check_attributes(series.name, headers)
    notices = _frame_of_reference(series.name, headers)
    for header in headers:
        _complete(header, series)
    return Source(series, tuple(headers), notices)


def _header(path: Path) -> Dataset:
    try:
        with lenient():
            return pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except PYDICOM_ERRORS as error:
        raise damaged(path.name, f"its DICOM header is damaged ({type(error).__name__})") from error


def _complete(header: Dataset, series: Series) -> None:
    """State in a header in memory what the writer asks for: empty Type 2 elements, one geometry for all slices."""
    for name in _MAY_BE_EMPTY:
        if name not in header:
            setattr(header, name, "")
    first, stack = series.frames[0], series.stack
    step_mm = round(float(stack.step_mm @ stack.normal), 6)
    measures = header
    if first.is_multi_frame:
        shared = header.SharedFunctionalGroupsSequence[0] if header.get("SharedFunctionalGroupsSequence") else Dataset()
        measures, plane = Dataset(), Dataset()
        measures.SliceThickness = first.thickness_mm or step_mm
        plane.ImageOrientationPatient = _decimals(first.directions)
        shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
        header.SharedFunctionalGroupsSequence = [shared]
    else:
        # Directions of one series may differ in the seventh digit; the writer wants them alike.
        header.ImageOrientationPatient = _decimals(first.directions)
        if header.get("SliceThickness") in (None, ""):
            header.SliceThickness = step_mm
    measures.PixelSpacing = _decimals(first.spacing_mm)
    if len(series.frames) > 1:
        measures.SpacingBetweenSlices = step_mm


def _decimals(values: Vector | None) -> list[str]:
    """Give numbers as DICOM writes them, at most 16 characters each (PS3.5 section 6.2, DS)."""
    return [format_number_as_ds(float(value)) for value in values or ()]


def _check_attributes(name: str, headers: Sequence[Dataset]) -> None:
    missing = [key for key in _REQUIRED if any(header.get(key) in (None, "") for header in headers)]
    if missing:
        raise InputError(
            "dicom_seg.missing_attributes",
            f"{name} lacks what a segmentation must refer to: {', '.join(missing)}.",
            "Export the series again from the archive with its UIDs, or use the .seg.nrrd and NIfTI files.",
            missing=missing,
        )
    instances = [str(header.SOPInstanceUID) for header in headers]
    if len(set(instances)) < len(instances):
        raise InputError(
            "dicom_seg.same_instance",
            f"{name} has {len(instances)} images but {len(set(instances))} instance UIDs, so references are ambiguous.",
            "Export the series again from the archive.",
        )


def _frame_of_reference(name: str, headers: Sequence[Dataset]) -> tuple[Notice, ...]:
    """Check that all slices share one frame of reference; make one, the same for the series, when none is told."""
    told = {str(header.get("FrameOfReferenceUID", "") or "") for header in headers}
    if len(told) > 1:
        raise InputError(
            "dicom_seg.frames_of_reference",
            f"The images of {name} lie in {len(told)} frames of reference; a segmentation has one.",
            "Give a series that was acquired in one go.",
        )
    if told != {""}:
        return ()
    made = generate_uid(entropy_srcs=["MedSegAI frame of reference", str(headers[0].SeriesInstanceUID)])
    for header in headers:
        header.FrameOfReferenceUID = made
    return (
        Notice(
            "dicom_seg.frame_of_reference",
            f"{name} does not tell its frame of reference (removed when it was anonymized); one was made.",
            "Viewers place the segmentation by its references to the images; check that it lies on them.",
        ),
    )
