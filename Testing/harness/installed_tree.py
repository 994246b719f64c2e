"""Builds, from the CMake lists alone, the folder that Slicer would install: flat, read-only, without the checkout.

Rules of the macros (slicerMacroBuildScriptedModule, ctkMacroCompilePythonScript): a listed path keeps its folders below
``qt-scripted-modules``; with WITH_SUBDIR everything lies below a folder named as that of the CMake file; what is not
listed is not there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from .cmake_lists import BOTH, CHECKOUT, read


def build(target: Path, checkout: Path = CHECKOUT) -> Path:
    """Copy every listed file and take the write permission away.

    Args:
        target: folder that does not exist yet.
        checkout: where the CMake lists and the files are.

    Returns:
        The folder ``qt-scripted-modules``.
    """
    tree = target / "lib" / "MedSegAI" / "qt-scripted-modules"
    for lists in BOTH:
        for name in (lists.scripts_name, lists.resources_name):
            for entry in read(lists, name, checkout):
                copy = tree / lists.installed_in / entry
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(checkout / lists.folder / entry, copy)
    for folder, _, files in os.walk(tree):
        for name in files:
            (Path(folder) / name).chmod(stat.S_IRUSR)
        Path(folder).chmod(stat.S_IRUSR | stat.S_IXUSR)
    return tree


def unlock(tree: Path) -> None:
    """Give the write permission back, so that the folder can be removed."""
    for folder, _, _ in os.walk(tree):
        Path(folder).chmod(stat.S_IRWXU)


def fingerprint(tree: Path) -> dict[str, str]:
    """Give the sha256 of every file; tests run as root, who may write anywhere, so permission alone proves nothing."""
    return {
        path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(tree.rglob("*"))
        if path.is_file()
    }
