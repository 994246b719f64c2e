"""A result as a segmentation node: one segment a region, overlapping, named, colored, coded, on the reference's grid.

Each run makes a new node; nodes of people that are in the scene are never touched. The node hangs under the transform
of the reference volume, because the result's geometry is local to it (see ``volumes``). Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from MedSegAILib.core.errors import MedSegAIError, WorkerError
from MedSegAILib.core.filled_box import filled_box
from MedSegAILib.core.labels import Code, Label, LabelScheme, Region
from MedSegAILib.core.result import Passport, Result

from .places import keepDoubt
from .segment_mark import keepMarks
from .volumes import gridFromNode

PASSPORT_ATTRIBUTE = "MedSegAI.Passport"
SCHEME_ATTRIBUTE = "MedSegAI.Scheme"
STATEMENTS_ATTRIBUTE = "MedSegAI.Statements"
# Contexts of Slicer's terminology entries; the codes themselves come from the package.
_CATEGORY_CONTEXT = "Segmentation category and type - DICOM master list"
_REGION_CONTEXT = "Anatomic codes - DICOM master list"

Mask = npt.NDArray[np.bool_]


def showResult(scene: Any, result: Result, referenceNode: Any, name: str = "MedSegAI", node: Any = None) -> Any:
    """Put a result into the scene as a segmentation node.

    Args:
        scene: the MRML scene.
        result: label map on the grid of ``referenceNode``.
        referenceNode: the volume that the result lies on.
        name: name of the node; a number is added where it is taken.
        node: an empty segmentation of the same volume that gets the result; None makes a new one.

    Returns:
        The segmentation node, with a display node, under the reference's transform.

    Raises:
        WorkerError: "scene.grid" when the result does not lie on the volume's grid.
        MedSegAIError: "scene.segment" when Slicer refuses a segment; the node is not left in the scene then.
    """
    node = newSegmentation(scene, referenceNode, name) if node is None else node
    isWhole = False
    try:
        fillWith(node, result, referenceNode)
        node.SetName(scene.GenerateUniqueName(name) if node.GetName() != name else name)
        node.SetAttribute(PASSPORT_ATTRIBUTE, json.dumps(result.passport.to_json(), sort_keys=True))
        node.SetAttribute(STATEMENTS_ATTRIBUTE, json.dumps(statements(result)))
        node.SetAttribute(SCHEME_ATTRIBUTE, json.dumps(result.scheme.to_json(), sort_keys=True))
        keepDoubt(node, result)
        keepMarks(node)
        isWhole = True
    finally:
        if not isWhole:
            scene.RemoveNode(node)
    return node


def newSegmentation(scene: Any, referenceNode: Any, name: str) -> Any:
    """Add an empty segmentation on the grid of a volume, under its transform; a number is added to a taken name."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    node.SetAndObserveTransformNodeID(referenceNode.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(referenceNode)
    return node


def fillWith(node: Any, result: Result, referenceNode: Any) -> None:
    """Add the regions of a result to an empty segmentation of its volume.

    Raises:
        WorkerError: "scene.grid".
        MedSegAIError: "scene.segment".
    """
    if not result.labels.grid.is_same_as(gridFromNode(referenceNode)):
        raise WorkerError(
            "scene.grid",
            "The result does not lie on the grid of its reference volume, or the volume was changed during the run.",
            "Run the segmentation again.",
        )
    part = filled_box(result.labels.array)
    k, j, i = (side.start for side in part)
    labels = result.labels.array[part]  # of a whole head, the regions are a thousandth
    for region in result.scheme.regions:
        mask = result.scheme.mask(labels, region.name)
        _addRegion(node, region, mask, (i, j, k), result.labels.grid.ijk_to_ras)


def statements(result: Result) -> list[str]:
    """Give the sentences that a user must read beside the picture: empty regions first, then the notices."""
    labels = result.labels.array[filled_box(result.labels.array)]
    empty = [
        f"No {region.title[:1].lower()}{region.title[1:]} was found."
        for region in result.scheme.regions
        if not result.scheme.mask(labels, region.name).any()
    ]
    return empty + [f"{notice.message} {notice.hint}".strip() for notice in result.notices]


def readPassport(segmentationNode: Any) -> Passport | None:
    """Give the passport that a node of ours carries; None for any other segmentation."""
    text = segmentationNode.GetAttribute(PASSPORT_ATTRIBUTE)
    return Passport.from_json(json.loads(text)) if text else None


