"""A result out of the scene, edits included, as what the worker writes to files. Ring 9 (scene); no Qt.

Voxels lie on the grid of the reference volume, in the frame of its parent, as in the file that the volume came from.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.handover import HandedSegment, Handover
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.volume import Grid

from .audit import auditTexts
from .label_view import labelMasks
from .review import RegionReview, reviewOf
from .segment_box import SegmentBox, boxOf, together
from .segment_mark import isTouched
from .segment_state import tagOf
from .segmentations import readPassport, readScheme
from .statistics import regionStatistics, statisticsText

Mask = npt.NDArray[np.bool_]
Gathering = Generator[None, None, Handover]


def gathering(segmentationNode: Any) -> Gathering:
    """Gather a result step by step, each a few hundredths of a second, so that a window may live on between them.

    Args:
        segmentationNode: a result of ours.

    Returns:
        A generator that gives nothing at each step, and the :class:`Handover` at its end.

    Raises:
        UsageError: "export.not_ours", "export.grid".
    """
    scheme, passport = readScheme(segmentationNode), readPassport(segmentationNode)
    if scheme is None or passport is None:
        raise UsageError(
            "export.not_ours",
            "This segmentation was not made by a run of ours.",
            "Save it with Slicer (File, Save Data), or choose a result of MedSegAI.",
        )
    reference = referenceBox(segmentationNode)
    boxes: dict[str, SegmentBox] = {}
    for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs():
        boxes[segmentId] = _onReference(boxOf(segmentationNode, segmentId), reference)
        yield
    labels, first = _labels(scheme, boxes)
    yield
    lines = reviewOf(segmentationNode)
    texts = {"volumes.csv": _volumes(lines), "passport.json": _json(passport.to_json())}
    yield
    texts.update(auditTexts(segmentationNode, lines))
    yield
    numbers = []
    for found in regionStatistics(segmentationNode):
        numbers.append(found)
        yield
    texts["statistics.csv"] = statisticsText(numbers)
    isEdited = any(isTouched(segmentationNode, segmentId) for segmentId in boxes)
    return Handover(
        _grid(reference),
        tuple(_handed(segmentationNode, segmentId, box) for segmentId, box in boxes.items()),
        labels,
        first,
        passport.to_json(),
        texts,
        dicomFile(segmentationNode),
        isEdited,
    )


def referenceBox(segmentationNode: Any) -> SegmentBox:
    """Give the grid that a segmentation was made for: an empty box at its first voxel, and its shape.

    Raises:
        UsageError: "export.grid" when the node does not tell it.
    """
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    text = segmentationNode.GetSegmentation().GetConversionParameter(name)
    image = slicer.vtkOrientedImageData()
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False):
        raise _noGrid()
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    shape = (k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1)
    whole = np.broadcast_to(np.True_, shape)  # all of it, in one byte
    return SegmentBox(whole, (i0, j0, k0), np.array(slicer.util.arrayFromVTKMatrix(matrix)))


def dicomFile(segmentationNode: Any) -> str:
    """Give a file of the DICOM series that the reference volume was made from; empty when it was none."""
    volume = segmentationNode.GetNodeReference(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())
    if volume is None:
        return ""
    uids = (volume.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if uids and database is not None:
        return str(database.fileForInstance(uids[0]) or "")
    storage = volume.GetStorageNode()
    return str(storage.GetFileName() or "") if storage is not None and _looksLikeDicom(storage) else ""


def _looksLikeDicom(storage: Any) -> bool:
    """Tell whether a volume was read from a stack of files that no image format names."""
    name = str(storage.GetFileName() or "").lower()
    return name.endswith((".dcm", ".ima")) or (storage.GetNumberOfFileNames() > 1 and "." not in name.rsplit("/")[-1])


def _onReference(box: SegmentBox, reference: SegmentBox) -> SegmentBox:
    """Give a segment by indices of the reference grid; what a person drew outside of it is left out."""
    if not box.mask.size:
        return SegmentBox(np.zeros((0, 0, 0), bool), (0, 0, 0), reference.ijk_to_ras)
    if not reference.isOnGridOf(box):
        raise _noGrid()
    low = np.array(box.onGridOf(reference)) - reference.first_ijk
    begin = np.maximum(low, 0)
    end = np.minimum(low + box.mask.shape[::-1], reference.mask.shape[::-1])
    if not (begin < end).all():
        return SegmentBox(np.zeros((0, 0, 0), bool), (0, 0, 0), reference.ijk_to_ras)
    part = tuple(slice(int(a), int(b)) for a, b in zip((begin - low)[::-1], (end - low)[::-1], strict=True))
    i, j, k = (int(value) for value in begin)
    return SegmentBox(box.mask[part], (i, j, k), reference.ijk_to_ras)


def _labels(scheme: LabelScheme, boxes: Mapping[str, SegmentBox]) -> tuple[npt.NDArray[Any], tuple[int, int, int]]:
    names = [region.name for region in scheme.regions if region.name in boxes]
    place = together(*(boxes[name] for name in names)) if names else None
    dtype = np.uint8 if max((label.value for label in scheme.labels), default=0) < 256 else np.uint16
    if place is None:
        return np.zeros((0, 0, 0), dtype), (0, 0, 0)
    exclusive = labelMasks(scheme, dict(zip(names, place.masks, strict=True)))
    labels = np.zeros(place.masks[0].shape, dtype)
    for label in scheme.labels:
        labels[exclusive[label.name]] = label.value
    i, j, k = place.first_ijk
    return labels, (k, j, i)


def _grid(reference: SegmentBox) -> Grid:
    """Give the reference grid with its first voxel at index 0."""
    matrix = reference.ijk_to_ras.copy()
    matrix[:3, 3] = (reference.ijk_to_ras @ [*reference.first_ijk, 1.0])[:3]
    depth, height, width = reference.mask.shape
    return Grid((depth, height, width), matrix)


def _handed(segmentationNode: Any, segmentId: str, box: SegmentBox) -> HandedSegment:
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    red, green, blue = segment.GetColor()
    i, j, k = box.first_ijk
    return HandedSegment(
        segmentId,
        segment.GetName(),
        (red, green, blue),
        box.mask,
        (k, j, i),
        tagOf(segment, slicer.vtkSegment.GetTerminologyEntryTagName()),
    )


def _noGrid() -> UsageError:
    return UsageError(
        "export.grid",
        "The segments do not lie on the grid of the reference volume.",
        "Set it as the source geometry in the Segment Editor, then export again.",
    )


def _volumes(lines: list[RegionReview]) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["region", "title", "volume_ml", "state"])
    for line in lines:
        writer.writerow([line.segmentId, line.title, f"{line.volume_ml:.4f}", line.state])
    return table.getvalue()


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, sort_keys=True) + "\n"
