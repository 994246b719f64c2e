"""The verb "correct": one prompt, with the probabilities that this worker still has of the run. Ring 7 (worker).

The worker computes on one thread for its whole life, so what is kept needs no lock.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAILib.core.errors import UsageError
from MedSegAILib.core.labels import LabelScheme
from MedSegAILib.core.result import Passport, Probabilities
from MedSegAILib.core.run import Cancel, ProgressCallback

MOST_RUNS = 3  # a working grid of 2 mm takes 7 MB with three regions, one of 1 mm 60 MB


class KeptProbabilities:
    """Region probabilities of the latest runs, by what names a run."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, Probabilities] = OrderedDict()

    def put(self, passport: Passport, probabilities: Probabilities | None) -> None:
        """Keep those of a run; the oldest are dropped."""
        from .transfer_correction import run_of

        if probabilities is not None:
            self._runs[_key(run_of(passport))] = probabilities
            while len(self._runs) > MOST_RUNS:
                self._runs.popitem(last=False)

    def get(self, run: Mapping[str, Any]) -> Probabilities | None:
        """Give those of a run; None when they are not kept."""
        return self._runs.get(_key(run))


KEPT = KeptProbabilities()


def correct(arguments: Mapping[str, Any], folder: Path, _progress: ProgressCallback, cancel: Cancel) -> dict[str, Any]:
    """Apply the newest prompt; ``arguments`` as ``transfer_correction.write_correction`` gives them."""
    from MedSegAILib.interaction.session import correct as apply

    from .transfer_correction import read_correction, write_corrected

    kept = KEPT.get(arguments.get("run", {}))
    correction = read_correction(arguments, folder, kept)
    cancel.check()
    return write_corrected(apply(correction), folder)


def fill_between(
    arguments: Mapping[str, Any], folder: Path, _progress: ProgressCallback, cancel: Cancel
) -> dict[str, Any]:
    """Fill a region between slices; ``arguments`` as ``transfer_correction.write_fill`` gives them."""
    from MedSegAILib.interaction.filling import fill_region

    from .transfer_correction import read_fill, write_corrected

    filled = fill_region(*read_fill(arguments, folder))
    cancel.check()
    return write_corrected(filled, folder)


def doubt_map(
    arguments: Mapping[str, Any], folder: Path, _progress: ProgressCallback, _cancel: Cancel
) -> dict[str, Any]:
    """Give where the probability of a region is near one half; ``arguments``: "run", "scheme", "region"."""
    from MedSegAILib.interaction.evidence import doubt_of

    from .transfer import write_array

    kept = KEPT.get(arguments["run"])
    if kept is None:
        raise UsageError(
            "doubt.not_known",
            "The probabilities of this result are no longer known.",
            "Run the segmentation again to see where it is in doubt.",
        )
    found = doubt_of(kept, LabelScheme.from_json(arguments["scheme"]), str(arguments["region"]))
    return {"map": write_array(found, folder / "doubt.raw"), "ijk_to_ras": kept.ijk_to_ras.tolist()}


def _key(run: Mapping[str, Any]) -> str:
    return json.dumps(run, sort_keys=True, default=str)
