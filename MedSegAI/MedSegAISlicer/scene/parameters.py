"""What the panel remembers, in the scene: which node is which sequence, the preset, the last result.

A small typed face over ``vtkMRMLScriptedModuleNode``; it is saved with the scene and restored by it. Slicer's
parameterNodeWrapper is not used: this runs wherever MRML runs. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from typing import Any, cast

from MedSegAILib.core.run import DEFAULT_REPAIRS, PRESETS, RunOptions

MODULE_NAME = "MedSegAI"
DEFAULT_TASK = "brain-tumor"
DEFAULT_PRESET = "balanced"
_INPUT = "MedSegAI.Input."
_RESULT = "MedSegAI.Result"


def parameterNode(scene: Any) -> Any:
    """Give the one parameter node of the module in a scene; it is made where there is none.

    The same singleton that ``ScriptedLoadableModuleLogic.getParameterNode`` finds.
    """
    node = scene.GetSingletonNode(MODULE_NAME, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = scene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # CreateNodeByClass hands over a reference that Python now holds
        node.SetSingletonTag(MODULE_NAME)
        node.SetName(MODULE_NAME)
        node = scene.AddNode(node)
    # Closing a scene may take the attribute away from a singleton.
    if node.GetAttribute("ModuleName") != MODULE_NAME:
        node.SetAttribute("ModuleName", MODULE_NAME)
    return node


class Parameters:
    """The remembered choices.

    Args:
        node: a ``vtkMRMLScriptedModuleNode``, see :func:`parameterNode`.
    """

    def __init__(self, node: Any) -> None:
        self.node = node

    @property
    def task(self) -> str:
        """Name of the task; "brain-tumor" until another one is chosen."""
        return self.node.GetParameter("task") or DEFAULT_TASK

    @task.setter
    def task(self, value: str) -> None:
        self.node.SetParameter("task", value)

    @property
    def preset(self) -> str:
        """Name of the preset; an unknown one (an older scene) counts as the default."""
        value = self.node.GetParameter("preset")
        return value if value in PRESETS else DEFAULT_PRESET

    @preset.setter
    def preset(self, value: str) -> None:
        self.node.SetParameter("preset", value)

    @property
    def masksBrain(self) -> bool:
        """Whether runs mask the brain of whole heads; only after a person said so."""
        return bool(self.node.GetParameter("masksBrain") == "yes")

    @masksBrain.setter
    def masksBrain(self, value: bool) -> None:
        self.node.SetParameter("masksBrain", "yes" if value else "")

    @property
    def options(self) -> RunOptions:
        """The options of a run as they are chosen in the scene."""
        repair = (*DEFAULT_REPAIRS, "strip") if self.masksBrain else DEFAULT_REPAIRS
        return RunOptions(preset=cast(Any, self.preset), repair=repair)

    @property
    def chosenByHand(self) -> frozenset[str]:
        """Roles that a person has chosen a volume, or None, for; they are not guessed again."""
        return frozenset(filter(None, (self.node.GetParameter("chosenByHand") or "").split(",")))

    @chosenByHand.setter
    def chosenByHand(self, roles: frozenset[str]) -> None:
        self.node.SetParameter("chosenByHand", ",".join(sorted(roles)))

    def input(self, role: str) -> Any:
        """Give the volume node of a role, or None."""
        return self.node.GetNodeReference(_INPUT + role)

    def setInput(self, role: str, node: Any) -> None:
        """Remember the volume node of a role; None forgets it."""
        self.node.SetNodeReferenceID(_INPUT + role, node.GetID() if node is not None else None)

    @property
    def result(self) -> Any:
        """The segmentation node that the table shows, or None."""
        return self.node.GetNodeReference(_RESULT)

    @result.setter
    def result(self, node: Any) -> None:
        self.node.SetNodeReferenceID(_RESULT, node.GetID() if node is not None else None)
