"""A package folder is written whole or not at all: files, manifest, checksums; then read back. Ring 3."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import ResourceError, UsageError

from .package import MANIFEST, MANIFEST_CHECKSUM, Package, read_package, sha256


@contextmanager
def package_draft(folder: Path) -> Iterator[Path]:
    """Give a folder beside the wanted one; it is gone afterwards unless :func:`seal` moved it.

    Args:
        folder: of the package, new or empty.

    Raises:
        UsageError: "output.exists" when it holds files, "output.not_a_folder".
        ResourceError: "output.not_writable".
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError("output.not_a_folder", f"{folder} is a file, not a folder.", "Give another folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError("output.exists", f"The folder {folder} is not empty.", "Give another folder, or empty it.")
    draft: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        yield draft
    except OSError as error:
        raise ResourceError(
            "output.not_writable",
            f"{folder} cannot be written ({error.strerror}).",
            "Give a folder in which you may write, with enough space.",
        ) from error
    finally:
        if draft is not None:
            shutil.rmtree(draft, ignore_errors=True)


def seal(draft: Path, manifest: Mapping[str, Any], folder: Path) -> Package:
    """Write the manifest with the checksum of every file, read the package back, and put it in its place.

    Args:
        draft: from :func:`package_draft`, with all other files.
        manifest: without ``files``.
        folder: of the package.

    Raises:
        PackageError: the package is not sound; see ``read_package``.
    """
    files = {path.name: sha256(path.read_bytes()) for path in sorted(draft.iterdir())}
    content = (json.dumps({**manifest, "files": files}, indent=1) + "\n").encode()
    # Bytes: a change of line ends would give another checksum on another system.
    (draft / MANIFEST).write_bytes(content)
    (draft / MANIFEST_CHECKSUM).write_bytes(f"{sha256(content)}  {MANIFEST}\n".encode())
    for path in draft.iterdir():
        path.chmod(0o644)  # an installed package is read by all
    draft.chmod(0o755)
    read_package(draft)
    if folder.is_dir():
        folder.rmdir()  # empty, see package_draft
    draft.replace(folder)
    return read_package(folder)
