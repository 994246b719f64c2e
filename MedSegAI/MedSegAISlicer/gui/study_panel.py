"""Which volume is which sequence: one selector a role, filled where that is certain, with the reason. Ring 10 (GUI)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.role_odds import HEAD_ROLES
from MedSegAILib.core.roles import Assignment
from MedSegAILib.tasks.package import Package
from MedSegAISlicer.scene.parameters import Parameters
from MedSegAISlicer.scene.roles import RoleFinder
from MedSegAISlicer.scene.study_doubts import inputDoubts
from MedSegAISlicer.scene.study_fixes import applyFix
from MedSegAISlicer.scene.study_lights import RoleLight, studyLights

from . import sentences
from .light_row import LightRow

_LOOK_PAUSE_MS = 10  # between two steps the window does what is due
ROWS = ("T1", "T1ce", "T2", "FLAIR")  # of the .ui file


def rowsOf(package: Package) -> dict[str, str]:
    """Give the row of each role: the one of its name, or, for a task with other roles, one after the other.

    Raises:
        UsageError: "panel.too_many_inputs" for a task with more inputs than rows.
    """
    if set(package.roles) <= set(ROWS):
        return {role: role for role in package.roles}
    if len(package.roles) > len(ROWS):
        raise UsageError(
            "panel.too_many_inputs",
            f"{package.title} takes {len(package.roles)} volumes; the panel has room for {len(ROWS)}.",
            "Run it from the Python console: MedSegAILogic().segment(...).",
        )
    return dict(zip(package.roles, ROWS, strict=False))


class StudyPanel:
    """The selectors of the inputs.

    Args:
        ui: child widgets by name; the selectors are those of ``ROWS``, see :func:`rowsOf`.
        parameters: gives the choices remembered in the scene.
        onChanged: called after any choice has changed.
    """

    def __init__(self, ui: Any, parameters: Callable[[], Parameters], onChanged: Callable[[], None]) -> None:
        self.ui = ui
        self.parameters = parameters
        self.onChanged = onChanged
        self.selectors: dict[str, Any] = {}
        self._slots: dict[str, dict[str, Any]] = {}
        self._lights: dict[str, LightRow] = {}
        self._reasons: dict[str, str] = {}
        self._package: Package | None = None
        self._titles: dict[str, str] = {}
        self._rowTexts = {row: getattr(ui, f"{row}Label").text for row in ROWS}
        self._finder = RoleFinder()
        self._isLookDue = False
        self._isUpdating = False

    def setPackage(self, package: Package) -> None:
        """Connect the selector of each input of a task."""
        rows = rowsOf(package)
        self._package = package
        for row in ROWS:
            isUsed = row in rows.values()
            getattr(self.ui, f"{row}Label").visible = isUsed
            getattr(self.ui, f"{row}Selector").visible = isUsed
        for entry in package.inputs:
            row = rows[entry.role]
            getattr(self.ui, f"{row}Label").text = self._rowTexts[row] if row == entry.role else f"{entry.role}:"
            selector = getattr(self.ui, f"{row}Selector")
            self._lights[entry.role] = LightRow(
                getattr(self.ui, f"{row}Light"), getattr(self.ui, f"{row}FixButton"), self.onFix
            )
            self._titles[entry.role] = entry.title
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
        for row in self._lights.values():
            row.disconnect()
        self.selectors, self._slots, self._lights, self._package = {}, {}, {}, None

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
        """Show the choices remembered in the scene, then fill the open roles."""
        self._isUpdating = True
        remembered = self.parameters()
        for role, selector in self.selectors.items():
            selector.setCurrentNode(remembered.input(role))
        self._isUpdating = False
        self.fill()

    def forget(self) -> None:
        """Let every role be guessed again; for a scene that was closed."""
        self.parameters().chosenByHand = frozenset()

    def fill(self) -> None:
        """Choose the volume of each open role where that is certain; what a person chose is left alone."""
        nodes = _scans()
        chosenByHand = self.parameters().chosenByHand
        chosen = {role: node for role, node in self.inputs().items() if node is not None and role in chosenByHand}
        found = self._finder.assign(nodes, list(self.selectors), chosen)
        taken = {node.GetID() for node in self.inputs().values() if node is not None}
        self._isUpdating = True
        for role, guess in found.by_role.items():
            selector = self.selectors[role]
            if role not in chosenByHand and selector.currentNode() is None and guess.key not in taken:
                selector.setCurrentNodeID(guess.key)
        self._isUpdating = False
        for role, selector in self.selectors.items():
            self._reasons[role] = self._reason(role, found)
            selector.toolTip = sentences.sequenceHint(self._titles[role], self._reasons[role])
        self._remember()
        if self._finder.wantsLook(nodes, list(self.selectors), chosen) or self._wantsToCheck():
            self._lookLater()

    def _lookLater(self) -> None:
        if not self._isLookDue:
            self._isLookDue = True
            qt.QTimer.singleShot(_LOOK_PAUSE_MS, self.onLookDue)

    def _wantsToCheck(self) -> bool:
        """Tell whether a chosen sequence of a head was not looked at yet, or not compared with another one."""
        return set(self.selectors) <= set(HEAD_ROLES) and self._finder.wantsCheck(self.inputs())

    def onLookDue(self) -> None:
        """Do one step of looking, and see what it settles: a step is short, so that the window never stands still."""
        self._isLookDue = False
        if not self.selectors or slicer.mrmlScene.IsClosing():
            return
        chosenByHand = self.parameters().chosenByHand
        chosen = {role: node for role, node in self.inputs().items() if node is not None and role in chosenByHand}
        if self._finder.wantsLook(_scans(), list(self.selectors), chosen):
            isNew = self._finder.lookAtNext(_scans(), list(self.selectors), chosen)
        else:
            isNew = self._finder.lookAtChosen(self.inputs())
        if isNew:
            self.fill()
        else:
            self._lookLater()

    def _reason(self, role: str, found: Assignment) -> str:
        """Say why a volume was chosen for a role, or why none was."""
        node = self.selectors[role].currentNode()
        guess = found.by_role.get(role)
        if guess is not None and node is not None and guess.key == node.GetID():
            return guess.reason
        return found.question(role) if node is None and role in found.in_doubt else ""

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

    def onFix(self, light: RoleLight) -> None:
        """Do what the fix of an input says, then fill what it has opened."""
        choices = applyFix(light, self.inputs(), self.parameters())
        self._isUpdating = True
        for role, node in choices.items():
            self.selectors[role].setCurrentNode(node)
        self._isUpdating = False
        self.fill()

    def showLights(self) -> None:
        """Show how each input stands."""
        if self._package is not None:
            inputs = self.inputs()
            isMasked = self.parameters().masksBrain
            doubts = inputDoubts(self._package, self._finder.looks(inputs), isMasked=isMasked)
            lights = studyLights(self._package, inputs, self._reasons, doubts)
            for role, row in self._lights.items():
                row.show(lights[role])

    def _remember(self) -> None:
        remembered = self.parameters()
        for role, node in self.inputs().items():
            if remembered.input(role) is not node:
                remembered.setInput(role, node)
        self.showLights()
        self.onChanged()


def _scans() -> list[Any]:
    """Give the volumes of the scene that may be inputs."""
    return [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetClassName() == "vtkMRMLScalarVolumeNode" and not node.GetHideFromEditors()
    ]
