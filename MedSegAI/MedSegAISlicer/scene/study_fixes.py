"""What the button *Fix* of an input does. Volumes of people stay as they are: a copy is made where one must change.

Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import slicer

from .parameters import Parameters
from .study_lights import RoleLight

Inputs = Mapping[str, Any]
Choices = dict[str, Any]


def applyFix(light: RoleLight, inputs: Inputs, parameters: Parameters) -> Choices:
    """Do what the fix of a light says.

    Args:
        light: with a ``code``.
        inputs: volume node by role.
        parameters: where it is remembered what a person has decided.

    Returns:
        The volume node, or None, of each role that has another one now; the caller shows and remembers them, then
        fills what is open.
    """
    return FIXES[light.code](light, inputs, parameters)


def _clear(light: RoleLight, _inputs: Inputs, parameters: Parameters) -> Choices:
    parameters.chosenByHand |= {light.role}
    return {light.role: None}


def _again(light: RoleLight, _inputs: Inputs, parameters: Parameters) -> Choices:
    """Open both roles that have the same volume, so that each is filled anew where that is certain, else asked for."""
    parameters.chosenByHand -= {light.role, light.other}
    return {light.role: None, light.other: None}


def _exchange(light: RoleLight, inputs: Inputs, parameters: Parameters) -> Choices:
    parameters.chosenByHand |= {light.role, light.other}
    return {light.role: inputs[light.other], light.other: inputs[light.role]}


def _copied(light: RoleLight, inputs: Inputs, parameters: Parameters) -> Choices:
    parameters.chosenByHand |= {light.role}
    return {light.role: _copyOf(inputs[light.role])}


def _hardened(light: RoleLight, inputs: Inputs, parameters: Parameters) -> Choices:
    node = inputs[light.role]
    copied = _copyOf(node)
    copied.SetAndObserveTransformNodeID(node.GetTransformNodeID())
    copied.HardenTransform()
    parameters.chosenByHand |= {light.role}
    return {light.role: copied}


def _mask(_light: RoleLight, _inputs: Inputs, parameters: Parameters) -> Choices:
    parameters.masksBrain = True
    return {}


def _unmask(_light: RoleLight, _inputs: Inputs, parameters: Parameters) -> Choices:
    parameters.masksBrain = False
    return {}


def _copyOf(node: Any) -> Any:
    return slicer.modules.volumes.logic().CloneVolume(node.GetScene(), node, f"{node.GetName()} (copy)")


FIXES: dict[str, Callable[[RoleLight, Inputs, Parameters], Choices]] = {
    "clear": _clear,
    "again": _again,
    "exchange": _exchange,
    "frame": _copied,
    "harden": _hardened,
    "mask": _mask,
    "unmask": _unmask,
}
