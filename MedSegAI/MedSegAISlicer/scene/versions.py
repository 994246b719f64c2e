"""Versions of a result: a re-run makes a new node, the ones before stay as they are; compared and taken by region.

Versions are results of one task on one reference volume, in the order in which they came. Nothing of an earlier
version is changed here. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import slicer.util

from MedSegAILib.core.errors import UsageError

from .family import versionsOf
from .locks import refuseLocked
from .segment_box import SegmentBox, boxOf, together
from .segment_mark import isTouched
from .stage_boxes import showBoxesOf
from .story import tell
from .undo import UndoHistory
from .volumes import frameMatrix


@dataclass(frozen=True)
class RegionChange:
    """What one region gained and lost from one version to another.

    Args:
        segmentId: id of the segment in both.
        before_ml: volume in the earlier version.
        after_ml: volume in the later one.
        gained_ml: volume that only the later one has; None when the grids differ and voxels cannot be compared.
        lost_ml: volume that only the earlier one has; None likewise.
    """

    segmentId: str
    before_ml: float
    after_ml: float
    gained_ml: float | None
    lost_ml: float | None


def nextVersionName(scene: Any, name: str) -> str:
    """Give the name of the next version: "Tumor", then "Tumor (2)"; a number is never given twice while it is there."""
    taken = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene)}
    number = 1
    while _numbered(name, number) in taken:
        number += 1
    return _numbered(name, number)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} ({number})"


def versionBefore(segmentationNode: Any) -> Any:
    """Give the version before; None for the first."""
    versions = versionsOf(segmentationNode)
    index = versions.index(segmentationNode)
    return versions[index - 1] if index > 0 else None


def showOnly(segmentationNode: Any) -> None:
    """Show one version in the views and hide the others; what the nodes hold stays as it is."""
    for node in versionsOf(segmentationNode):
        display = node.GetDisplayNode()
        if display is not None:
            display.SetVisibility(node is segmentationNode)
        showBoxesOf(node, node is segmentationNode)


def compareVersions(earlier: Any, later: Any) -> list[RegionChange]:
    """Compare the regions that both versions have, in the order of the later one."""
    ids = set(earlier.GetSegmentation().GetSegmentIDs())
    changes = []
    for segmentId in later.GetSegmentation().GetSegmentIDs():
        if segmentId not in ids:
            continue
        before, after = boxOf(earlier, segmentId), boxOf(later, segmentId)
        both = together(before, after)
        gained = lost = None
        if both is not None:
            gained = float(np.count_nonzero(both.masks[1] & ~both.masks[0]) * both.voxel_ml)
            lost = float(np.count_nonzero(both.masks[0] & ~both.masks[1]) * both.voxel_ml)
        changes.append(RegionChange(segmentId, _ml(before), _ml(after), gained, lost))
    return changes


def takeRegion(source: Any, target: Any, segmentId: str) -> str:
    """Replace a region of one version by that of another.

    Args:
        source: the version that has the wanted region; it stays as it is.
        target: the version that gets it.
        segmentId: id of the segment, in both.

    Returns:
        Id of the segment that keeps what a person had drawn in the target, hidden; empty when there was nothing of a
        person to keep.

    Raises:
        UsageError: "versions.region" when one of them has no such region; "segment.locked".
    """
    for node in (source, target):
        if node.GetSegmentation().GetSegment(segmentId) is None:
            raise UsageError(
                "versions.region",
                f"One of the two versions has no region {segmentId!r}.",
                "Choose a region that both of them have.",
            )
    refuseLocked(target, segmentId)
    title = target.GetSegmentation().GetSegment(segmentId).GetName()
    with UndoHistory.of(target).entry(f"{title} of {source.GetName()}", target):
        kept = _keepBefore(target, segmentId) if isTouched(target, segmentId) else ""
        copyRegion(source, target, segmentId)
        tell(target, f"taken from {source.GetName()}", segmentId)
    return kept


def isSameRegion(one: Any, other: Any, segmentId: str) -> bool:
    """Tell whether two versions have the same voxels of a region; False when their grids differ."""
    both = together(boxOf(one, segmentId), boxOf(other, segmentId))
    return both is not None and bool(np.array_equal(*both.masks))


def copyRegion(source: Any, target: Any, segmentId: str) -> None:
    """Replace the voxels of a region by those of another version, under whatever transforms the two lie."""
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    image = slicer.vtkOrientedImageData()
    source.GetBinaryLabelmapRepresentation(segmentId, image)
    if image.IsEmpty():
        logic.ClearSegment(target, segmentId)
        return
    matrix = frameMatrix(source, target) @ boxOf(source, segmentId).ijk_to_ras
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(np.array(matrix)))
    logic.SetBinaryLabelmapToSegment(image, target, segmentId, logic.MODE_REPLACE)


def _keepBefore(node: Any, segmentId: str) -> str:
    title = node.GetSegmentation().GetSegment(segmentId).GetName()
    return copyAside(node, segmentId, f"{segmentId}-before", f"{title} (before)")


def copyAside(node: Any, segmentId: str, asideId: str, title: str) -> str:
    """Copy a segment within its node, hidden, under a name that says what it is.

    Returns:
        The id of the copy: ``asideId``, with a number where that is taken.
    """
    segmentation = node.GetSegmentation()
    color = segmentation.GetSegment(segmentId).GetColor()
    copied = segmentation.AddEmptySegment(segmentation.GenerateUniqueSegmentID(asideId), title, color)
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation(segmentId, image)
    if not image.IsEmpty():
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.SetBinaryLabelmapToSegment(image, node, copied, logic.MODE_REPLACE)
    if node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetSegmentVisibility(copied, False)
    return str(copied)


def _ml(box: SegmentBox) -> float:
    return float(np.count_nonzero(box.mask) * box.voxel_ml)
