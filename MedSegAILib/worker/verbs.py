"""What the worker does beside segmenting: a table of verbs; each takes and gives a JSON-able message. Ring 7 (worker).

Arrays lie in the folder of the job. A new verb is one function and one line of :data:`VERBS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import WorkerError
from MedSegAILib.core.run import Cancel, ProgressCallback

from .protocol import broken
from .verb_correct import correct, doubt_map, fill_between
from .verb_export_corrections import export_corrections
from .verbs_setup import bundle_install, bundle_look, bundle_repair, doctor, libraries_install, libraries_look

Arguments = Mapping[str, Any]
Verb = Callable[[Arguments, Path, ProgressCallback, Cancel], dict[str, Any]]


def answer(verb: str, arguments: Arguments, folder: Path, progress: ProgressCallback, cancel: Cancel) -> dict[str, Any]:
    """Do what is asked for.

    Raises:
        WorkerError: "worker.protocol" for a verb that is not in the table.
        MedSegAIError: whatever the verb raises.
    """
    if verb not in VERBS:
        raise _unknown(verb)
    return VERBS[verb](arguments, folder, progress, cancel)


def export(arguments: Arguments, folder: Path, _progress: ProgressCallback, cancel: Cancel) -> dict[str, Any]:
    """Write a result as files; ``arguments``: "handover" and "output", the folder to write to."""
    from MedSegAILib.report.handed_over import write_handed_over

    from .transfer_handover import read_handover

    handed = read_handover(arguments["handover"], folder)
    cancel.check()
    paths, notices = write_handed_over(handed, Path(str(arguments["output"])))
    return {
        "files": [str(path) for path in paths],
        "notices": [[notice.code, notice.message, notice.hint] for notice in notices],
    }


def _unknown(verb: str) -> WorkerError:
    return broken(f"nothing is known of {verb!r}")


VERBS: dict[str, Verb] = {
    "export": export,
    "doctor": doctor,
    "bundle_look": bundle_look,
    "bundle_install": bundle_install,
    "bundle_repair": bundle_repair,
    "libraries_look": libraries_look,
    "libraries_install": libraries_install,
    "correct": correct,
    "fill_between": fill_between,
    "doubt_map": doubt_map,
    "export_corrections": export_corrections,
}
