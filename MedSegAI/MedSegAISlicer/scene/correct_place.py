"""The part of a result around a prompt: its labels and images out of the scene, and changed labels back into it.

Only voxels whose label changes are written, so what a person has drawn against the rules elsewhere stays as it is.
Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.correction import Corrected
from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.labels import LabelScheme, Region
from MedSegAILib.core.volume import Grid, Volume

from .label_view import labelMasks, regionsNodeOf
from .locks import isLocked
from .review import reviewOf
from .segment_box import SegmentBox, Together, boxOf, putMask, together
from .segmentations import readScheme
from .statistics import inputsOf
from .volumes import gridFromNode

Array = npt.NDArray[Any]
Box = tuple[slice, slice, slice]

_SAME_VOXEL = 0.05  # of a voxel: what rounding in files may move; two lattices that differ do so by more


@dataclass(frozen=True, eq=False)
class Place:
    """A part of a result.

    Args:
        node: the segmentation.
        scheme: its labels and regions.
        grid: of the whole lattice (:func:`latticeOf`), in the frame of the node's parent.
        box: the part.
        labels: its label map ``[z, y, x]``.
        images: by role, the inputs that lie on the same grid.
    """

    node: Any
    scheme: LabelScheme
    grid: Grid
    box: Box
    labels: Volume
    images: Mapping[str, Volume]


def correctable(segmentationNode: Any) -> tuple[LabelScheme, Any]:
    """Give scheme and reference volume of a result that can be corrected.

    Raises:
        UsageError: "correct.not_ours" for a segmentation that no run has made, or a view as labels;
            "correct.reference_gone" when its volume is no longer in the scene.
    """
    scheme = readScheme(segmentationNode) if segmentationNode is not None else None
    if scheme is None or regionsNodeOf(segmentationNode) is not None:
        raise UsageError(
            "correct.not_ours",
            "This segmentation was not made by a run of ours, or it is a view as labels.",
            "Choose a result of MedSegAI; any other segmentation is edited in the Segment Editor.",
        )
    reference = segmentationNode.GetNodeReference(segmentationNode.GetReferenceImageGeometryReferenceRole())
    if reference is None or reference.GetImageData() is None:
        raise UsageError(
            "correct.reference_gone",
            "The volume of this result is no longer in the scene.",
            "Load it again and run the segmentation on it.",
        )
    return scheme, reference


@dataclass(frozen=True, eq=False)
class Lattice:
    """The voxels of the reference volume in the axis order of the segments.

    Slicer turns a left-handed volume when it reads it back, and leaves the segments as they are.

    Args:
        grid: of all voxels, in the frame of the node's parent.
        order_zyx: array axis n is axis ``order_zyx[n]`` of the volume.
        isReversed_zyx: whether array axis n runs backwards.
    """

    grid: Grid
    order_zyx: tuple[int, ...]
    isReversed_zyx: tuple[bool, ...]

    def turn(self, array: Array) -> Array:
        """Give the volume's array ``[z, y, x]`` in this order, as a view."""
        flips = tuple(slice(None, None, -1) if isBack else slice(None) for isBack in self.isReversed_zyx)
        return np.transpose(array, self.order_zyx)[flips]


