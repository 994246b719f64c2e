"""Can a run be started with what is chosen? Asked at every change, so it looks at no voxel. Ring 9 (scene); no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from MedSegAILib.core.errors import InputError, MedSegAIError, UsageError
from MedSegAILib.tasks.package import Package


def whyNotReady(package: Package, inputs: Mapping[str, Any]) -> MedSegAIError | None:
    """Give the reason why a run cannot be started, or None.

    Args:
        package: of the task.
        inputs: volume node by role; None for a sequence that is not chosen.

    Returns:
        The error that a run would end with: nothing chosen, one volume twice, or a set of sequences that the
        package was not trained for. What needs voxels is checked when the run starts.
    """
    given = {role: node for role, node in inputs.items() if node is not None}
    if not given:
        return UsageError("scene.no_volume", "No volume is chosen yet.", f"Choose {_sets(package)}.")
    roleOf: dict[str, str] = {}
    for role, node in given.items():
        other = roleOf.setdefault(node.GetID(), role)
        if other != role:
            return UsageError(
                "scene.same_volume",
                f"{other} and {role} are the same volume.",
                "Choose another volume for one of them.",
            )
    if len(given) < len(package.roles) and frozenset(given) not in package.subsets:
        return InputError(
            "case.missing_role",
            f"The model was not trained for {_list(package, frozenset(given))} alone.",
            f"Choose {_sets(package)}.",
        )
    return None


def _sets(package: Package) -> str:
    """Say which sets of sequences the package takes, the largest first."""
    sets = {frozenset(package.roles), *package.subsets}
    ordered = sorted(sets, key=lambda roles: (-len(roles), [package.roles.index(role) for role in sorted(roles)]))
    return ", or ".join(_list(package, roles) for roles in ordered)


def _list(package: Package, roles: frozenset[str]) -> str:
    """Say a set of roles in the order of the package: "T1, T2 and FLAIR"."""
    names = [role for role in package.roles if role in roles]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