def readScheme(segmentationNode: Any) -> LabelScheme | None:
    """Give the labels and regions of a node of ours; None for any other segmentation."""
    text = segmentationNode.GetAttribute(SCHEME_ATTRIBUTE)
    return LabelScheme.from_json(json.loads(text)) if text else None


def addSegment(node: Any, region: Region | Label) -> str:
    """Add an empty segment with the name, color and code of a region or label, and give its id.

    Raises:
        MedSegAIError: "scene.segment".
    """
    segmentation = node.GetSegmentation()
    segmentId = segmentation.AddEmptySegment(region.name, region.title, region.color)
    segment = segmentation.GetSegment(segmentId)
    if segment is None:
        raise _refused(region)
    segment.SetNameAutoGenerated(False)
    segment.SetColorAutoGenerated(False)
    tag = terminologyTag(region)
    if tag:
        segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), tag)
    return str(segmentId)


def _addRegion(
    node: Any, region: Region, mask: Mask, firstIjk: tuple[int, int, int], ijkToRas: npt.NDArray[np.float64]
) -> None:
    """Add one segment with its voxels; an empty region stays as a named segment that can be painted."""
    segmentId = addSegment(node, region)
    if mask.any():
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        image = orientedBox(mask, ijkToRas, firstIjk)
        if not logic.SetBinaryLabelmapToSegment(image, node, segmentId, logic.MODE_REPLACE):
            raise _refused(region)


def _refused(region: Region | Label) -> MedSegAIError:
    return MedSegAIError(
        "scene.segment",
        f"Slicer did not accept the segment {region.name}.",
        "Save the scene, restart Slicer and run again; please report it if it happens twice.",
    )


def terminologyTag(region: Region | Label) -> str:
    """Give the terminology entry of a region as Slicer serializes it; empty when the package names no code.

    Source: vtkSlicerTerminologiesModuleLogic::SerializeTerminologyEntry: category ~ type ~ type modifier ~ region
        context ~ region ~ region modifier, each code as scheme^value^meaning.
    """
    coded = region.terminology
    if coded is None:
        return ""
    parts = (
        _CATEGORY_CONTEXT,
        _serialize(coded.category),
        _serialize(coded.type),
        _serialize(None),
        _REGION_CONTEXT,
        _serialize(coded.region),
        _serialize(None),
    )
    return "~".join(parts)


def _serialize(code: Code | None) -> str:
    return "^^" if code is None else f"{code.scheme}^{code.value}^{code.meaning}"


def orientedBox(mask: Mask, ijkToRas: npt.NDArray[np.float64], firstIjk: tuple[int, int, int] = (0, 0, 0)) -> Any:
    """Give the smallest box around a mask as a vtkOrientedImageData, in the index space of the whole grid.

    Args:
        mask: ``[z, y, x]``, with at least one voxel.
        ijkToRas: 4x4 of the whole grid.
        firstIjk: index of the first voxel of the mask on the whole grid.

    Only the box crosses: a whole head is 9 million voxels, a tumor a few thousand.
    """
    part = filled_box(mask)
    box = np.ascontiguousarray(mask[part], np.uint8)
    extent = []
    for side, first in zip(part[::-1], firstIjk, strict=True):
        extent += [first + side.start, first + side.stop - 1]
    image = slicer.vtkOrientedImageData()
    image.SetExtent(*extent)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = box.ravel()
    image.SetImageToWorldMatrix(_vtkMatrix(ijkToRas))
    return image


def maskFromSegment(segmentationNode: Any, segmentId: str, volumeNode: Any) -> Mask:
    """Give a segment's voxels on the grid of a volume, ``[z, y, x]``; the way back of :func:`showResult`.

    Args:
        segmentationNode: any segmentation.
        segmentId: one of its segments.
        volumeNode: grid to read on; it may lie under another linear transform than the segmentation.
    """
    grid = gridFromNode(volumeNode, segmentationNode)
    depth, height, width = grid.shape_zyx
    source, wanted, resampled = (slicer.vtkOrientedImageData() for _ in range(3))
    segmentationNode.GetBinaryLabelmapRepresentation(segmentId, source)
    if source.IsEmpty():
        return np.zeros(grid.shape_zyx, bool)
    wanted.SetExtent(0, width - 1, 0, height - 1, 0, depth - 1)
    wanted.SetImageToWorldMatrix(_vtkMatrix(grid.ijk_to_ras))
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        source, wanted, resampled, False, False
    )
    return vtk_to_numpy(resampled.GetPointData().GetScalars()).reshape(grid.shape_zyx) > 0


def _vtkMatrix(matrix: npt.NDArray[np.float64]) -> Any:
    return slicer.util.vtkMatrixFromArray(np.array(matrix))
