"""An offline bundle: packages and wheels in one folder that a hospital can read, check and install without network.

Made and checked here; installed and repaired in ``bundle_install``. ``bundle.sha256`` is in the form of ``sha256sum``,
so that IT can check it with its own tool. No address of a registry is in any file of ours. Ring 3.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import PackageError, ResourceError, UsageError
from MedSegAILib.core.result import RESEARCH_USE
from MedSegAILib.version import VERSION

from .install import zip_package
from .package import Package
from .store import find_package
from .wheels import Wheel, read_wheel

FORMAT = 1
KIND = "MedSegAI offline bundle"
MANIFEST, CHECKSUMS = "bundle.json", "bundle.sha256"
CHUNK_BYTES = 1 << 20
_MAKE_AGAIN = "Copy the bundle again from its source, or make it again."


@dataclass(frozen=True)
class Fault:
    """A file that is not as the bundle says: its name, and what is wrong ("missing", "altered", "not listed")."""

    file: str
    what: str


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle whose list of contents is sound.

    Args:
        folder: where it lies.
        packages: ``{task, version, license, file, ...}``.
        wheels: in the order of their names.
        checksums: sha256 of every file but the list of checksums, by path in the bundle.
    """

    folder: Path
    packages: tuple[dict[str, Any], ...]
    wheels: tuple[Wheel, ...]
    checksums: dict[str, str]

    def wheel_files(self) -> list[Path]:
        """Give the paths of the wheels."""
        return [self.folder / "wheels" / wheel.file for wheel in self.wheels]


