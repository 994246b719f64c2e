"""Which node is which sequence: names, subject hierarchy, DICOM attributes and, where these are silent, looks.

What they say is weighed by the library (``core.roles``), the same way as for files; a guess that is not certain is not
made. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import slicer
import slicer.util

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.role_looks import Look, Looking, looking
from MedSegAILib.core.role_odds import LookOdds
from MedSegAILib.core.role_tags import DICOM_NUMBERS, claim_of_tags
from MedSegAILib.core.role_words import OTHER, Claim, claim_of
from MedSegAILib.core.roles import Assignment, Candidate, assign, claim_together, wants_look
from MedSegAILib.core.volume import Volume

from .volumes import checkVolumeNode, gridFromNode

_MODALITY = "DICOM.Modality"
_INSTANCES = "DICOM.instanceUIDs"


class RoleFinder:
    """Finds the roles of the volumes of a scene; looks at a volume once, and again when it has changed."""

    def __init__(self) -> None:
        self._looks: dict[str, tuple[int, Look | None]] = {}
        self._checks: dict[str, tuple[int, Look | None]] = {}
        self._underWay: dict[str, tuple[int, Looking]] = {}

    def assign(self, nodes: Iterable[Any], roles: Sequence[str], chosen: Mapping[str, Any] | None = None) -> Assignment:
        """Give the roles by all that is known now: words and headers, and the looks that were taken.

        Args:
            nodes: scalar volume nodes; keys of the answer are their ids.
            roles: roles of the task.
            chosen: role -> node that a person has chosen; these stay.
        """
        return assign([self._candidate(node, roles, chosen or {}) for node in nodes], roles)

    def wantsLook(self, nodes: Iterable[Any], roles: Sequence[str], chosen: Mapping[str, Any] | None = None) -> bool:
        """Tell whether there is a volume to look at whose look may settle an open role; arguments as above."""
        return self._next(list(nodes), roles, chosen or {}) is not None

    def lookAtNext(self, nodes: Iterable[Any], roles: Sequence[str], chosen: Mapping[str, Any] | None = None) -> bool:
        """Do one step, about a hundredth of a second, of a look at a volume, if that may settle an open role.

        Returns:
            Whether a look has come to its end, so that :meth:`assign` may know more.
        """
        found = list(nodes)
        node = self._next(found, roles, chosen or {})
        return node is not None and self._stepOn(self._looks, node, found[0])

    def lookAtChosen(self, inputs: Mapping[str, Any]) -> bool:
        """Do one step of a look at a chosen input, or compare one more pair, about a hundredth of a second.

        Call it as long as :meth:`wantsCheck` says so. These looks check what was chosen; they do not take part in
        finding roles, where words come first.

        Returns:
            Whether a look or the comparing has come to its end.
        """
        known = self.looks(inputs)
        role = next((role for role, node in inputs.items() if node is not None and role not in known), None)
        if role is None:
            odds = LookOdds(_sound(known))
            return odds.compare_next() and odds.is_compared
        first = next(node for node in inputs.values() if node is not None)
        return self._stepOn(self._checks, inputs[role], first)

    def _stepOn(self, looks: dict[str, tuple[int, Look | None]], node: Any, referenceNode: Any) -> bool:
        """Do one step of a look, begun anew when the volume was changed; tell whether it was the last one."""
        key, changed = node.GetID(), _changed(node)
        begun = self._underWay.get(key)
        steps = begun[1] if begun is not None and begun[0] == changed else _looking(node, referenceNode)
        try:
            if steps is not None:
                next(steps)
                self._underWay = {key: (changed, steps)}  # one at a time: it holds on to the voxels
                return False
            seen = None
        except StopIteration as end:
            seen = end.value
        self._underWay.pop(key, None)
        looks[key] = (changed, seen)
        return True

    def wantsCheck(self, inputs: Mapping[str, Any]) -> bool:
        """Tell whether :meth:`lookAtChosen` has something to do."""
        known = self.looks(inputs)
        return len(known) < sum(node is not None for node in inputs.values()) or not LookOdds(_sound(known)).is_compared

    def looks(self, inputs: Mapping[str, Any]) -> dict[str, Look | None]:
        """Give the looks of the chosen inputs by role, as far as they were taken."""
        given = {role: node for role, node in inputs.items() if node is not None}
        known = {role: self._known(node) or self._current(self._checks, node) for role, node in given.items()}
        return {role: entry[1] for role, entry in known.items() if entry is not None}

    def _next(self, nodes: Sequence[Any], roles: Sequence[str], chosen: Mapping[str, Any]) -> Any:
        words = [self._candidate(node, roles, chosen, withLook=False) for node in nodes]
        if not wants_look(words, roles):
            return None
        pairs = zip(nodes, words, strict=True)
        return next((node for node, one in pairs if one.claim.role != OTHER and self._known(node) is None), None)

    def _candidate(
        self, node: Any, roles: Sequence[str], chosen: Mapping[str, Any], *, withLook: bool = True
    ) -> Candidate:
        role = next((role for role, other in chosen.items() if other is node), "")
        claim = Claim(role, 1.0, f"it was chosen as {role}") if role else claimOf(node, roles)
        known = self._known(node) if withLook else None
        return Candidate(node.GetID(), node.GetName() or "", claim, known[1] if known else None)

    def _known(self, node: Any) -> tuple[int, Look | None] | None:
        return self._current(self._looks, node)

    @staticmethod
    def _current(looks: Mapping[str, tuple[int, Look | None]], node: Any) -> tuple[int, Look | None] | None:
        known = looks.get(node.GetID())
        return known if known and known[0] == _changed(node) else None


def claimOf(node: Any, roles: Sequence[str]) -> Claim:
    """Give what the name of a node, its place in the subject hierarchy and its DICOM header say.

    Args:
        node: a scalar volume node.
        roles: roles of the task; "T1", "T1ce", "T2", "FLAIR" are known by their many spellings.
    """
    claims = [claim_of(node.GetName() or "", roles)]
    tags = dicomTags(node)
    if tags:
        claims.append(claim_of_tags(tags, roles))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    if item:
        folder = hierarchy.GetItemParent(item)
        if folder and folder != hierarchy.GetSceneItemID() and _isAlone(hierarchy, folder):
            claims.append(claim_of(hierarchy.GetItemName(folder) or "", roles, "its folder"))
    return claim_together(claims)


def dicomTags(node: Any) -> dict[str, str]:
    """Give the DICOM tags of a volume by keyword: from Slicer's database where it has the volume, else what is kept."""
    tags: dict[str, str] = {}
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    modality = node.GetAttribute(_MODALITY) or (hierarchy.GetItemAttribute(item, _MODALITY) if item else "")
    if modality:
        tags["Modality"] = modality
    database = getattr(slicer, "dicomDatabase", None)
    uids = (node.GetAttribute(_INSTANCES) or "").split()
    if database is not None and uids:
        values = {name: database.instanceValue(uids[0], number) for name, number in DICOM_NUMBERS.items()}
        tags.update({name: value for name, value in values.items() if value})
    return tags


def _isAlone(hierarchy: Any, folder: int) -> bool:
    """Tell whether a folder of the hierarchy holds one item: else its name speaks of several volumes."""
    return bool(hierarchy.GetNumberOfItemChildren(folder) == 1)


def _looking(node: Any, referenceNode: Any) -> Looking | None:
    """Begin a look at a node, in the frame of another; None for what cannot be segmented anyway."""
    try:
        checkVolumeNode(node)
        return looking(Volume(slicer.util.arrayFromVolume(node), gridFromNode(node, referenceNode)))
    except MedSegAIError:
        return None


def _sound(looks: Mapping[str, Look | None]) -> list[Look]:
    """Give the looks of what may be a head, in the order of the roles."""
    return [one for one in looks.values() if one is not None and not one.problem]


def _changed(node: Any) -> int:
    """Give a number that changes with the voxels and the place of a node."""
    image = node.GetImageData()
    return int(max(node.GetMTime(), image.GetMTime() if image is not None else 0))
