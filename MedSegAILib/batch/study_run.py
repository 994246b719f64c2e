"""One study from files to files, in whatever process or machine: read, segment, write the folder whole. Ring 6 (batch).

Nothing here knows of other studies or of the ledger. What a user can understand comes back as a failure; a defect goes
up to the process that runs this, which ends, and whoever waits for it takes note.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import InputError, MedSegAIError, SetupError
from MedSegAILib.core.result import Notice
from MedSegAILib.core.run import Cancel, ProgressCallback, RunOptions, ignore_progress
from MedSegAILib.tasks.package import Package
from MedSegAILib.tasks.store import find_package
from MedSegAILib.version import VERSION

from .names import without_names
from .record import RECORD_FILE, content_sha256, describe_files, read_record, stamp_of

STUDIES_FOLDER = "studies"
PREVIEW_FILE = "preview.jpg"
# A worker of a cluster may have several threads; the network and the memory plan count on one run at a time.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class StudyJob:
    """Everything that a process needs to know of a study; JSON-able.

    Args:
        study: its id.
        inputs: role -> path, absolute.
        reference: role whose grid the result lies on, or empty.
        output: folder of the batch, absolute.
        terms: the shared part of the key, see ``record.terms_of``.
        packages: further folders in which the package is looked for.
        keep_names: messages may quote names of files.
        notices: of how the inputs were found, to stand on the result.
    """

    study: str
    inputs: Mapping[str, str]
    reference: str
    output: str
    terms: Mapping[str, Any]
    packages: tuple[str, ...] = ()
    keep_names: bool = False
    notices: tuple[Mapping[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary; ``StudyJob(**d)`` reads it back."""
        return {**asdict(self), "packages": list(self.packages)}

    @property
    def folder(self) -> Path:
        """Where the files of the study go."""
        return Path(self.output) / STUDIES_FOLDER / self.study

    def plain(self, text: str) -> str:
        """Give a message without names of files and folders, unless they were asked for."""
        if self.keep_names:
            return text
        quoted = {path: role for role, path in self.inputs.items()}
        quoted |= {Path(path).name: f"the file of {role}" for role, path in self.inputs.items()}
        quoted |= {Path(path).parent.name: "the study's folder" for path in self.inputs.values()}
        # A short name ("T1") may be any word of the message.
        return without_names(text, {name: role for name, role in quoted.items() if len(name) > 3})


def run_study(job: Mapping[str, Any], progress: ProgressCallback = ignore_progress) -> dict[str, Any]:
    """Segment a study and write its folder whole.

    Args:
        job: a :class:`StudyJob` as JSON.
        progress: called with every step.

    Returns:
        ``{"study", "record"}`` when its folder stands, or ``{"study", "error", "inputs", "stamps"}``; with
        ``memory_mb``, what the process holds now.
    """
    wanted = StudyJob(**{**job, "packages": tuple(job["packages"])})
    with _ONE_AT_A_TIME:
        try:
            outcome: dict[str, Any] = {"record": _run(wanted, progress)}
        except MedSegAIError as error:
            outcome = _failure(wanted, error)
        gc.collect()
    return {"study": wanted.study, **outcome, "memory_mb": held_mb()}


def held_mb() -> float:
    """Give the memory that this process holds now (resident), in MB."""
    import psutil

    return round(float(psutil.Process().memory_info().rss) / 1e6, 1)


def failure_of(job: StudyJob, error: MedSegAIError) -> dict[str, Any]:
    """Give the outcome of a study that failed, as :func:`run_study` would."""
    return {"study": job.study, **_failure(job, error), "memory_mb": 0.0}


def _failure(job: StudyJob, error: MedSegAIError) -> dict[str, Any]:
    told = {**error.to_json(), "message": job.plain(error.message), "hint": job.plain(error.hint), "details": {}}
    stamps = {role: stamp_of(Path(path)) for role, path in job.inputs.items() if Path(path).exists()}
    return {"error": told, "inputs": sorted(job.inputs), "stamps": stamps}


def _run(job: StudyJob, progress: ProgressCallback) -> dict[str, Any]:
    from MedSegAILib.io.atomic import write_folder

    started_s = time.monotonic()
    _check_place(job)
    package = _package(str(job.terms["task"]), job.packages)
    package.refuse_other_than(str(job.terms["package_sha256"]))
    paths = {role: Path(path) for role, path in job.inputs.items()}
    for role, path in paths.items():
        if not path.exists():
            raise InputError("file.missing", f"The file of {role} is not there.", "Check the path.")
    # Before the voxels are read: a file that changes meanwhile has another stamp then, and is read again.
    stamps = {role: stamp_of(path) for role, path in paths.items()}
    inputs = {role: content_sha256(path) for role, path in paths.items()}
    contents, row = _segment(job, package, paths, progress)
    row["seconds"] = round(time.monotonic() - started_s, 2)
    record = {
        "study": job.study,
        "terms": dict(job.terms),
        "reference": job.reference,
        "inputs": inputs,
        "stamps": stamps,
        "files": describe_files(contents),
        "row": row,
    }
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    _clear(job.folder)
    if not write_folder(job.folder, {**contents, RECORD_FILE: text.encode()}):
        # Computed twice, because a lost worker was not lost: the first result stands.
        return read_record(job.folder) or record
    return record


def _segment(
    job: StudyJob, package: Package, paths: Mapping[str, Path], progress: ProgressCallback
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Give the files of the result and its row."""
    from MedSegAILib.io.case_files import read_case_with_notices
    from MedSegAILib.report.outputs import output_contents, reference_of
    from MedSegAILib.report.preview import preview_jpeg
    from MedSegAILib.report.study_row import row_of
    from MedSegAILib.tasks.history import remember
    from MedSegAILib.tasks.pipeline import segment

    reference = job.reference or next((role for role in package.reference if role in paths), "")
    case, notices = read_case_with_notices(paths, reference, job.study)
    options = RunOptions(**{**job.terms["options"], "package_sha256": str(job.terms["package_sha256"])})
    result = segment(case, package, options, progress, Cancel())
    plain = tuple(
        replace(notice, message=job.plain(notice.message), hint=job.plain(notice.hint))
        for notice in (*(Notice(**told) for told in job.notices), *notices, *result.notices)
    )
    result = replace(result, notices=plain)
    contents = output_contents(result, case)
    contents[PREVIEW_FILE] = preview_jpeg(result, reference_of(result, case))
    remember(result.passport)
    return contents, row_of(result, package.title)


def _check_place(job: StudyJob) -> None:
    if not Path(job.output).is_dir():
        raise SetupError(
            "batch.not_shared",
            "The output folder of the batch is not there on the machine of this worker.",
            "Give a folder that all workers share under the same path.",
        )
    if job.terms["library"] != VERSION:
        raise SetupError(
            "batch.version",
            f"The worker has MedSegAI {VERSION}, the batch {job.terms['library']}.",
            "Install the same version on all machines.",
        )


def _clear(folder: Path) -> None:
    """Take an earlier result away: aside first, so that no half of it is ever seen under its name."""
    if folder.exists():
        aside = folder.with_name(f".old-{folder.name}-{os.getpid()}")
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


@lru_cache(maxsize=4)
def _package(task: str, packages: tuple[str, ...]) -> Package:
    """Find a package once for all studies: every file of it is checked against its checksum."""
    return find_package(task, tuple(Path(folder) for folder in packages))
