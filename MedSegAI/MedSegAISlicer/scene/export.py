"""Everything of a result as files: segmentation, labels and masks, volumes, passport, audit. Ring 9 (scene); no Qt.

The files are those of what is in the scene now, edits included; the audit tells them apart. Voxels lie on the grid of
the reference volume, in the frame of its parent, as in the file that the volume came from. Each file is written whole
or not at all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from MedSegAILib.core.errors import UsageError

from .audit import writeAudit
from .files import writeText, writeWhole
from .label_view import labelMasks
from .review import reviewOf
from .segment_box import SegmentBox, boxOf
from .segmentations import readPassport, readScheme

Mask = npt.NDArray[np.bool_]


def exportResult(segmentationNode: Any, folder: Path) -> list[Path]:
    """Write all files of a result; arguments and errors as in :func:`exportSteps`."""
    return [path for paths in exportSteps(segmentationNode, folder) for path in paths]


def exportSteps(segmentationNode: Any, folder: Path) -> Iterator[list[Path]]:
    """Write the files of a result step by step, so that a window may live on between them.

    Args:
        segmentationNode: a result of ours.
        folder: made where it is not there; files of the same names are replaced.

    Yields:
        What was written in a step: ``volumes.csv``, ``passport.json``, ``audit.json`` and ``audit.csv``; then
        ``segmentation.seg.nrrd``, ``labels.nii.gz``, and a ``mask-<region>.nii.gz`` each.

    Raises:
        UsageError: "export.not_ours", "export.grid".
        ResourceError: "output.not_writable"; the files before it stay.
    """
    scheme, passport = readScheme(segmentationNode), readPassport(segmentationNode)
    if scheme is None or passport is None:
        raise UsageError(
            "export.not_ours",
            "This segmentation was not made by a run of ours.",
            "Save it with Slicer (File, Save Data), or choose a result of MedSegAI.",
        )
    reference = referenceBox(segmentationNode)
    masks = {
        segmentId: _onReference(boxOf(segmentationNode, segmentId), reference)
        for segmentId in segmentationNode.GetSegmentation().GetSegmentIDs()
    }
    regions = {region.name: masks[region.name] for region in scheme.regions if region.name in masks}
    labels = np.zeros(reference.mask.shape, np.uint16)
    exclusive = labelMasks(scheme, regions) if regions else {}
    for label in scheme.labels if regions else ():
        labels[exclusive[label.name]] = label.value
    dtype = np.uint8 if labels.max(initial=0) < 256 else np.uint16
    yield [
        writeText(folder / "volumes.csv", _volumes(segmentationNode)),
        writeText(folder / "passport.json", json.dumps(passport.to_json(), indent=1, sort_keys=True) + "\n"),
        *writeAudit(segmentationNode, folder),
    ]
    yield [writeWhole(folder / "segmentation.seg.nrrd", lambda path: _writeSegmentation(segmentationNode, path))]
    yield [_writeNifti(folder / "labels.nii.gz", labels.astype(dtype), reference)]
    for segmentId, mask in masks.items():
        yield [_writeNifti(folder / f"mask-{_plain(segmentId)}.nii.gz", mask.astype(np.uint8), reference)]


def referenceBox(segmentationNode: Any) -> SegmentBox:
    """Give the grid that a segmentation was made for, as a box that is all there; the volume itself may be gone.

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
    return SegmentBox(np.ones(shape, bool), (i0, j0, k0), np.array(slicer.util.arrayFromVTKMatrix(matrix)))


def _onReference(box: SegmentBox, reference: SegmentBox) -> Mask:
    """Give a segment on the whole reference grid; what a person drew outside of it is left out."""
    mask = np.zeros(reference.mask.shape, bool)
    if not box.mask.size:
        return mask
    if not reference.isOnGridOf(box):
        raise _noGrid()
    low = np.array(box.onGridOf(reference)) - reference.first_ijk
    high = low + box.mask.shape[::-1]
    begin, end = np.maximum(low, 0), np.minimum(high, mask.shape[::-1])
    if (begin < end).all():
        whole = tuple(slice(int(a), int(b)) for a, b in zip(begin[::-1], end[::-1], strict=True))
        part = tuple(slice(int(a), int(b)) for a, b in zip((begin - low)[::-1], (end - low)[::-1], strict=True))
        mask[whole] = box.mask[part]
    return mask


def _noGrid() -> UsageError:
    return UsageError(
        "export.grid",
        "The segments do not lie on the grid of the reference volume.",
        "Set it as the source geometry in the Segment Editor, then export again.",
    )


def _writeSegmentation(segmentationNode: Any, path: Path) -> bool:
    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetScene(segmentationNode.GetScene())
    storage.SetFileName(str(path))
    return bool(storage.WriteData(segmentationNode))


def _writeNifti(path: Path, array: npt.NDArray[Any], reference: SegmentBox) -> Path:
    depth, height, width = array.shape
    image = vtk.vtkImageData()
    image.SetDimensions(width, height, depth)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    node = slicer.vtkMRMLLabelMapVolumeNode()
    node.SetAndObserveImageData(image)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.array(reference.ijk_to_ras)))
    origin = reference.ijk_to_ras @ [*reference.first_ijk, 1.0]
    node.SetOrigin(*(float(value) for value in origin[:3]))

    def write(aside: Path) -> bool:
        storage = slicer.vtkMRMLVolumeArchetypeStorageNode()
        storage.SetFileName(str(aside))
        return bool(storage.WriteData(node))

    return writeWhole(path, write)


def _volumes(segmentationNode: Any) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["region", "title", "volume_ml", "state"])
    for line in reviewOf(segmentationNode):
        writer.writerow([line.segmentId, line.title, f"{line.volume_ml:.4f}", line.state])
    return table.getvalue()


def _plain(segmentId: str) -> str:
    """Give a segment id as part of a file name; ids of segments made by hand may hold anything."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in segmentId)
