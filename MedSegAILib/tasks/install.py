"""Packages come and go: installed from a folder or a zip, removed, written to a zip; whole or not at all.

Nothing is fetched and nothing of a package is executed. Only files of known kinds are taken, so that no pickle and no
code gets in under another name. Ring 3; standard library only, save for looking at the weights.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from MedSegAILib.core.errors import PackageError, ResourceError, UsageError

from .package import MANIFEST, MANIFEST_CHECKSUM, Package, read_package
from .store import package_folders, user_root

# Everything else is refused: pickles (.pt, .pth, .pkl, .bin, .ckpt), archives, code.
KINDS = (".safetensors", ".json", ".md", ".sha256", ".txt", ".csv", ".png", ".nii.gz", ".nrrd")
# A manifest says what to unpack; it is a few kB. More is no manifest.
LARGEST_MANIFEST_BYTES = 8 << 20
ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold: equal packages give equal archives
_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError)
_AGAIN = "Copy the package again from its source."


@dataclass(frozen=True, eq=False)
class Installed:
    """What an installation did.

    Args:
        package: as it lies there now.
        change: "new", "replaced" (another one was there) or "same" (it was there already, sound).
        before: version that was there, "" when none was or it was unreadable.
    """

    package: Package
    change: str
    before: str = ""


def install_package(source: Path, *, replace: bool = False, root: Path | None = None) -> Installed:
    """Install a package for this user.

    Args:
        source: a package folder, or a zip of one.
        replace: whether another version or content of the same task gives way.
        root: where packages are installed; None is the user's own folder.

    Raises:
        UsageError: "install.other_version" when the task is there with other content and ``replace`` is off.
        PackageError: "install.source", "install.archive", "install.kind", and all of ``read_package``; nothing is
            changed then.
        ResourceError: "output.not_writable".
    """
    root = root or user_root()
    with _told_plainly(root):
        root.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".install-", dir=root))
        try:
            new = draft / "package"
            new.mkdir()
            _bring(source, new)
            package = read_package(new)
            for name in package.checksums:
                if name.endswith(".safetensors"):
                    package.weights(name)  # a pickle with another suffix ends here
            return _put(package, root / package.task, draft / "before", replace=replace)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def remove_package(task: str, root: Path | None = None) -> Path:
    """Remove a package that this user installed; give the folder it was in.

    Raises:
        UsageError: "remove.not_installed" when the user did not install it; the hint says where it lies instead.
        ResourceError: "output.not_writable".
    """
    root = root or user_root()
    folder = installed_folder(task, root)
    if folder is None:
        elsewhere = [place for place in package_folders() if _task_of(place) == task]
        raise UsageError(
            "remove.not_installed",
            f"The task {task!r} was not installed by this user.",
            f"It lies in {elsewhere[0]} and is not removed from there."
            if elsewhere
            else "See `medsegai models list` for what is there.",
        )
    with _told_plainly(root):
        # Renamed first: a folder that is half deleted must not be taken for a damaged package.
        gone = Path(tempfile.mkdtemp(prefix=".removed-", dir=root))
        folder.replace(gone / folder.name)
        shutil.rmtree(gone)
    return folder


def installed_folder(task: str, root: Path | None = None) -> Path | None:
    """Give the folder of an installed package, sound or not; None when the user did not install it."""
    root = root or user_root()
    if not root.is_dir():
        return None
    folders = [place for place in sorted(root.iterdir()) if (place / MANIFEST).is_file() or place.name == task]
    return next((place for place in folders if place.is_dir() and _task_of(place) == task), None)


def zip_package(package: Package, file: Path) -> Path:
    """Write a package as a zip, the same bytes each time.

    Raises:
        UsageError: "output.exists".
        ResourceError: "output.not_writable".
    """
    if file.exists():
        raise UsageError("output.exists", f"The file {file} is there.", "Give another file, or remove it.")
    with _told_plainly(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".zip-", delete=False) as part:
            try:
                with zipfile.ZipFile(part, "w", allowZip64=True) as archive:
                    for name in (MANIFEST, MANIFEST_CHECKSUM, *sorted(package.checksums)):
                        entry = zipfile.ZipInfo(f"{package.task}/{name}", ZIP_DATE)
                        entry.external_attr = 0o644 << 16
                        # Weights do not shrink; packing them costs minutes on large ones.
                        stored = name.endswith(".safetensors")
                        entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                        archive.writestr(entry, (package.folder / name).read_bytes())
                Path(part.name).chmod(0o644)
                Path(part.name).replace(file)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    return file


def _put(package: Package, place: Path, aside: Path, *, replace: bool) -> Installed:
    """Move a checked draft to its place; what was there comes back when that fails."""
    before = _version_of(place)
    if place.exists():
        if _is_same(package, place):
            return Installed(read_package(place), "same", before)
        if not replace:
            raise UsageError(
                "install.other_version",
                f"{package.task} {before or '(unreadable)'} is installed; the new one is {package.version}.",
                "Add --replace to put the new one in its place.",
            )
        place.replace(aside)
    for path in package.folder.iterdir():
        path.chmod(0o644)
    package.folder.chmod(0o755)
    try:
        package.folder.replace(place)
    except OSError:
        if aside.exists():
            aside.replace(place)
        raise
    return Installed(read_package(place), "replaced" if aside.exists() else "new", before)


def _is_same(package: Package, place: Path) -> bool:
    try:
        return read_package(place).manifest == package.manifest
    except PackageError:
        return False


def _bring(source: Path, draft: Path) -> None:
    """Copy the files that the manifest lists, and no others."""
    if source.is_dir():
        manifest = source / MANIFEST
        names = _listed(manifest.read_bytes() if manifest.is_file() else b"", source.name)
        for name in names:
            if (source / name).is_file():  # a missing one is named by read_package
                shutil.copyfile(source / name, draft / name)
    elif zipfile.is_zipfile(source):
        try:
            with zipfile.ZipFile(source) as archive:
                _unpack(archive, draft, source.name)
        except _ZIP_ERRORS as error:
            raise PackageError(
                "install.archive", f"The archive {source.name} is damaged ({type(error).__name__}).", _AGAIN
            ) from error
    else:
        raise PackageError(
            "install.source",
            f"{source.name} is neither a folder nor a zip." if source.exists() else f"{source.name} is not there.",
            "Give the folder of a package, or its zip.",
        )


def _unpack(archive: zipfile.ZipFile, draft: Path, name: str) -> None:
    manifests = [entry for entry in archive.infolist() if PurePosixPath(entry.filename).name == MANIFEST]
    if len(manifests) != 1 or manifests[0].file_size > LARGEST_MANIFEST_BYTES:
        raise PackageError(
            "install.archive", f"The archive {name} holds {len(manifests)} files {MANIFEST}, wanted one.", _AGAIN
        )
    top = manifests[0].filename.removesuffix(MANIFEST)
    entries = {entry.filename: entry for entry in archive.infolist()}
    wanted = [found for file in _listed(archive.read(manifests[0]), name) if (found := entries.get(top + file))]
    needed = sum(entry.file_size for entry in wanted)
    if needed > (free := shutil.disk_usage(draft).free):
        raise ResourceError(
            "output.disk_full",
            f"The disk is full: {free / 1e6:.1f} MB are free, {needed / 1e6:.1f} MB are needed.",
            "Make room, then run again.",
        )
    for entry in wanted:
        # The name is checked in _listed: it has no path in it.
        with archive.open(entry) as packed, (draft / entry.filename.removeprefix(top)).open("wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)


def _listed(manifest: bytes, name: str) -> list[str]:
    """Give the names that a manifest lists; refuse paths and kinds that no package has."""
    try:
        files = list(json.loads(manifest)["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise PackageError(
            "install.source", f"{name} is no package: it has no readable {MANIFEST}.", "Give the folder or zip of one."
        ) from error
    for file in files:
        if not isinstance(file, str) or PurePosixPath(file).name != file or "\\" in file or ":" in file:
            raise PackageError("install.kind", f"{name} lists {file!r}, which is no plain file name.", _AGAIN)
        if not file.lower().endswith(KINDS):
            raise PackageError(
                "install.kind",
                f"{name} holds {file}; a package holds {', '.join(KINDS)} only, never pickles or code.",
                "Convert the weights to safetensors: `medsegai models create`.",
            )
    return [MANIFEST, MANIFEST_CHECKSUM, *files]


def _task_of(folder: Path) -> str:
    """Give the task that a manifest names; the folder's own name when it cannot be read."""
    try:
        return str(json.loads((folder / MANIFEST).read_bytes())["task"])
    except (OSError, ValueError, KeyError, TypeError):
        return folder.name


def _version_of(folder: Path) -> str:
    try:
        return str(json.loads((folder / MANIFEST).read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@contextmanager
def _told_plainly(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ResourceError(
            "output.not_writable",
            f"{folder} cannot be written ({error.strerror or type(error).__name__}).",
            "Give a folder in which you may write, with enough space.",
        ) from error
