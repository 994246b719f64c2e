"""The files of a result that was looked at and perhaps corrected: segmentation, labels, masks, DICOM. Ring 5 (report).

Not here: the files of a run that has just ended (``outputs``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.handover import HandedSegment, Handover
from MedSegAILib.core.result import Notice
from MedSegAILib.core.volume import Volume
from MedSegAILib.io.atomic import write_files
from MedSegAILib.io.dicom_seg import dicom_seg
from MedSegAILib.io.dicom_source import read_source
from MedSegAILib.io.nifti import nifti_bytes
from MedSegAILib.io.segmentation_nrrd import Segment, read_terminology_entry, segments_bytes

from .dicom_export import DICOM_FILE, algorithm_of
from .file_names import LABELS_FILE, SEGMENTATION_FILE


def write_handed_over(handed: Handover, folder: Path) -> tuple[tuple[Path, ...], tuple[Notice, ...]]:
    """Write all files of a result, or none.

    Args:
        handed: what to write.
        folder: made when it is not there; files of the same names are replaced.

    Returns:
        The files: the given texts, then ``segmentation.seg.nrrd``, ``labels.nii.gz``, a ``mask-<segment>.nii.gz`` each
        and, where the image came from DICOM, ``segmentation.dcm``; and what a user must know of the latter.

    Raises:
        ResourceError: "output.disk_full", "output.not_writable"; earlier files are untouched then.
    """
    segments = [
        Segment(
            one.id, one.title, one.color, _whole(one, handed.grid.shape_zyx), read_terminology_entry(one.terminology)
        )
        for one in handed.segments
    ]
    labels = np.zeros(handed.grid.shape_zyx, handed.labels.dtype)
    labels[_box(handed.labels_first_zyx, handed.labels.shape)] = handed.labels
    contents = {name: text.encode() for name, text in handed.texts.items()}
    contents[SEGMENTATION_FILE] = segments_bytes(segments, handed.grid)
    contents[LABELS_FILE] = nifti_bytes(Volume(labels, handed.grid))
    for segment in segments:
        contents[f"mask-{plain(segment.id)}.nii.gz"] = nifti_bytes(Volume(segment.mask.astype(np.uint8), handed.grid))
    dicom, notices = _dicom(segments, handed)
    return tuple(write_files(folder, {**contents, **dicom}).values()), notices


def plain(segment_id: str) -> str:
    """Give a segment id as part of a file name; ids of segments made by hand may hold anything."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in segment_id)


def _dicom(segments: list[Segment], handed: Handover) -> tuple[dict[str, bytes], tuple[Notice, ...]]:
    """Make the DICOM segmentation; what stands against it is told, and the other files are written all the same."""
    if not handed.dicom:
        return {}, ()
    try:
        source = read_source(Path(handed.dicom))
        made = dicom_seg(segments, handed.grid, source, algorithm_of(handed.passport, is_edited=handed.is_edited))
    except MedSegAIError as error:
        told = Notice("dicom_seg.not_written", f"No DICOM segmentation was written: {error.message}", error.hint)
        return {}, (told,)
    return {DICOM_FILE: made.content}, made.notices


def _whole(segment: HandedSegment, shape_zyx: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(shape_zyx, bool)
    mask[_box(segment.first_zyx, segment.mask.shape)] = segment.mask
    return mask


def _box(first_zyx: tuple[int, int, int], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(start, start + count) for start, count in zip(first_zyx, shape, strict=True))
