"""The file lists of the two CMake files: read, compared with the tree, written anew.

``python -m Testing.harness.cmake_lists`` brings the lists in step with the tree; ``test_cmake_lists.py`` fails until
somebody does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Lists:
    """The two lists of one CMake file, and where its files are installed below ``qt-scripted-modules``."""

    folder: str
    scripts_name: str
    resources_name: str
    installed_in: str


MODULE = Lists("MedSegAI", "MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES", ".")
LIBRARY = Lists("MedSegAILib", "LIBRARY_PYTHON_SCRIPTS", "LIBRARY_PYTHON_RESOURCES", "MedSegAILib")
BOTH = (MODULE, LIBRARY)
# The browser viewer stays out of the extension: it needs trame and slicer-core, which must never meet Slicer's own VTK
# and MRML in one process. It ships in the wheel (extra ``web``).
NOT_IN_SLICER = ("MedSegAISlicer/web/",)


def read(lists: Lists, name: str, checkout: Path = CHECKOUT) -> list[str]:
    """Give the entries of one list as CMake sees them."""
    text = (checkout / lists.folder / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.search(rf"set\({name}\n(.*?)\)", text, re.DOTALL)
    if found is None:
        raise AssertionError(f"{lists.folder}/CMakeLists.txt has no list {name}")
    return found.group(1).replace("${MODULE_NAME}", lists.folder).split()


def in_tree(lists: Lists, checkout: Path = CHECKOUT) -> tuple[list[str], list[str]]:
    """Give the scripts and the resources that lie in the tree."""
    root = checkout / lists.folder
    files = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.name != "CMakeLists.txt"
    ]
    files = [name for name in files if not name.startswith(NOT_IN_SLICER)]
    scripts = [name for name in files if name.endswith(".py")]
    return scripts, [name for name in files if not name.endswith(".py")]


def write(lists: Lists, checkout: Path = CHECKOUT) -> None:
    """Write the lists of one CMake file from the tree."""
    path = checkout / lists.folder / "CMakeLists.txt"
    text = path.read_text(encoding="utf-8")
    for name, entries in zip((lists.scripts_name, lists.resources_name), in_tree(lists, checkout), strict=True):
        block = f"set({name}\n" + "".join(f"  {entry}\n" for entry in entries) + "  )"
        text = re.sub(rf"set\({name}\n.*?\)", lambda _, block=block: block, text, flags=re.DOTALL)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for each in BOTH:
        write(each)
