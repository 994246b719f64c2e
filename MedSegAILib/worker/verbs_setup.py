"""The verbs about the installation itself: doctor, offline bundle, libraries from the network. Ring 7 (worker)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAILib.core.run import Cancel, ProgressCallback

from .bootstrap import default_site

Arguments = Mapping[str, Any]


def doctor(_arguments: Arguments, _folder: Path, _progress: ProgressCallback, _cancel: Cancel) -> dict[str, Any]:
    """Examine the installation as the worker sees it."""
    from MedSegAILib.tasks.health import examine

    return examine()


def bundle_look(arguments: Arguments, _folder: Path, _progress: ProgressCallback, _cancel: Cancel) -> dict[str, Any]:
    """Say what a bundle holds and where it would go; nothing is installed. ``arguments``: "bundle", a folder."""
    from MedSegAILib.tasks.bundle import check_bundle, read_bundle

    bundle = read_bundle(Path(str(arguments["bundle"])))
    packages = bundle.folder / "packages"
    parts = [
        _part(f"package {entry['task']}", str(entry["version"]), str(entry["license"]), packages / str(entry["file"]))
        for entry in bundle.packages
    ]
    parts += [
        _part(f"library {wheel.name}", wheel.version, wheel.license, path)
        for wheel, path in zip(bundle.wheels, bundle.wheel_files(), strict=True)
    ]
    faults = [f"{fault.file} is {fault.what}" for fault in check_bundle(bundle)]
    return {"parts": parts, "faults": faults, "libraries_to": str(default_site(os.environ))}


def bundle_install(arguments: Arguments, _folder: Path, _progress: ProgressCallback, _cancel: Cancel) -> dict[str, Any]:
    """Install a bundle: packages for this user, libraries into the private folder that only the worker sees."""
    from MedSegAILib.tasks.bundle import read_bundle
    from MedSegAILib.tasks.bundle_install import install_bundle

    bundle = read_bundle(Path(str(arguments["bundle"])))
    return _told(install_bundle(bundle, _libraries(bundle)))


def bundle_repair(arguments: Arguments, _folder: Path, _progress: ProgressCallback, _cancel: Cancel) -> dict[str, Any]:
    """Put back what is missing or altered."""
    from MedSegAILib.tasks.bundle import read_bundle
    from MedSegAILib.tasks.bundle_install import repair_bundle

    bundle = read_bundle(Path(str(arguments["bundle"])))
    return _told(repair_bundle(bundle, _libraries(bundle)))


def libraries_look(
    _arguments: Arguments, _folder: Path, _progress: ProgressCallback, _cancel: Cancel
) -> dict[str, Any]:
    """Say which libraries are missing, how large they are and where they would go; the network is not asked."""
    from MedSegAILib.tasks.libraries import missing_libraries

    parts = [
        {
            "name": f"library {library.name}",
            "version": library.versions,
            "license": library.license,
            "bytes": round(library.download_mb * 1e6),
        }
        for library in missing_libraries()
    ]
    names = [library.name for library in missing_libraries()]
    return {"parts": parts, "names": names, "faults": [], "libraries_to": str(default_site(os.environ))}


def libraries_install(
    arguments: Arguments, _folder: Path, progress: ProgressCallback, cancel: Cancel
) -> dict[str, Any]:
    """Fetch from the network what was shown and agreed to; ``arguments``: "names" that ``libraries_look`` gave."""
    from MedSegAILib.tasks.libraries import fetch_libraries, missing_libraries

    agreed = set(arguments["names"])
    wanted = [library for library in missing_libraries() if library.name in agreed]
    return _told(fetch_libraries(wanted, default_site(os.environ), progress, cancel))


def _libraries(bundle: Any) -> Path | None:
    return default_site(os.environ) if bundle.wheels else None


def _part(name: str, version: str, license_name: str, path: Path) -> dict[str, Any]:
    size = path.stat().st_size if path.is_file() else 0
    return {"name": name, "version": version, "license": license_name, "bytes": size}


def _told(changes: list[Any]) -> dict[str, Any]:
    return {"changes": [{**vars(change), "files": list(change.files)} for change in changes]}
