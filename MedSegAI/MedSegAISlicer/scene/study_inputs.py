"""Which volume is which sequence, as it is remembered in the scene: chosen by a person, else filled where certain.

For a view that has no selectors of its own that know the scene. Looks at one volume at a time, so that a window lives
on between two looks. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import slicer
import slicer.util

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.role_odds import HEAD_ROLES
from MedSegAILib.core.roles import Assignment
from MedSegAILib.tasks.package import Package

from .parameters import Parameters
from .roles import RoleFinder
from .study_doubts import inputDoubts
from .study_fixes import applyFix
from .study_lights import RoleLight, studyLights


class StudyInputs:
    """The inputs of a task.

    Args:
        parameters: gives the choices remembered in the scene.
    """

    def __init__(self, parameters: Callable[[], Parameters]) -> None:
        self.parameters = parameters
        self.roles: tuple[str, ...] = ()
        self._finder = RoleFinder()
        self._found: Assignment | None = None

    def setRoles(self, roles: Sequence[str]) -> None:
        """Take the roles of another task, and fill them."""
        self.roles = tuple(roles)
        self.fill()

    def inputs(self) -> dict[str, Any]:
        """Give the volume node, or None, of each role."""
        return {role: self.parameters().input(role) for role in self.roles}

    def choose(self, role: str, node: Any) -> None:
        """Keep what a person has chosen for a role; None is a choice too.

        Raises:
            UsageError: "scene.role" when the task has no such role.
        """
        if role not in self.roles:
            raise UsageError(
                "scene.role", f"The task has no input {role!r}.", f"Choose one of {', '.join(self.roles)}."
            )
        remembered = self.parameters()
        remembered.chosenByHand |= {role}
        remembered.setInput(role, node)
        self.fill()

    def fill(self) -> None:
        """Choose the volume of each open role where that is certain; what a person chose is left alone."""
        remembered, nodes = self.parameters(), scans()
        self._found = self._finder.assign(nodes, self.roles, self._chosen())
        byId = {node.GetID(): node for node in nodes}
        taken = {node.GetID() for node in self.inputs().values() if node is not None}
        for role, guess in self._found.by_role.items():
            isOpen = role not in remembered.chosenByHand and remembered.input(role) is None
            if isOpen and guess.key in byId and guess.key not in taken:
                remembered.setInput(role, byId[guess.key])

    def lookAtNext(self) -> bool:
        """Do one step, about 10 ms, of looking: at what may settle an open role, then at what is chosen.

        Returns:
            Whether something new is known now, so that :meth:`lights` may have changed.
        """
        if self._finder.wantsLook(scans(), self.roles, self._chosen()):
            isOver = self._finder.lookAtNext(scans(), self.roles, self._chosen())
            if isOver:
                self.fill()
            return isOver
        return self._wantsCheck() and self._finder.lookAtChosen(self.inputs())

    @property
    def wantsLook(self) -> bool:
        """Whether :meth:`lookAtNext` has something to do."""
        return self._finder.wantsLook(scans(), self.roles, self._chosen()) or self._wantsCheck()

    def _wantsCheck(self) -> bool:
        return set(self.roles) <= set(HEAD_ROLES) and self._finder.wantsCheck(self.inputs())

    def lights(self, package: Package) -> dict[str, RoleLight]:
        """Give the light of each role, with what was looked at so far."""
        inputs = self.inputs()
        doubts = inputDoubts(package, self._finder.looks(inputs), isMasked=self.parameters().masksBrain)
        return studyLights(package, inputs, {role: self.reason(role) for role in self.roles}, doubts)

    def fix(self, light: RoleLight) -> None:
        """Do what the fix of a light says."""
        remembered = self.parameters()
        for role, node in applyFix(light, self.inputs(), remembered).items():
            remembered.setInput(role, node)
        self.fill()

    def reason(self, role: str) -> str:
        """Say why a volume was chosen for a role, or what is unclear; empty when there is nothing to say."""
        if self._found is None:
            return ""
        node, guess = self.parameters().input(role), self._found.by_role.get(role)
        if guess is not None and node is not None and guess.key == node.GetID():
            return guess.reason
        return self._found.question(role) if node is None and role in self._found.in_doubt else ""

    def _chosen(self) -> dict[str, Any]:
        byHand = self.parameters().chosenByHand
        return {role: node for role, node in self.inputs().items() if node is not None and role in byHand}


def scans() -> list[Any]:
    """Give the volumes of the scene that may be inputs, in the order in which they came."""
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors()
    ]