def latticeOf(segmentationNode: Any, scheme: LabelScheme, reference: Any) -> Lattice:
    """Give the lattice of a result; that of the volume itself while all regions are empty.

    Raises:
        UsageError: "correct.grid" when the segments do not lie parallel to the volume.
    """
    volume = gridFromNode(reference)
    boxes = (boxOf(segmentationNode, region.name) for region in _present(segmentationNode, scheme))
    found = next((box for box in boxes if box.mask.size), None)
    if found is None:
        return Lattice(volume, (0, 1, 2), (False, False, False))
    turn = np.linalg.solve(volume.ijk_to_ras, found.ijk_to_ras)[:3, :3]
    signs = np.round(turn)
    if np.abs(turn - signs).max() * max(volume.shape_zyx) > _SAME_VOXEL or not np.allclose(signs @ signs.T, np.eye(3)):
        raise _otherGrid(None)
    last = np.array(volume.shape_zyx[::-1]) - 1
    matrix = np.eye(4)
    matrix[:3, :3] = signs
    matrix[:3, 3] = np.where(signs.sum(axis=1) < 0, last, 0)
    axes = np.abs(signs).argmax(axis=0)  # axis of the volume along each axis of the segments, in (i, j, k)
    order = tuple(2 - int(axes[2 - n]) for n in range(3))
    shape = [volume.shape_zyx[axis] for axis in order]
    grid = Grid((shape[0], shape[1], shape[2]), volume.ijk_to_ras @ matrix)
    return Lattice(grid, order, tuple(bool(signs[:, 2 - n].sum() < 0) for n in range(3)))


def heldRegions(segmentationNode: Any, scheme: LabelScheme, changedId: str) -> tuple[str, ...]:
    """Give the regions that a correction of another one may not change: the locked and the accepted ones."""
    accepted = {line.segmentId for line in reviewOf(segmentationNode) if line.state == "accepted"}
    names = [region.name for region in _present(segmentationNode, scheme) if region.name != changedId]
    return tuple(name for name in names if name in accepted or isLocked(segmentationNode, name))


def placeAt(segmentationNode: Any, scheme: LabelScheme, reference: Any, box: Box) -> Place:
    """Read a part of a result; the box is one of its lattice.

    Raises:
        UsageError: "correct.grid" when a segment lies on another grid than the volume.
    """
    lattice = latticeOf(segmentationNode, scheme, reference)
    grid = lattice.grid
    matrix = np.array(grid.ijk_to_ras)
    matrix[:3, 3] += matrix[:3, :3] @ [side.start for side in box[::-1]]
    part = Grid(_shape(box), matrix)
    labels = Volume(_labels(segmentationNode, scheme, grid, box), part)
    return Place(segmentationNode, scheme, grid, box, labels, _images(segmentationNode, reference, lattice, box, part))


def boxOfRegion(segmentationNode: Any, segmentId: str, grid: Grid) -> Box | None:
    """Give the part of a lattice that holds a segment; None for an empty one."""
    found = _onGrid(boxOf(segmentationNode, segmentId), grid)
    if not found.mask.size:
        return None
    first = found.first_ijk[::-1]
    sides = [slice(start, start + count) for start, count in zip(first, found.mask.shape, strict=True)]
    return sides[0], sides[1], sides[2]


def putCorrected(place: Place, corrected: Corrected) -> list[str]:
    """Write the voxels whose label has changed.

    Returns:
        Ids of the segments that changed.
    """
    changed = []
    for region in _present(place.node, place.scheme):
        was, isNow = _masks(place, corrected, region)
        if (was != isNow).any():
            putMask(place.node, region.name, *regionAfter(place, corrected, region))
            changed.append(region.name)
    return changed


def regionAfter(place: Place, corrected: Corrected, region: Region) -> tuple[npt.NDArray[np.bool_], Together]:
    """Give the whole of a region as the correction leaves it, and where its mask lies.

    Raises:
        UsageError: "correct.grid" when the segment lies on another grid than the result.
    """
    before, after = _labelsOf(place, corrected)
    touched, isNow = before != after, place.scheme.mask(after, region.name)
    first = [side.start + start for side, start in zip(place.box, corrected.offset_zyx, strict=True)][::-1]
    there = _onGrid(boxOf(place.node, region.name), place.grid)
    both = together(there, SegmentBox(touched, (first[0], first[1], first[2]), np.array(place.grid.ijk_to_ras)))
    if both is None:
        raise _otherGrid(region)
    whole, mark = both.masks[0].copy(), both.masks[1]
    whole[mark] = isNow[touched]
    return whole, both


