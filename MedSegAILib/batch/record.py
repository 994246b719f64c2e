"""What is known of a study that was computed: what it was made from, which files it has, its row. Ring 6 (batch).

The key (content of the inputs, package, options, library) decides whether a result still stands; size and time of the
input files spare reading them again to find out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import MedSegAIError
from MedSegAILib.core.run import RunOptions
from MedSegAILib.io.dicom_study import is_dicom
from MedSegAILib.tasks.package import Package
from MedSegAILib.version import VERSION

RECORD_FILE = "study.json"
_CHUNK_BYTES = 1 << 20
Stamp = Mapping[str, Any]


def stamp_of(path: Path) -> dict[str, Any]:
    """Give size in bytes and time of the last change of a file, or of all files of a folder together.

    A DICOM file counts as its folder: the other files of its series lie there.
    """
    files = _files(path)
    facts = [file.stat() for file in files]
    return {
        "files": len(files),
        "bytes": sum(fact.st_size for fact in facts),
        "changed_ns": max((fact.st_mtime_ns for fact in facts), default=0),
    }


def content_sha256(path: Path) -> str:
    """Give the checksum of a file, or of all files of a folder with their names, in the order of their names.

    A DICOM file counts as its folder, as in :func:`stamp_of`.
    """
    digest = hashlib.sha256()
    is_many = _is_many(path)
    for file in _files(path):
        if is_many:
            digest.update(file.name.encode() + b"\0")
        with file.open("rb") as stream:
            while piece := stream.read(_CHUNK_BYTES):
                digest.update(piece)
    return digest.hexdigest()


def terms_of(package: Package, options: RunOptions) -> dict[str, Any]:
    """Give the part of the key that all studies of a batch share: package, options, library."""
    return {
        "task": package.task,
        "package_sha256": package.sha256,
        "package_version": package.version,
        # A checksum that was asked for and is met changes nothing.
        "options": {**options.to_json(), "package_sha256": ""},
        "library": VERSION,
    }


def changed_since(
    record: Mapping[str, Any], inputs: Mapping[str, Path], reference: str, terms: Mapping[str, Any]
) -> str:
    """Say in what a study differs from what a record was made from; empty when it does not.

    Args:
        record: with ``terms``, ``reference``, ``inputs`` (role -> checksum) and ``stamps`` (role -> stamp).
        inputs: role -> path, as they are now.
        reference: role that was named for the grid of the result.
        terms: of the batch now.
    """
    before = record["terms"]
    for name, words in (("task", "task"), ("library", "version of MedSegAI"), ("package_version", "package version")):
        if before[name] != terms[name]:
            return f"another {words}: {before[name]}, now {terms[name]}"
    if before["package_sha256"] != terms["package_sha256"]:
        return f"another package: {before['package_sha256'][:12]}, now {terms['package_sha256'][:12]}"
    # A record of an older version may lack an option.
    for name, value in terms["options"].items():
        if before["options"].get(name) != value:
            return f"another option {name}: {before['options'].get(name)!r}, now {value!r}"
    if set(record["inputs"]) != set(inputs) or record["reference"] != reference:
        return f"other inputs: {', '.join(record['inputs'])}, now {', '.join(inputs)}"
    for role, path in inputs.items():
        # A file that was only copied or touched has the same content, and is read to see it.
        if record["stamps"][role] != stamp_of(path) and record["inputs"][role] != content_sha256(path):
            return f"{role} has changed"
    return ""


def missing_file(record: Mapping[str, Any], folder: Path) -> str:
    """Name a file of a result that is not there as it was written, else give nothing; sizes only are compared."""
    for name, facts in record["files"].items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != facts["bytes"]:
            return str(name)
    return ""


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read the record of a study's folder; None when there is none or it is damaged."""
    try:
        record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    wanted = {"terms", "reference", "inputs", "stamps", "files", "row"}
    return record if isinstance(record, dict) and wanted <= set(record) else None


def describe_files(contents: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Give size and checksum of each file by name."""
    return {
        name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in contents.items()
    }


def is_final(error: MedSegAIError) -> bool:
    """Tell whether an error would come again with the same inputs: not one of memory, disk or a lost process."""
    return error.exit_code in (2, 3, 4)


def _is_many(path: Path) -> bool:
    """Tell whether an input is more than its file: a DICOM file stands for its series, which lies beside it."""
    return path.is_dir() or is_dicom(path)


def _files(path: Path) -> list[Path]:
    if not _is_many(path):
        return [path]
    place = path if path.is_dir() else path.parent
    return sorted(child for child in place.iterdir() if child.is_file() and not child.name.startswith("."))
