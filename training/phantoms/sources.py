"""Which code draws the phantoms of a task: what the cache of prepared studies depends on. Beside the library."""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).parent
# The module that draws, by task; ``draw_phantom`` calls it.
MODULES = {
    "brain-tumor": "brain",
    "pancreas": "abdomen",
    "prostate": "pelvis",
    "hand-bones": "hand",
    "brain-tissue": "tissue",
    "hippocampus": "tissue",
}


def sources(task: str) -> list[str]:
    """Give the source of the module that draws a task's phantoms, and of all modules here that it builds on.

    A change of another task's anatomy then costs this task no hour of drawing.
    """
    found: dict[str, str] = {}
    wanted = [MODULES[task]]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
            wanted += _siblings(found[name])
    return [found[name] for name in sorted(found)]


def _siblings(code: str) -> list[str]:
    """Give the modules of this folder that a module imports."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom) and node.level == 1]
    return [node.module for node in nodes if node.module]
