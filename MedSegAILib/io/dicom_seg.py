"""DICOM segmentation objects (SEG): written from segments on the voxels of a DICOM series.

Each segment is a binary one of its own, so nested regions stay whole. What a series must have is checked in
``dicom_source``. Not here: reading SEG objects. Source: PS3.3 section A.51 (Segmentation IOD), C.8.20. Ring 1 (io).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.errors import InputError, SetupError
from MedSegAILib.core.labels import Code
from MedSegAILib.core.result import RESEARCH_USE, Notice
from MedSegAILib.core.volume import SAME_GRID_TOLERANCE_MM, Grid
from MedSegAILib.version import VERSION

from .dicom_headers import lenient
from .dicom_source import Source
from .segmentation_nrrd import Mask, Segment
from .slice_stack import lean

MANUFACTURER = "MedSegAI"
# A person looks for the segmentation beside its images: series 3 gets series 1003.
SERIES_NUMBER_OFFSET = 1000
LONGEST_LABEL = 64  # characters of a DICOM LO
# What Slicer gives a structure that nobody coded.
_UNCODED = Code("SCT", "85756007", "Tissue")


@dataclass(frozen=True)
class Algorithm:
    """What made the segments (PS3.3 section 10.16, Algorithm Identification).

    Args:
        name: for example "MedSegAI brain-tumor".
        version: of the package.
        parameters: name to value, short texts.
        is_edited: whether a person may have changed the segments; they are "semi-automatic" then.
    """

    name: str
    version: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_edited: bool = False


@dataclass(frozen=True, eq=False)
class DicomSeg:
    """A DICOM file in memory.

    Args:
        content: its bytes.
        segments: ids of the segments that are in it.
        notices: what was left out or changed.
    """

    content: bytes
    segments: tuple[str, ...]
    notices: tuple[Notice, ...]


def check_writer() -> None:
    """Check that the library that writes the objects is there.

    Raises:
        SetupError: "setup.highdicom_missing".
    """
    try:
        import highdicom  # noqa: F401 - 1 s to load; only asked for when an object is written
    except ImportError as error:
        raise SetupError(
            "setup.highdicom_missing",
            "DICOM segmentations need the library highdicom, which is not installed.",
            "Install it: pip install medsegai[dicom]; it is also in an offline bundle made with wheels.",
        ) from error


def dicom_seg(segments: Sequence[Segment], grid: Grid, source: Source, algorithm: Algorithm) -> DicomSeg:
    """Write segments as a DICOM segmentation that refers to a series.

    Args:
        segments: masks ``[z, y, x]`` on ``grid``; empty ones are left out and told.
        grid: voxels of the series in any axis order, all of them or a box.
        source: the series, from ``read_source``.
        algorithm: what made them.

    Returns:
        The file, and what a user must know of it.

    Raises:
        InputError: "dicom_seg.other_grid" when the masks lie on other voxels; "dicom_seg.empty" when no segment has a
            voxel; "dicom_seg.source_header" when the series has header values that cannot be copied.
        SetupError: "setup.highdicom_missing".
    """
    check_writer()
    filled = [segment for segment in segments if segment.mask.any()]
    if not filled:
        raise InputError(
            "dicom_seg.empty",
            "No segment has a voxel, and a DICOM segmentation cannot be empty.",
            "Report the finding in words; the other files say it with a volume of 0 mL.",
        )
    frames = _frames(filled, grid, source)
    with lenient():
        try:
            data = _build(frames, filled, source, algorithm)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
            raise InputError(
                "dicom_seg.source_header",
                f"The headers of {source.series.name} cannot be referred to ({type(error).__name__}).",
                "Export the series again from the archive, or use the .seg.nrrd and NIfTI files.",
                reason=str(error),
            ) from error
        buffer = BytesIO()
        data.save_as(buffer)
    notices = [*source.notices, *(_left_out(segment) for segment in segments if segment not in filled)]
    if source.series.stack.leans():
        notices.append(_tilted(source))
    return DicomSeg(buffer.getvalue(), tuple(segment.id for segment in filled), tuple(notices))


def _frames(segments: Sequence[Segment], grid: Grid, source: Source) -> npt.NDArray[np.uint8]:
    """Give ``[frame, row, column, segment]`` in the order of the source's files or frames."""
    series = source.series
    first = series.frames[0]
    shape = (len(series.frames), first.rows, first.columns)
    places = source.places()
    frames = np.zeros((*shape, len(segments)), np.uint8)
    for number, segment in enumerate(segments):
        mask = _on_grid(segment.mask, grid, series.grid, series.name)
        frames[places, ..., number] = lean(mask, series.stack, shape) if series.stack.leans() else mask
    return frames