def _labelsOf(place: Place, corrected: Corrected) -> tuple[Array, Array]:
    """Give the labels before and after in the box that was corrected."""
    inner = tuple(
        slice(start, start + count)
        for start, count in zip(corrected.offset_zyx, corrected.labels.array.shape, strict=True)
    )
    return place.labels.array[inner], corrected.labels.array


def _masks(place: Place, corrected: Corrected, region: Region) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    before, after = _labelsOf(place, corrected)
    return place.scheme.mask(before, region.name), place.scheme.mask(after, region.name)


def _labels(node: Any, scheme: LabelScheme, grid: Grid, box: Box) -> Array:
    masks: dict[str, npt.NDArray[np.bool_]] = {}
    for region in _present(node, scheme):
        found = _onGrid(boxOf(node, region.name), grid)
        masks[region.name] = np.zeros(_shape(box), dtype=bool)
        if found.mask.size:
            target, source = _overlap(box, found)
            masks[region.name][target] = found.mask[source]
    values = {label.name: label.value for label in scheme.labels}
    labels = np.zeros(_shape(box), dtype=np.uint8 if max(values.values()) < 256 else np.uint16)
    for name, mask in labelMasks(scheme, masks).items():
        labels[mask] = values[name]
    return labels


def _images(node: Any, reference: Any, lattice: Lattice, box: Box, part: Grid) -> dict[str, Volume]:
    import slicer.util

    given = inputsOf(node) or {"image": reference}
    images = {}
    for role, volume in given.items():
        isThere = volume is not None and volume.GetImageData() is not None
        if isThere and gridFromNode(volume, reference).is_same_as(gridFromNode(reference)):
            voxels = lattice.turn(slicer.util.arrayFromVolume(volume))[box]
            images[role] = Volume(np.ascontiguousarray(voxels), part, name=role)
    return images


def _present(node: Any, scheme: LabelScheme) -> list[Region]:
    return [region for region in scheme.regions if node.GetSegmentation().GetSegment(region.name) is not None]


def _onGrid(found: SegmentBox, grid: Grid) -> SegmentBox:
    """Give a segment's box with its indices on a lattice, both of which may have been through a file."""
    matrix = np.array(grid.ijk_to_ras)
    if not found.mask.size:
        return SegmentBox(found.mask, (0, 0, 0), matrix)
    toGrid = np.linalg.solve(matrix, found.ijk_to_ras)
    corners = np.array([found.first_ijk, np.add(found.first_ijk, found.mask.shape[::-1])], dtype=float)
    moved = corners @ toGrid[:3, :3].T + toGrid[:3, 3]
    isParallel = np.abs(toGrid[:3, :3] - np.eye(3)).max() * max(found.mask.shape) <= _SAME_VOXEL
    if not isParallel or np.abs(moved - np.round(moved)).max() > _SAME_VOXEL:
        raise _otherGrid(None)
    i, j, k = (round(float(value)) for value in moved[0])
    return SegmentBox(found.mask, (i, j, k), matrix)


def _otherGrid(region: Region | None) -> UsageError:
    what = "A region" if region is None else region.title
    return UsageError(
        "correct.grid",
        f"{what} lies on another grid than its volume.",
        "Run the segmentation again, or edit it in the Segment Editor.",
    )


def _overlap(box: Box, found: SegmentBox) -> tuple[Box, Box]:
    """Give the common part of a box and a segment's box, in the indices of each."""
    target, source = [], []
    for side, first, count in zip(box, found.first_ijk[::-1], found.mask.shape, strict=True):
        low, high = max(side.start, first), max(side.start, first, min(side.stop, first + count))
        target.append(slice(low - side.start, high - side.start))
        source.append(slice(low - first, high - first))
    return (target[0], target[1], target[2]), (source[0], source[1], source[2])


def _shape(box: Box) -> tuple[int, int, int]:
    depth, height, width = (side.stop - side.start for side in box)
    return depth, height, width
