"""Stages kept from the last run: a look from a later stage costs that stage only, the same again nothing. Ring 3.

What is kept belongs to one case, one package and one way of running; anything else is forgotten. A door that answers
several runs (the worker, a script) holds one and hands it to every run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from MedSegAILib.core.result import Probabilities
from MedSegAILib.image.geometry import Box

from .stage import StageOutcome


class KeptStages:
    """The outcomes of the stages of the latest run, in memory.

    Attributes:
        probabilities: of the regions, of the latest run that came to its end; a correction works from them.
    """

    def __init__(self) -> None:
        self.probabilities: Probabilities | None = None
        self._run = ""
        self._outcomes: dict[str, StageOutcome] = {}

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Start a run; what was kept of a run with other facts is forgotten.

        Args:
            facts: JSON-able: inputs with their checksums, repairs, package, preset, engine.
        """
        run = json.dumps(facts, sort_keys=True)
        if run != self._run:
            self._run, self._outcomes = run, {}

    def get(self, stage: str, box: Box | None) -> StageOutcome | None:
        """Give the outcome of a stage that looked in the same box; None when there is none."""
        return self._outcomes.get(_key(stage, box))

    def put(self, stage: str, box: Box | None, outcome: StageOutcome) -> None:
        """Keep an outcome."""
        self._outcomes[_key(stage, box)] = outcome


def _key(stage: str, box: Box | None) -> str:
    return json.dumps([stage, None if box is None else [[side.start, side.stop] for side in box]])