def _on_grid(mask: Mask, grid: Grid, wanted: Grid, name: str) -> Mask:
    """Bring a mask to the axis order of another grid on the same lattice; never resampled, nothing lost."""
    if grid.is_same_as(wanted):
        return mask
    step = np.linalg.inv(wanted.ijk_to_ras) @ grid.ijk_to_ras
    whole = np.rint(step)
    corners = np.linalg.inv(grid.ijk_to_ras)[:3, :3] @ grid.corners_ras_mm()
    corners += np.linalg.inv(grid.ijk_to_ras)[:3, 3:]
    off_mm = np.abs(wanted.ijk_to_ras[:3] @ (step - whole) @ np.vstack([corners, np.ones(corners.shape[1])])).max()
    turns = np.abs(whole[:3, :3])
    found = np.argwhere(mask)[:, ::-1] @ whole[:3, :3].T + whole[:3, 3]
    inside = bool(((found >= 0) & (found < wanted.shape_zyx[::-1])).all())
    if off_mm > SAME_GRID_TOLERANCE_MM or (turns.sum(0) != 1).any() or (turns.sum(1) != 1).any() or not inside:
        raise InputError(
            "dicom_seg.other_grid",
            f"The segments do not lie on the voxels of {name} ({_size(grid)} against {_size(wanted)},"
            " or at another place).",
            "Give the series that was the reference of the run.",
        )
    moved = np.zeros(wanted.shape_zyx, bool)
    moved[tuple(found[:, ::-1].astype(int).T)] = True
    return moved


def _build(frames: npt.NDArray[np.uint8], segments: Sequence[Segment], source: Source, algorithm: Algorithm) -> Any:
    import highdicom
    from highdicom.seg import Segmentation, SegmentationTypeValues

    first = source.headers[0]
    number = int(first.get("SeriesNumber") or 0)
    return Segmentation(
        source_images=list(source.headers),
        pixel_array=frames,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_describe(place, segment, algorithm) for place, segment in enumerate(segments, 1)],
        series_instance_uid=highdicom.UID(),
        series_number=SERIES_NUMBER_OFFSET + number,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=algorithm.name,
        software_versions=VERSION,
        device_serial_number=algorithm.version,
        content_label="SEGMENTATION",
        content_description=RESEARCH_USE,
        series_description=f"{algorithm.name} (research use)"[:LONGEST_LABEL],
    )


def _describe(number: int, segment: Segment, algorithm: Algorithm) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
    from highdicom.sr import CodedConcept
    from pydicom.sr.codedict import codes

    def coded(code: Code) -> Any:
        return CodedConcept(code.value, code.scheme, code.meaning)

    terms = segment.terminology
    kind = SegmentAlgorithmTypeValues.SEMIAUTOMATIC if algorithm.is_edited else SegmentAlgorithmTypeValues.AUTOMATIC
    return SegmentDescription(
        segment_number=number,
        segment_label=segment.name[:LONGEST_LABEL],
        segmented_property_category=coded(terms.category if terms else _UNCODED),
        segmented_property_type=coded(terms.type if terms else _UNCODED),
        anatomic_regions=[coded(terms.region)] if terms and terms.region else None,
        algorithm_type=kind,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=algorithm.name,
            family=codes.cid7162.ArtificialIntelligence,
            version=algorithm.version,
            source=MANUFACTURER,
            parameters=dict(algorithm.parameters) or None,
        ),
        tracking_id=segment.id[:LONGEST_LABEL],
        tracking_uid=_fresh_uid(),
        display_color=CIELabColor.from_rgb(*(255.0 * part for part in segment.color)),
    )


def _fresh_uid() -> Any:
    from highdicom import UID

    return UID()


def _left_out(segment: Segment) -> Notice:
    return Notice(
        "dicom_seg.empty_segment",
        f"{segment.name} has no voxel and is not in the DICOM segmentation, which cannot hold empty segments.",
        "Its volume of 0 mL stands in the other files.",
    )


def _tilted(source: Source) -> Notice:
    return Notice(
        "dicom_seg.gantry_tilt",
        f"{source.series.name} is tilted by {source.series.stack.tilt_degrees():.1f} degrees; the result was put back"
        " on the original slices, each pixel from its nearest voxel.",
        "Outlines may differ by half a pixel from those on the upright volume.",
    )


def _size(grid: Grid) -> str:
    return " x ".join(str(count) for count in grid.shape_zyx[::-1])
