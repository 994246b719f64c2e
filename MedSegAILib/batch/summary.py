"""The end of a batch: tables and pages from the ledger, and what the caller gets. Ring 6 (batch).

Tables and pages are written anew each time, from the ledger alone, so a batch that was stopped and resumed has the
same ones as one that ran through.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from MedSegAILib.io.atomic import write_files
from MedSegAILib.report.batch_tables import (
    FailedLine,
    ResultLine,
    failed_csv,
    results_csv,
    worst_first,
    worst_first_csv,
)
from MedSegAILib.report.file_names import OVERLAY_FILE
from MedSegAILib.report.html_batch import write_batch_page
from MedSegAILib.report.html_study import study_page

from .ledger import DONE, Entry
from .studies import Study
from .study_run import PREVIEW_FILE, STUDIES_FOLDER

RESULTS_FILE, FAILED_FILE, WORST_FILE, REPORT_FILE = "results.csv", "failed.csv", "worst_first.csv", "report.html"
KEY_FILE = "key.csv"


@dataclass(frozen=True)
class Problem:
    """Why a study has no result: code, sentence, next step."""

    study: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class BatchResult:
    """What became of a batch; the numbers stand in its tables.

    Args:
        output: its folder.
        total: studies.
        done: with a result; 0 after a dry run.
        failed: without one, or, after a dry run, that would fail.
        files: name -> path of tables and page; empty after a dry run.
        problems: of the failed ones.
        worst: id and reasons of the results to look at first, at most ten.
        is_dry_run: whether it was only looked through.
    """

    output: Path
    total: int
    done: int
    failed: int
    files: Mapping[str, Path] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    worst: tuple[tuple[str, str], ...] = ()
    is_dry_run: bool = False


def summarize(output: Path, plan: Sequence[str], outcomes: Mapping[str, Entry], total: int) -> BatchResult:
    """Write tables and pages.

    Args:
        output: of the batch.
        plan: ids of the studies that have an outcome in this batch, in the order of the table.
        outcomes: by study, from the ledger.
        total: studies of the batch; more than the plan when it was stopped.
    """
    results, failures = [], []
    for study in plan:
        entry = outcomes[study]
        if entry.event == DONE:
            results.append(ResultLine(study, f"{STUDIES_FOLDER}/{study}", entry.facts["record"]["row"]))
        else:
            error = entry.facts["error"]
            failures.append(FailedLine(study, str(error["code"]), str(error["message"]), str(error["hint"])))
    for line in results:
        _write_study_page(output, line)
    files = write_files(
        output,
        {
            RESULTS_FILE: results_csv(results),
            FAILED_FILE: failed_csv(failures),
            WORST_FILE: worst_first_csv(results),
        },
    )
    files[REPORT_FILE] = write_batch_page(output / REPORT_FILE, results, failures, total, PREVIEW_FILE)
    return BatchResult(
        output,
        total,
        len(results),
        len(failures),
        files,
        tuple(Problem(line.study, line.code, line.message, line.hint) for line in failures),
        tuple((entry.line.study, "; ".join(entry.reasons)) for entry in worst_first(results)[:10]),
    )


def write_key(private: Path, studies: Sequence[Study]) -> None:
    """Write which study is which folder; kept apart from the results, since folders may carry names of patients."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["study", "place", "role", "path"])
    for study in studies:
        if not study.inputs:
            writer.writerow([study.id, study.place, "", ""])
        for role, path in study.inputs.items():
            writer.writerow([study.id, study.place, role, path])
    write_files(private, {KEY_FILE: text.getvalue().encode()})


def _write_study_page(output: Path, line: ResultLine) -> None:
    """Write the page of a study, unless it stands already as it would be written."""
    folder = output / line.folder
    picture = folder / OVERLAY_FILE
    page = study_page(line, picture.read_bytes() if picture.is_file() else b"")
    target = folder / REPORT_FILE
    if not target.is_file() or target.read_bytes() != page:
        write_files(folder, {REPORT_FILE: page})
