"""A mark of a segment's voxels: kept with the scene, it tells later whether anyone has touched the segment.

A result brings one mark a segment (:func:`keepMarks`); a segment without one was made by the user.

Ring 9 (scene); no Qt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .segment_box import boxOf

# A saved grid comes back exact to about 1e-4 mm; the smallest move that a person makes is a voxel.
_SAME_PLACE_MM = 0.01

Mark = dict[str, Any]
MARKS_ATTRIBUTE = "MedSegAI.Marks"


def markOf(segmentationNode: Any, segmentId: str) -> Mark:
    """Give the mark of a segment, JSON-able: checksum of the box that holds its voxels, and where the box begins.

    Args:
        segmentationNode: any segmentation.
        segmentId: one of its segments; an empty one has a mark too.
    """
    box = boxOf(segmentationNode, segmentId)
    if not box.mask.size:
        return {"sha256": "", "first_ras_mm": [0.0, 0.0, 0.0]}
    checksum = hashlib.sha256(repr(box.mask.shape).encode())
    checksum.update(np.packbits(box.mask).tobytes())
    return {"sha256": checksum.hexdigest(), "first_ras_mm": [float(value) for value in box.first_ras_mm]}


def isSameMark(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two marks stand for the same voxels at the same place."""
    if one["sha256"] != other["sha256"]:
        return False
    return bool(np.allclose(one["first_ras_mm"], other["first_ras_mm"], rtol=0.0, atol=_SAME_PLACE_MM))


def keepMarks(segmentationNode: Any) -> None:
    """Remember the voxels of a fresh result, so that an edit is seen later."""
    ids = segmentationNode.GetSegmentation().GetSegmentIDs()
    marks = {segmentId: markOf(segmentationNode, segmentId) for segmentId in ids}
    segmentationNode.SetAttribute(MARKS_ATTRIBUTE, json.dumps(marks, sort_keys=True))


def addMark(segmentationNode: Any, segmentId: str) -> None:
    """Remember the voxels of one more segment as brought by the machine."""
    marks = {**marksOf(segmentationNode), segmentId: markOf(segmentationNode, segmentId)}
    segmentationNode.SetAttribute(MARKS_ATTRIBUTE, json.dumps(marks, sort_keys=True))


def marksOf(segmentationNode: Any) -> dict[str, Mark]:
    """Give the marks of the segments as the result brought them; empty for a segmentation that is not ours."""
    text = segmentationNode.GetAttribute(MARKS_ATTRIBUTE)
    return dict(json.loads(text)) if text else {}


def isTouched(segmentationNode: Any, segmentId: str) -> bool:
    """Tell whether a segment is the user's: made by hand, or changed since the result brought it."""
    mark = marksOf(segmentationNode).get(segmentId)
    return mark is None or not isSameMark(mark, markOf(segmentationNode, segmentId))