def create_bundle(folder: Path, tasks: Sequence[str], wheels: Path | None = None) -> Bundle:
    """Write a bundle, whole or not at all.

    Args:
        folder: new or empty.
        tasks: whose packages go in; each is checked first.
        wheels: folder of ``.whl`` files, or None; nothing is fetched.

    Raises:
        UsageError: "output.exists"; "bundle.empty" without a task and a wheel; "bundle.wheels" without a wheel in the
            folder.
        PackageError: "package.*", "bundle.wheel". ResourceError: "output.not_writable".
    """
    packages = [find_package(task) for task in dict.fromkeys(tasks)]
    files = sorted(wheels.glob("*.whl")) if wheels else []
    if wheels and not files:
        raise UsageError("bundle.wheels", f"The folder {wheels} holds no wheel.", "Give a folder with .whl files.")
    if not packages and not files:
        raise UsageError("bundle.empty", "Nothing was named for the bundle.", "Name a task: --task brain-tumor.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("output.exists", f"The folder {folder} is not empty.", "Give another folder, or empty it.")
    told = [read_wheel(file) for file in files]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
            draft = Path(name) / "bundle"
            _fill(draft, packages, files, told)
            if folder.is_dir():
                folder.rmdir()
            draft.replace(folder)
    except OSError as error:
        raise ResourceError(
            "output.not_writable",
            f"{folder} cannot be written ({error.strerror or type(error).__name__}).",
            "Give a folder in which you may write, with enough space.",
        ) from error
    return read_bundle(folder)


def read_bundle(folder: Path) -> Bundle:
    """Read the contents of a bundle and check the list itself; the other files are checked by :func:`check_bundle`.

    Raises:
        PackageError: "bundle.missing" when there is no bundle; "bundle.manifest" when its list was altered.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file() or not (folder / CHECKSUMS).is_file():
        raise PackageError(
            "bundle.missing", f"{folder.name} holds no {MANIFEST} with {CHECKSUMS}.", "Give the folder of a bundle."
        )
    try:
        checksums = _read_checksums(folder / CHECKSUMS)
        content = json.loads(manifest.read_bytes())
        if checksums.get(MANIFEST) != file_sha256(manifest) or content["kind"] != KIND or content["format"] != FORMAT:
            raise ValueError("it was altered, or is of another kind")
        packages = tuple(dict(entry) for entry in content["packages"])
        wheels = tuple(Wheel(**entry) for entry in content["wheels"])
        listed = {f"packages/{entry['file']}" for entry in packages} | {f"wheels/{wheel.file}" for wheel in wheels}
        if not listed <= set(checksums):
            raise ValueError("it lists files without a checksum")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PackageError(
            "bundle.manifest", f"The list of the bundle {folder.name} cannot be trusted: {error}.", _MAKE_AGAIN
        ) from error
    return Bundle(folder, packages, wheels, checksums)


def check_bundle(bundle: Bundle) -> list[Fault]:
    """Compare every file with its checksum; give what is missing, altered or not listed."""
    faults = []
    for name, wanted in bundle.checksums.items():
        path = bundle.folder / name
        if not path.is_file():
            faults.append(Fault(name, "missing"))
        elif file_sha256(path) != wanted:
            faults.append(Fault(name, "altered"))
    known = {*bundle.checksums, CHECKSUMS}
    there = sorted(path.relative_to(bundle.folder).as_posix() for path in bundle.folder.rglob("*") if path.is_file())
    return faults + [Fault(name, "not listed") for name in there if name not in known]


def file_sha256(path: Path) -> str:
    """Give the checksum of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _fill(draft: Path, packages: Sequence[Package], files: Sequence[Path], wheels: Sequence[Wheel]) -> None:
    (draft / "packages").mkdir(parents=True)
    entries = []
    for package in packages:
        file = f"{package.task}-{package.version}.zip"
        zip_package(package, draft / "packages" / file)
        texts = {key: package.manifest[key] for key in ("title", "license", "intended_use", "trained_on", "not_for")}
        entries.append({"task": package.task, "version": package.version, "file": file, **texts})
    if files:
        (draft / "wheels").mkdir()
    for path in files:
        shutil.copyfile(path, draft / "wheels" / path.name)
    content = {
        "kind": KIND,
        "format": FORMAT,
        "library": VERSION,
        "use": RESEARCH_USE,
        "packages": entries,
        "wheels": [asdict(wheel) for wheel in wheels],
    }
    (draft / MANIFEST).write_bytes((json.dumps(content, indent=1) + "\n").encode())
    (draft / "LICENSES.md").write_bytes(_licenses(entries, wheels).encode())
    (draft / "README.md").write_bytes(_readme(entries, wheels).encode())
    names = sorted(path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file())
    lines = [f"{file_sha256(draft / name)}  {name}\n" for name in names]
    (draft / CHECKSUMS).write_bytes("".join(lines).encode())


def _read_checksums(path: Path) -> dict[str, str]:
    checksums = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or name.startswith("/") or ".." in Path(name).parts or ":" in name:
            raise ValueError(f"{path.name} has a line that is none")
        checksums[name] = digest
    return checksums


def _licenses(packages: Sequence[dict[str, Any]], wheels: Sequence[Wheel]) -> str:
    rows = [f"| package {entry['task']} | {entry['version']} | {entry['license']} |" for entry in packages]
    rows += [f"| library {wheel.name} | {wheel.version} | {wheel.license} |" for wheel in wheels]
    head = ["# Licenses", "", f"{RESEARCH_USE} As each part states its own; texts lie inside the wheels.", ""]
    return "\n".join([*head, "| Part | Version | License |", "|---|---|---|", *rows, ""])


def _readme(packages: Sequence[dict[str, Any]], wheels: Sequence[Wheel]) -> str:
    tasks = ", ".join(f"{entry['task']} {entry['version']}" for entry in packages) or "none"
    return "\n".join(
        [
            f"# {KIND}",
            "",
            f"Made by MedSegAI {VERSION}. {RESEARCH_USE}",
            "",
            f"Packages: {tasks}. Libraries: {len(wheels)} wheels. Nothing here needs a network.",
            "",
            "    sha256sum -c bundle.sha256          checks every file without our software",
            "    medsegai bundle check FOLDER        the same, and names files that are not listed",
            "    medsegai bundle install FOLDER      installs the packages for this user",
            "    medsegai bundle repair FOLDER       puts back what is missing or altered, and names it",
            "",
            f"`{MANIFEST}` lists the contents, `LICENSES.md` the licenses.",
            "",
        ]
    )
