"""The verb "export_corrections": a corrected result as one study of a data set. Ring 7 (worker)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAILib.core.prompts import prompt_from_json
from MedSegAILib.core.run import Cancel, ProgressCallback
from MedSegAILib.core.volume import Volume

from .protocol import broken
from .transfer import read_array, read_case


def export_corrections(
    arguments: Mapping[str, Any], folder: Path, _progress: ProgressCallback, cancel: Cancel
) -> dict[str, Any]:
    """Write the study; ``arguments``: "corrections" of ``transfer_correction``, and "output", its folder."""
    from MedSegAILib.io.datasets.corrections import write_corrected_study

    try:
        message = arguments["corrections"]
        case = read_case(message["case"], folder)
        grid = case.reference_grid()
        before, after = (Volume(read_array(message[name], folder), grid) for name in ("before", "after"))
        prompts = [(str(region), prompt_from_json(entry)) for region, entry in message["prompts"]]
        facts, output = dict(message["facts"]), Path(str(arguments["output"]))
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise broken(f"the corrections cannot be read ({type(error).__name__}: {error})") from error
    cancel.check()
    return {"files": [str(p) for p in write_corrected_study(output, case.volumes, (before, after), prompts, facts)]}
