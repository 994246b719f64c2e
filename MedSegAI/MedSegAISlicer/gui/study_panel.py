"""Which volume is which sequence: one selector a role, filled by name where the name is clear. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

from MedSegAILib.tasks.package import Package
from MedSegAISlicer.scene.parameters import Parameters
from MedSegAISlicer.scene.roles import guessRoles

from . import sentences


class StudyPanel:
    """The selectors of the inputs.

    Args:
        ui: child widgets by name; the selector of a role is called ``<role>Selector``.
        parameters: gives the choices remembered in the scene.
        onChanged: called after any choice has changed.
    """

    def __init__(self, ui: Any, parameters: Callable[[], Parameters], onChanged: Callable[[], None]) -> None:
        self.ui = ui
        self.parameters = parameters
        self.onChanged = onChanged
        self.selectors: dict[str, Any] = {}
        self._slots: dict[str, dict[str, Any]] = {}
        self._isUpdating = False

    def setPackage(self, package: Package) -> None:
        """Connect the selector of each input of a task."""
        for entry in package.inputs:
            selector = getattr(self.ui, f"{entry.role}Selector")
            selector.toolTip = sentences.sequenceHint(entry.title)
            self.selectors[entry.role] = selector
            self._slots[entry.role] = {
                "currentNodeChanged(vtkMRMLNode*)": self.onNodeChanged,
                "nodeActivated(vtkMRMLNode*)": lambda _node, role=entry.role: self.onNodeActivated(role),
                "nodeAboutToBeRemoved(vtkMRMLNode*)": self.onNodeAboutToBeRemoved,
            }
            for signal, slot in self._slots[entry.role].items():
                selector.connect(signal, slot)

    def disconnect(self) -> None:
        """Undo :meth:`setPackage`."""
        for role, selector in self.selectors.items():
            for signal, slot in self._slots[role].items():
                selector.disconnect(signal, slot)
        self.selectors = {}
        self._slots = {}

    def inputs(self) -> dict[str, Any]:
        """Give the chosen node, or None, of each role.

        Asked from the selectors themselves: they send no signal when the new volume has the name of the old one.
        """
        return {role: selector.currentNode() for role, selector in self.selectors.items()}

    def setEnabled(self, isEnabled: bool) -> None:
        """Let the choices be changed, or not (during a run)."""
        for selector in self.selectors.values():
            selector.enabled = isEnabled

    def restore(self) -> None:
        """Show the choices remembered in the scene, then fill open roles by name."""
        self._isUpdating = True
        remembered = self.parameters()
        for role, selector in self.selectors.items():
            selector.setCurrentNode(remembered.input(role))
        self._isUpdating = False
        self.fillByName()

    def forget(self) -> None:
        """Let every role be guessed again; for a scene that was closed."""
        self.parameters().chosenByHand = frozenset()

    def fillByName(self) -> None:
        """Choose the volume of each open role whose name is clear; what a person chose is left alone."""
        taken = {node.GetID() for node in self.inputs().values() if node is not None}
        names = {
            node.GetID(): node.GetName() or ""
            for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
            if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors()
        }
        chosenByHand = self.parameters().chosenByHand
        self._isUpdating = True
        for role, nodeId in guessRoles(names, list(self.selectors)).items():
            selector = self.selectors[role]
            if role not in chosenByHand and selector.currentNode() is None and nodeId not in taken:
                selector.setCurrentNodeID(nodeId)
        self._isUpdating = False
        self._remember()

    def onNodeChanged(self) -> None:
        """A selector shows another node."""
        if not self._isUpdating:
            self._remember()

    def onNodeActivated(self, role: str) -> None:
        """A person has used a selector; None is a choice too. Also sent when the same node was chosen again."""
        remembered = self.parameters()
        remembered.chosenByHand |= {role}
        self._remember()

    def onNodeAboutToBeRemoved(self, node: Any) -> None:
        """A volume leaves the scene: its role becomes open. Left alone, the list would show the next volume."""
        self._isUpdating = True
        for selector in self.selectors.values():
            if selector.currentNode() is node:
                selector.setCurrentNode(None)
        self._isUpdating = False
        self._remember()

    def _remember(self) -> None:
        remembered = self.parameters()
        for role, node in self.inputs().items():
            if remembered.input(role) is not node:
                remembered.setInput(role, node)
        self.onChanged()
