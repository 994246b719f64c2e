"""What is on the screen as lines of Python: the same run, to be repeated in Slicer's console. Ring 9 (scene); no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import slicer
import slicer.util

from MedSegAILib.core.run import RunOptions

_PATTERN = frozenset("*?[]")  # slicer.util.getNode takes names as patterns


def pythonLines(inputs: Mapping[str, Any], task: str, options: RunOptions) -> str:
    """Give the lines that repeat a run.

    Args:
        inputs: volume node by role; None for a sequence that is not there.
        task: name of the package.
        options: of the run; only what differs from the defaults is written.

    Returns:
        Text for the console; it leaves the new node in ``segmentation``.
    """
    default, given = RunOptions().to_json(), options.to_json()
    differing = ", ".join(f"{key}={value!r}" for key, value in given.items() if value != default[key])
    lines = ["from MedSegAI import MedSegAILogic"]
    if differing:
        lines.append("from MedSegAILib.core.run import RunOptions")
    lines += ["", "segmentation = MedSegAILogic().segment(", "    {"]
    lines += [f"        {role!r}: {_nodeWords(node)}," for role, node in inputs.items() if node is not None]
    lines += ["    },", f"    {task!r},"]
    if differing:
        lines.append(f"    options=RunOptions({differing}),")
    return "\n".join([*lines, ")", ""])


def _nodeWords(node: Any) -> str:
    """Name a node: by its name where that is clear, else by its id."""
    name = node.GetName() or ""
    same = slicer.util.getNodes(name, useLists=True).get(name, []) if name and not _PATTERN & set(name) else []
    if len(same) == 1 and same[0] is node:
        return f"slicer.util.getNode({name!r})"
    return f"slicer.mrmlScene.GetNodeByID({node.GetID()!r})"
