"""What is still to do: each study of the plan against the ledger and the folders. Ring 6 (batch).

A result stands when it was made from the same content, package, options and version, and its files are there. A
failure stands when it would come again. Everything else is computed, and it is said why.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import MedSegAIError, error_from_json
from MedSegAILib.io.atomic import TEMPORARY_PREFIX

from .ledger import DONE, Entry, Ledger
from .record import changed_since, is_final, missing_file, read_record
from .studies import Study
from .study_run import STUDIES_FOLDER


@dataclass
class Todo:
    """The studies of a run.

    Args:
        compute: to compute, with the reason ("new", "T1 has changed").
        standing: ids of those whose result stands.
        failed: ids of those whose failure stands.
    """

    compute: list[tuple[Study, str]] = field(default_factory=list)
    standing: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def plan_run(
    studies: Iterable[Study], ledger: Ledger, output: Path, terms: Mapping[str, Any], *, retry_failed: bool
) -> Todo:
    """Sort the studies that passed their checks.

    A whole folder without a line in the ledger (the batch was stopped between the two) gets its line here.

    Args:
        studies: without an error.
        ledger: of the output folder.
        output: of the batch.
        terms: shared part of the key, see ``record.terms_of``.
        retry_failed: compute failures again.
    """
    outcomes = ledger.outcomes()
    todo = Todo()
    for study in studies:
        entry = outcomes.get(study.id)
        folder = output / STUDIES_FOLDER / study.id
        record = read_record(folder) if entry is None or entry.event != DONE else entry.facts["record"]
        why = _why(study, record, folder, terms) if record else "new"
        if record and not why:
            if entry is None or entry.event != DONE:
                ledger.append(DONE, study.id, record=record, found=True)
            todo.standing.append(study.id)
        elif not record and entry is not None and not retry_failed and _failure_stands(study, entry, terms):
            todo.failed.append(study.id)
        else:
            todo.compute.append((study, why if entry is None or record else "failed before"))
    return todo


def remove_drafts(output: Path) -> None:
    """Remove what an earlier run left half-written."""
    folder = output / STUDIES_FOLDER
    for draft in [*folder.glob(f"{TEMPORARY_PREFIX}*"), *folder.glob(".old-*")]:
        shutil.rmtree(draft, ignore_errors=True)


def _why(study: Study, record: Mapping[str, Any], folder: Path, terms: Mapping[str, Any]) -> str:
    change = changed_since(record, study.inputs, study.reference, terms)
    if change:
        return change
    missing = missing_file(record, folder)
    return f"{missing} is not there as it was written" if missing else ""


def _failure_stands(study: Study, entry: Entry, terms: Mapping[str, Any]) -> bool:
    from .record import stamp_of

    error: MedSegAIError = error_from_json(dict(entry.facts["error"]))
    stamps = {role: stamp_of(path) for role, path in study.inputs.items()}
    return is_final(error) and dict(entry.facts["stamps"]) == stamps and entry.facts["terms"] == dict(terms)
