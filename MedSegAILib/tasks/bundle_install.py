"""Install an offline bundle, and repair an installation from it: what is missing or altered is put back and named.

Ring 3; nothing is fetched.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import PackageError

from .bundle import Bundle, check_bundle
from .install import install_package, installed_folder
from .package import MANIFEST, read_package
from .wheels import broken_files, install_wheels


@dataclass(frozen=True)
class Change:
    """What was done to one part.

    Args:
        part: "package brain-tumor" or "library numpy".
        version: that is there now.
        change: "installed", "replaced", "repaired", "unchanged" or "kept" (another version is there and sound).
        files: the files that were missing or altered.
    """

    part: str
    version: str
    change: str
    files: tuple[str, ...] = ()


def install_bundle(bundle: Bundle, libraries: Path | None = None, *, replace: bool = False) -> list[Change]:
    """Install every package for this user, and the wheels into a folder when one is given.

    Args:
        bundle: from ``read_bundle``.
        libraries: folder for the wheels; None leaves them.
        replace: whether packages of another version give way.

    Raises:
        PackageError: "bundle.damaged" with the files, before anything is installed.
        UsageError: "install.other_version". SetupError: "bundle.pip". ResourceError: "output.not_writable".
    """
    _check_whole(bundle)
    changes = []
    for entry in bundle.packages:
        done = install_package(_zip(bundle, entry), replace=replace)
        words = {"new": "installed", "replaced": "replaced", "same": "unchanged"}
        changes.append(Change(f"package {entry['task']}", done.package.version, words[done.change]))
    if libraries is not None:
        changes += _mend_wheels(bundle, libraries, "installed")
    return changes


def repair_bundle(bundle: Bundle, libraries: Path | None = None) -> list[Change]:
    """Compare what is installed with the bundle and put back what is missing or altered.

    A sound package of another version is kept: it is another choice, not damage. Arguments and errors as
    :func:`install_bundle`.
    """
    _check_whole(bundle)
    changes = [_repair_package(bundle, entry) for entry in bundle.packages]
    if libraries is not None:
        changes += _mend_wheels(bundle, libraries, "repaired")
    return changes


def _repair_package(bundle: Bundle, entry: dict[str, Any]) -> Change:
    task = str(entry["task"])
    folder = installed_folder(task)
    if folder is None:
        done = install_package(_zip(bundle, entry))
        return Change(f"package {task}", done.package.version, "installed")
    try:
        there = read_package(folder)
    except PackageError as error:
        files = _broken_in(folder, bundle, entry) or (str(error.details.get("file", MANIFEST)),)
        done = install_package(_zip(bundle, entry), replace=True)
        return Change(f"package {task}", done.package.version, "repaired", files)
    same = there.version == entry["version"]
    return Change(f"package {task}", there.version, "unchanged" if same else "kept")


def _broken_in(folder: Path, bundle: Bundle, entry: dict[str, Any]) -> tuple[str, ...]:
    """Name the files of an installed package that differ from those in the bundle."""
    with zipfile.ZipFile(_zip(bundle, entry)) as archive:
        names = {name.rpartition("/")[2]: archive.read(name) for name in archive.namelist()}
    broken = []
    for name, content in sorted(names.items()):
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            broken.append(name)
    return tuple(broken)


def _mend_wheels(bundle: Bundle, libraries: Path, word: str) -> list[Change]:
    """Install the wheels whose files are missing or altered in the folder."""
    libraries.mkdir(parents=True, exist_ok=True)
    broken = {wheel: broken_files(bundle.folder / "wheels" / wheel.file, libraries) for wheel in bundle.wheels}
    wanted = [wheel for wheel, files in broken.items() if files]
    if wanted:
        install_wheels([bundle.folder / "wheels" / wheel.file for wheel in wanted], libraries)
    return [
        Change(
            f"library {wheel.name}",
            wheel.version,
            word if files else "unchanged",
            tuple(files) if word == "repaired" else (),
        )
        for wheel, files in broken.items()
    ]


def _zip(bundle: Bundle, entry: dict[str, Any]) -> Path:
    return bundle.folder / "packages" / str(entry["file"])


def _check_whole(bundle: Bundle) -> None:
    faults = check_bundle(bundle)
    if faults:
        first = faults[0]
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise PackageError(
            "bundle.damaged",
            f"{first.file} of the bundle {bundle.folder.name} is {first.what}{more}; nothing was installed.",
            "Copy the bundle again from its source; `medsegai bundle check` lists every file.",
            faults=[vars(fault) for fault in faults],
        )
