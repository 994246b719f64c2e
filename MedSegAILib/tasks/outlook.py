"""What is known of a run before it starts, without any engine: the card's Dice, and what like runs took here. Ring 3.

This is what a door that computes nothing itself (Slicer's own process) can tell at once; ``expected`` tells more, where
the engines are at hand. Nothing is guessed: what is not known is None.
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .history import Run, network_words
from .package import Package
from .preset_members import stages_of

RECENT_RUNS = 10


def usual_seconds(package: Package, preset: str, history: Sequence[Run]) -> tuple[float | None, int]:
    """Give the seconds that a run usually takes here, and how many runs that rests on; None and 0 without any.

    Like runs had the same networks and preset, and ran where the last of them ran (backend, device, precision,
    threads). The size of the study is not looked at: a brain is a brain.

    Args:
        package: the task.
        preset: of the run.
        history: from ``history.read_history``, the oldest first.

    Raises:
        PackageError: "package.preset" for a preset that cannot be used.
    """
    ensembles = [ensemble for stage in stages_of(package, preset) for ensemble in stage.ensembles]
    networks = [network for ensemble in ensembles for network, _ in ensemble.by_network()]
    words = network_words([(network.name, network.arguments) for network in networks])
    like = [run for run in history if (run.network, run.preset) == (words, preset)]
    if not like:
        return None, 0
    chosen = [run for run in like if _place(run) == _place(like[-1])][-RECENT_RUNS:]
    # The median: the first run after a start, and one beside other programs, are slow.
    return round(statistics.median(run.predict_s + run.other_s for run in chosen), 2), len(chosen)


def _place(run: Run) -> tuple[str, str, str, int]:
    return run.backend, run.device, run.precision, run.threads


def expected_dice(package: Package, preset: str) -> dict[str, Any]:
    """Give the Dice of the package's card: of the preset where it was measured, else of the package; may be empty."""
    own = package.presets.get(preset, {}).get("dice")
    shared = dict(package.manifest.get("expected", {})).get("dice")
    return dict(own or shared or {})


def expected_dice_of(package: Package, roles: Collection[str]) -> dict[str, Any]:
    """Give the Dice of the package's card for a run with some of its inputs; empty when it was not measured.

    Args:
        package: the task; ``expected.dice_by_inputs`` of its manifest holds ``{"T1ce+FLAIR": {region: value}}``.
        roles: given inputs, in any order.
    """
    by_inputs = dict(dict(package.manifest.get("expected", {})).get("dice_by_inputs", {}))
    return next((dict(dice) for names, dice in by_inputs.items() if set(names.split("+")) == set(roles)), {})


def dice_words(dice: Mapping[str, Any]) -> str:
    """Give Dice for people: "Dice WT 0.80, TC 0.40 (four_sequences)"."""
    if not dice:
        return "Dice not measured"
    by_set = {name: value for name, value in dice.items() if isinstance(value, Mapping)}
    flat = {name: value for name, value in dice.items() if name not in by_set}
    told = [_scores(flat)] if flat else []
    told += [f"{_scores(scores)} ({name.replace('_', ' ')})" for name, scores in by_set.items() if scores]
    return f"Dice {'; '.join(told)}"


def time_words(seconds: float) -> str:
    """Give a time for people: "8 s", "3 min"."""
    return f"{max(seconds, 1.0):.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _scores(scores: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{region} {value:.2f}" if isinstance(value, (int, float)) else f"{region} {value}"
        for region, value in scores.items()
    )
