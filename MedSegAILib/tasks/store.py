"""Where packages lie and how one is found; no network is loaded and nothing is fetched. Ring 3."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from MedSegAILib.core.errors import PackageError

from .package import MANIFEST, Package, read_package

SHIPPED = Path(__file__).resolve().parent.parent / "packages"
VARIABLE = "MEDSEGAI_PACKAGES"


def user_root() -> Path:
    """Give the folder of the packages that this user installed; it may not be there yet."""
    return Path.home() / ".MedSegAI" / "packages"


def package_roots(extra: Sequence[Path] = ()) -> list[Path]:
    """Give the folders that hold packages, in the order in which they are searched.

    Args:
        extra: searched first; then the environment variable MEDSEGAI_PACKAGES, the user's own folder
            ``~/.MedSegAI/packages``, and the packages that ship with the library.
    """
    named = [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    return [*extra, *named, user_root(), SHIPPED]


def package_folders(extra: Sequence[Path] = ()) -> list[Path]:
    """Give every folder with a manifest; a root may be a package itself. Nothing is checked yet."""
    folders = []
    for root in package_roots(extra):
        if (root / MANIFEST).is_file():
            folders.append(root)
        elif root.is_dir():
            folders.extend(sorted(child for child in root.iterdir() if (child / MANIFEST).is_file()))
    return folders


def list_packages(extra: Sequence[Path] = ()) -> tuple[list[Package], list[PackageError]]:
    """Read all packages.

    Returns:
        The first sound package of each task, and one error for each package that was refused.
    """
    packages: dict[str, Package] = {}
    refused = []
    for folder in package_folders(extra):
        try:
            package = read_package(folder)
        except PackageError as error:
            refused.append(error)
        else:
            packages.setdefault(package.task, package)
    return list(packages.values()), refused


def find_package(task: str, extra: Sequence[Path] = ()) -> Package:
    """Give the package of a task; the first place that has it wins.

    Raises:
        PackageError: "package.unknown" with the tasks there are; the package's own error when the folder that
            carries the task's name is refused: an altered package never gives way to another one in silence.
    """
    known = []
    for folder in package_folders(extra):
        try:
            package = read_package(folder)
        except PackageError:
            if folder.name == task:
                raise
            continue
        if package.task == task:
            return package
        known.append(package.task)
    raise PackageError(
        "package.unknown",
        f"There is no package for the task {task!r}.",
        f"Installed: {', '.join(sorted(set(known))) or 'none'}.",
    )
