"""Each input of a task as a light: green, amber or red, with a reason and, where one click cures it, a fix.

Looks at headers, grids and transforms only; what is in the voxels comes from ``study_doubts``, and the run checks it.
What a fix does is in ``study_fixes``. Ring 9 (scene); no Qt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.tasks.package import Package

from .study_doubts import InputDoubt
from .volumes import checkVolumeNode, gridFromNode, gridWords, referenceRole

GREEN, AMBER, RED = "green", "amber", "red"


@dataclass(frozen=True)
class RoleLight:
    """How an input stands.

    Args:
        role: of the task.
        color: "green", "amber" (it runs, and something should be known) or "red" (it does not).
        reason: one sentence.
        fix: what a click would do; empty when nothing can be done by one.
        code: of the fix, a key of ``study_fixes.FIXES``.
        other: role that the fix changes too.
    """

    role: str
    color: str
    reason: str
    fix: str = ""
    code: str = ""
    other: str = ""


def studyLights(
    package: Package,
    inputs: Mapping[str, Any],
    reasons: Mapping[str, str],
    doubts: Mapping[str, InputDoubt] | None = None,
) -> dict[str, RoleLight]:
    """Give the light of each role.

    Args:
        package: of the task.
        inputs: volume node by role; None for one that is not chosen.
        reasons: why a volume was taken for a role, or why none was, where that is known.
        doubts: what looking at the volumes says against them.
    """
    given = {role: node for role, node in inputs.items() if node is not None}
    lights = {role: _light(role, package, given, reasons.get(role, "")) for role in inputs}
    for role, doubt in (doubts or {}).items():
        if role in lights and lights[role].color != RED:
            lights[role] = RoleLight(role, AMBER, doubt.reason, doubt.fix, doubt.code, doubt.other)
    return lights


def _light(role: str, package: Package, given: Mapping[str, Any], reason: str) -> RoleLight:
    node = given.get(role)
    if node is None:
        return _missing(role, package, given, reason)
    twin = next((other for other, one in given.items() if other != role and one is node), "")
    if twin:
        return RoleLight(role, RED, f"The same volume is chosen for {twin}.", "Find the volume of each", "again", twin)
    try:
        checkVolumeNode(node, role)
    except MedSegAIError as error:
        fix, code = _CURES.get(error.code, ("", ""))
        return RoleLight(role, RED, error.message if fix else f"{error.message} {error.hint}", fix, code)
    reference = given[referenceRole(given, package.reference)]
    grid, wanted = gridFromNode(node, reference), gridFromNode(reference)
    if not grid.is_same_as(wanted):
        return RoleLight(role, AMBER, "It lies on another grid: it is brought onto that of the result for the run.")
    return RoleLight(role, GREEN, f"{reason or 'It fits.'} {gridWords(node)}.")


def _missing(role: str, package: Package, given: Mapping[str, Any], reason: str) -> RoleLight:
    rest = frozenset(given)
    isTrainedWithout = any(role not in subset and rest <= subset for subset in package.subsets)
    if isTrainedWithout:
        return RoleLight(role, AMBER, f"Not chosen: it runs without, and finds less. {reason}".strip())
    return RoleLight(role, RED, reason or "Not chosen, and the model was not trained without it.")


_CURES = {
    "scene.sequence_frame": ("Copy this frame, and use the copy", "frame"),
    "scene.nonlinear_transform": ("Apply the transform to a copy, and use the copy", "harden"),
    "scene.not_a_scan": ("Choose none here", "clear"),
    "scene.empty_volume": ("Choose none here", "clear"),
    "scene.color_volume": ("Choose none here", "clear"),
    "scene.flat_volume": ("Choose none here", "clear"),
}


def worst(lights: Sequence[RoleLight]) -> str:
    """Give the color of the worst light; green for none."""
    colors = {light.color for light in lights}
    return RED if RED in colors else AMBER if AMBER in colors else GREEN
