"""Regions and labels as two views of one truth: nested regions stay nested, exclusive labels exclusive.

Nothing is changed in silence: after an edit :func:`bringInStep` gives an offer, which says what would change and by how
many mL; only :meth:`Offer.apply` changes something, as an entry of the undo history. The rule: what a person has just
drawn stands, the others follow, save the locked ones. A region that grew pulls those around it, one that shrank cuts
those inside it; a label that grew takes from the other labels, and the regions are the unions of the labels. Ring 9
(scene); no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from MedSegAILib.core.labels import LabelScheme

from .label_view import regionsNodeOf
from .locks import isLocked
from .segment_box import Together, boxOf, putMask, together
from .segment_mark import keepMarks
from .segmentations import readScheme
from .story import tell
from .undo import UndoHistory

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Change:
    """One segment that would follow.

    Args:
        node: its segmentation.
        segmentId: its id.
        title: its name for people.
        gained_ml: volume that it would gain.
        lost_ml: volume that it would lose.
        after: its voxels then, ``[z, y, x]`` in the box of the offer.
    """

    node: Any
    segmentId: str
    title: str
    gained_ml: float
    lost_ml: float
    after: Mask


@dataclass(eq=False)
class Offer:
    """What would bring everything in step with the segment that a person has changed.

    Args:
        changedId: id of that segment; it stays as it was drawn.
        changedTitle: its name for people.
        changes: what would follow, at least one.
        place: the box of the masks.
        labelsNode: the view as labels that was edited; None when it was a region.
    """

    changedId: str
    changedTitle: str
    changes: tuple[Change, ...]
    place: Together = field(repr=False)
    labelsNode: Any = None

    def apply(self) -> None:
        """Let the others follow, and tell it in the story of their nodes."""
        with UndoHistory.of(self.changes[0].node).entry(f"In step with {self.changedTitle}"):
            for change in self.changes:
                putMask(change.node, change.segmentId, change.after, self.place)
                tell(change.node, f"brought in step with {self.changedTitle}", change.segmentId)
            if self.labelsNode is not None:
                keepMarks(self.labelsNode)  # the regions have what was drawn; the view may be made anew from them


def bringInStep(segmentationNode: Any, changedSegmentId: str) -> Offer | None:
    """Look what must follow an edit; nothing is changed here.

    Args:
        segmentationNode: the node with the regions of a result, or its view as labels.
        changedSegmentId: the segment that a person has just edited.

    Returns:
        The offer; None when all is in step, when the segment is none of ours, or when someone gave the segments
        different grids, so that voxels cannot be compared.
    """
    regionsNode = regionsNodeOf(segmentationNode)
    scheme = readScheme(regionsNode or segmentationNode)
    if scheme is None:
        return None
    if regionsNode is not None:
        return _afterLabel(segmentationNode, regionsNode, scheme, changedSegmentId)
    return _afterRegion(segmentationNode, scheme, changedSegmentId)


def _afterRegion(node: Any, scheme: LabelScheme, changedId: str) -> Offer | None:
    labelsOf = {region.name: frozenset(region.labels) for region in scheme.regions}
    ids = [name for name in labelsOf if node.GetSegmentation().GetSegment(name) is not None]
    if changedId not in ids:
        return None
    place = together(*(boxOf(node, name) for name in ids))
    if place is None:
        return None
    masks = dict(zip(ids, place.masks, strict=True))
    drawn = masks[changedId]
    wanted = {}
    for name in ids:
        if labelsOf[changedId] < labelsOf[name]:
            wanted[name] = masks[name] | drawn
        elif labelsOf[name] < labelsOf[changedId]:
            wanted[name] = masks[name] & drawn
    return _offer([(node, name, masks[name], wanted[name]) for name in wanted], node, changedId, place)


def _afterLabel(labelsNode: Any, regionsNode: Any, scheme: LabelScheme, changedId: str) -> Offer | None:
    names = {label.name: label.value for label in scheme.labels}
    labelIds = [name for name in names if labelsNode.GetSegmentation().GetSegment(name) is not None]
    regions = [region for region in scheme.regions if regionsNode.GetSegmentation().GetSegment(region.name) is not None]
    if changedId not in labelIds:
        return None
    boxes = [boxOf(labelsNode, name) for name in labelIds] + [boxOf(regionsNode, region.name) for region in regions]
    place = together(*boxes)
    if place is None:
        return None
    masks = dict(zip(labelIds, place.masks, strict=False))
    wanted = {name: mask if name == changedId else mask & ~masks[changedId] for name, mask in masks.items()}
    pairs = [(labelsNode, name, masks[name], wanted[name]) for name in labelIds]
    for region, before in zip(regions, place.masks[len(labelIds) :], strict=True):
        parts = [wanted[name] for name in labelIds if names[name] in region.labels]
        after = np.logical_or.reduce(parts) if parts else np.zeros_like(before)
        pairs.append((regionsNode, region.name, before, after))
    return _offer(pairs, labelsNode, changedId, place)


def _offer(pairs: list[tuple[Any, str, Mask, Mask]], changedNode: Any, changedId: str, place: Together) -> Offer | None:
    changes = []
    for node, name, before, after in pairs:
        gained, lost = int(np.count_nonzero(after & ~before)), int(np.count_nonzero(before & ~after))
        if (gained or lost) and not isLocked(node, name):
            title = node.GetSegmentation().GetSegment(name).GetName()
            changes.append(Change(node, name, title, gained * place.voxel_ml, lost * place.voxel_ml, after))
    if not changes:
        return None
    title = changedNode.GetSegmentation().GetSegment(changedId).GetName()
    labelsNode = changedNode if regionsNodeOf(changedNode) is not None else None
    return Offer(changedId, title, tuple(changes), place, labelsNode)
