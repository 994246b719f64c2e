"""A segment as it is at one moment, and what changed between two moments: small, and put back to the voxel.

Kept are the packed bits of the box that holds the segment, and of a change only the box in which something differs.
Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import slicer
import vtk

from MedSegAILib.core.filled_box import filled_box

from .segment_box import SegmentBox, boxOf, putMask, together

LOCK_TAG = "MedSegAI.Locked"


@dataclass(frozen=True, eq=False)
class Packed:
    """The voxels of a box, eight to a byte.

    Args:
        shape_zyx: of the box.
        first_ijk: index of its first voxel on the grid.
        ijk_to_ras: 4x4 of the grid, in the frame of the node's parent.
        bits: the mask, packed in the order of its voxels.
    """

    shape_zyx: tuple[int, ...]
    first_ijk: tuple[int, int, int]
    ijk_to_ras: npt.NDArray[np.float64]
    bits: bytes

    @staticmethod
    def of(box: SegmentBox) -> Packed:
        """Pack a box."""
        return Packed(box.mask.shape, box.first_ijk, box.ijk_to_ras, np.packbits(box.mask).tobytes())

    def box(self) -> SegmentBox:
        """Give the box again."""
        count = int(np.prod(self.shape_zyx))
        flat = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=count).astype(bool)
        return SegmentBox(flat.reshape(self.shape_zyx), self.first_ijk, self.ijk_to_ras)

    def isSame(self, other: Packed) -> bool:
        """Whether both hold the same voxels at the same place of the same grid."""
        return (
            self.shape_zyx == other.shape_zyx
            and self.first_ijk == other.first_ijk
            and self.bits == other.bits
            and np.array_equal(self.ijk_to_ras, other.ijk_to_ras)
        )


@dataclass(frozen=True, eq=False)
class SegmentState:
    """A segment at one moment.

    Args:
        voxels: the box that holds it.
        tags: those that people change with a click, by name: Slicer's status, our lock.
        face: a vtkSegment with its name, color and tags, without voxels.
        index: its place in the node.
        isShown: whether the views show it.
        stamp: changes with the voxels; None when that cannot be told.
    """

    voxels: Packed
    tags: Mapping[str, str]
    face: Any
    index: int
    isShown: bool
    stamp: int | None


@dataclass(frozen=True, eq=False)
class SegmentChange:
    """What became of one segment; ``None`` before: it was added, ``None`` after: it was removed.

    Args:
        segmentId: id of the segment.
        title: its name for people.
        before: it as it was.
        after: it as it became.
        isWhole: whether the voxels of the two are the whole segment, or only the box in which they differ.
        gained_ml: volume that it gained.
        lost_ml: volume that it lost.
    """

    segmentId: str
    title: str
    before: SegmentState | None = field(repr=False)
    after: SegmentState | None = field(repr=False)
    isWhole: bool = True
    gained_ml: float = 0.0
    lost_ml: float = 0.0

    @property
    def byteCount(self) -> int:
        """Bytes that its voxels take."""
        return sum(len(state.voxels.bits) for state in (self.before, self.after) if state is not None)


def statesOf(node: Any, known: Mapping[str, SegmentState]) -> dict[str, SegmentState]:
    """Give the segments of a node as they are now.

    Args:
        node: a segmentation.
        known: states of an earlier look; voxels that have not been touched since are taken from there.
    """
    ids = node.GetSegmentation().GetSegmentIDs()
    return {segmentId: _state(node, segmentId, index, known.get(segmentId)) for index, segmentId in enumerate(ids)}


def changesBetween(before: Mapping[str, SegmentState], after: Mapping[str, SegmentState]) -> tuple[SegmentChange, ...]:
    """Give what differs between two looks at a node, removed segments first, then in the order of the later look."""
    gone = [_change(name, before[name], None) for name in before if name not in after]
    found = [_change(name, before.get(name), state) for name, state in after.items()]
    return tuple(change for change in [*gone, *found] if change is not None)


def putState(node: Any, change: SegmentChange, *, isBack: bool) -> None:
    """Bring a segment to one side of a change: voxels, tags, and whether it is there at all.

    Args:
        node: the segmentation.
        change: what to undo or do again.
        isBack: True for how it was before, False for how it became.
    """
    wanted, segmentation = change.before if isBack else change.after, node.GetSegmentation()
    if wanted is None:
        segmentation.RemoveSegment(change.segmentId)
        return
    if segmentation.GetSegment(change.segmentId) is None:
        _addAgain(node, change.segmentId, wanted)
    _putVoxels(node, change.segmentId, wanted.voxels.box(), isWhole=change.isWhole)
    segment = segmentation.GetSegment(change.segmentId)
    for name in _tagNames():
        if wanted.tags[name]:
            segment.SetTag(name, wanted.tags[name])
        else:
            segment.RemoveTag(name)


def tagOf(segment: Any, name: str) -> str:
    """Give a tag of a segment; empty when it has none."""
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else ""


def _tagNames() -> tuple[str, str]:
    return slicer.vtkSlicerSegmentationsModuleLogic.GetStatusTagName(), LOCK_TAG


def _state(node: Any, segmentId: str, index: int, known: SegmentState | None) -> SegmentState:
    segmentation = node.GetSegmentation()
    segment = segmentation.GetSegment(segmentId)
    image = segment.GetRepresentation(segmentation.GetSourceRepresentationName())
    stamp = int(image.GetMTime()) if image is not None else None
    isKnown = known is not None and stamp is not None and known.stamp == stamp
    voxels = known.voxels if known is not None and isKnown else Packed.of(boxOf(node, segmentId))
    face = slicer.vtkSegment()
    face.DeepCopyMetadata(segment)
    display = node.GetDisplayNode()
    isShown = display is None or bool(display.GetSegmentVisibility(segmentId))
    return SegmentState(voxels, {name: tagOf(segment, name) for name in _tagNames()}, face, index, isShown, stamp)


def _change(segmentId: str, before: SegmentState | None, after: SegmentState | None) -> SegmentChange | None:
    state = after or before
    if state is None:
        return None
    title = state.face.GetName()
    if before is None or after is None:
        box = state.voxels.box()
        volumeMl = float(np.count_nonzero(box.mask) * box.voxel_ml)
        gained, lost = (volumeMl, 0.0) if before is None else (0.0, volumeMl)
        return SegmentChange(segmentId, title, before, after, gained_ml=gained, lost_ml=lost)
    if before.voxels.isSame(after.voxels):
        if before.tags == after.tags:
            return None
        nothing = Packed((0, 0, 0), (0, 0, 0), after.voxels.ijk_to_ras, b"")
        return SegmentChange(segmentId, title, _with(before, nothing), _with(after, nothing), isWhole=False)
    return _voxelChange(segmentId, title, before, after)


def _voxelChange(segmentId: str, title: str, before: SegmentState, after: SegmentState) -> SegmentChange:
    both = together(before.voxels.box(), after.voxels.box())
    if both is None:  # someone gave the segment another grid: there is no common box, so all of it is kept
        return SegmentChange(segmentId, title, before, after)
    old, new = both.masks
    part = filled_box(old ^ new)
    if not part[0].stop:  # the grid was written anew, the voxels are the same
        return SegmentChange(segmentId, title, before, after)
    k, j, i = (side.start for side in part)
    first = (both.first_ijk[0] + i, both.first_ijk[1] + j, both.first_ijk[2] + k)
    was, became = (Packed.of(SegmentBox(mask[part], first, both.ijk_to_ras)) for mask in (old, new))
    return SegmentChange(
        segmentId,
        title,
        _with(before, was),
        _with(after, became),
        isWhole=False,
        gained_ml=float(np.count_nonzero(new & ~old) * both.voxel_ml),
        lost_ml=float(np.count_nonzero(old & ~new) * both.voxel_ml),
    )


def _with(state: SegmentState, voxels: Packed) -> SegmentState:
    return SegmentState(voxels, state.tags, state.face, state.index, state.isShown, state.stamp)


def _putVoxels(node: Any, segmentId: str, box: SegmentBox, *, isWhole: bool) -> None:
    if isWhole:
        place = together(box)
        if place is not None:
            putMask(node, segmentId, place.masks[0], place)
        return
    if not box.mask.size:
        return
    area = SegmentBox(np.ones(box.mask.shape, bool), box.first_ijk, box.ijk_to_ras)
    place = together(area, boxOf(node, segmentId))
    if place is None:  # the grid was changed by someone else meanwhile
        return
    inside, mask = place.masks
    mask[inside] = box.mask.ravel()
    putMask(node, segmentId, mask, place)


def _addAgain(node: Any, segmentId: str, state: SegmentState) -> None:
    segmentation = node.GetSegmentation()
    segmentation.AddEmptySegment(segmentId, state.face.GetName(), state.face.GetColor())
    segment = segmentation.GetSegment(segmentId)
    labelValue = segment.GetLabelValue()  # of the layer that it now shares with others
    segment.DeepCopyMetadata(state.face)
    segment.SetLabelValue(labelValue)
    segmentation.SetSegmentIndex(segmentId, state.index)
    if node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetSegmentVisibility(segmentId, state.isShown)
